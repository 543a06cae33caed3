"""The words of `benchmark`, from the command line or from a file."""

from __future__ import annotations

import dataclasses
import difflib
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import tyro

from semantic_inpaint.app.options import RunOptions

DEFAULT_METHODS = ("refined", "biharmonic")
DEFAULT_OUT = Path("reports/runs/benchmark")
CONFIG_WORD = "--config"


@dataclasses.dataclass(frozen=True)
class BenchmarkOptions:
    """Compare methods on masks and images; begun again, it goes on where it was."""

    methods: tuple[str, ...] = DEFAULT_METHODS
    """refined (gives the stages before it as well), plain (as many steps, all of the
    first stage), semantic, encoder; pconv, conv, iconv, pconv-gan, gated; without a
    network: biharmonic, telea, navier-stokes, patchmatch, mean."""
    masks: tuple[str, ...] = ("all",)
    """Patterns: random-square, big-random-square, stripes, left, center, random, or
    all; with --mask-pack the pack's groups, or all."""
    mask_pack: Path | None = None
    """Take the masks from this pack (make_masks.py), one of a group for each image."""
    mask_dir: Path | None = None
    """Take the masks from this folder or zip of images (white = missing) instead."""
    images: tuple[Path, ...] = ()
    """Image files, folders, zip files or packed sets. Default: partition 1 of CelebA if
    it is packed in data/celeba64, else the sample faces that ship."""
    samples: bool = False
    """Take the sample faces that ship, also where CelebA is packed."""
    partition: int | None = None
    """Of a packed set, use this partition only."""
    limit: int | None = None
    """Use the first so many images only; default: all."""
    seeds: tuple[int, ...] = (0,)
    """Of random masks and of the codes that a search starts from."""
    preset: str = "fast"
    """Of the search: fast, malesevic and so on, as in run."""
    steps: int | None = None
    """Gradient steps of each stage; default: the preset's."""
    prior: str = "slim"
    """Name of a shipped prior, or the folder of one; not loaded where no method needs
    it."""
    networks: tuple[Path, ...] = ()
    """Folders of networks without a prior (train_inpainter.py); default: those that
    ship for the methods."""
    batch_size: int = 64
    """Images filled together, and the most that is lost where the command is killed."""
    size: int | None = None
    """Side of the images; default: that of the prior and the networks, or 64 where
    there are none."""
    landmarks: Path | None = None
    """For networks trained with them: landmarks of the packed set, CelebA's list or an
    .npy of a row for each image; default: where they lie on average."""
    perceptual: tuple[str, ...] = ()
    """Further distances: st-lpips-vgg, lpips-alex, lpips-vgg."""
    pictures: int = 0
    """Keep the pictures of so many images, the first by number."""
    check_leaks: bool = True
    """Try each method for a leak of what stands in the hole before its first batch."""
    device: str | None = None
    """cpu, gpu or gpu:N; default: a GPU where there is one."""
    out: Path = DEFAULT_OUT
    """Folder of the records. Of one that was begun only what is missing is computed."""
    config: Path | None = None
    """A JSON file with these words (check_leaks, not check-leaks); what is also on the
    command line counts."""

    def as_run(self) -> RunOptions:
        """Return what means the same in `run`."""
        return RunOptions(
            images=self.images,
            partition=self.partition,
            limit=self.limit,
            preset=self.preset,
            steps=self.steps,
            prior=self.prior,
            batch_size=self.batch_size,
            device=self.device,
        )


def parse(words: Sequence[str]) -> BenchmarkOptions:
    """Read the words of the command line, over those of a `--config` file.

    Raises:
        ValueError: The file is missing, is not JSON, or has an unknown word.
    """
    default = BenchmarkOptions()
    if (path := _config_path(words)) is not None:
        default = _read_config(path)
    return tyro.cli(
        BenchmarkOptions,
        prog="semantic-inpaint benchmark",
        description=BenchmarkOptions.__doc__,
        args=list(words),
        default=default,
    )


def _config_path(words: Sequence[str]) -> Path | None:
    """Find the file among the words, which it is to be the default of."""
    for i, word in enumerate(words):
        if word.startswith(f"{CONFIG_WORD}="):
            return Path(word.partition("=")[2])
        if word == CONFIG_WORD and i + 1 < len(words):
            return Path(words[i + 1])
    return None


def _read_config(path: Path) -> BenchmarkOptions:
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise ValueError(
            f"{path} cannot be read as JSON ({error}); give a file such as "
            '{"methods": ["refined", "mean"], "limit": 100}.'
        ) from None
    if not isinstance(content, dict):
        raise ValueError(f"{path} must hold a JSON object; got {content!r}.")
    return BenchmarkOptions(
        **{word: _value(path, word, value) for word, value in content.items()}
    )


def _value(path: Path, word: str, value: Any) -> Any:  # noqa: ANN401 - any word's
    """Bring a value of JSON to the type of its word."""
    kinds = {field.name: field.type for field in dataclasses.fields(BenchmarkOptions)}
    if word not in kinds:
        near = difflib.get_close_matches(word, kinds, n=1)
        hint = f" Did you mean {near[0]!r}?" if near else ""
        raise ValueError(
            f"{path} has the unknown word {word!r}; there are {', '.join(kinds)}.{hint}"
        )
    kind = kinds[word]
    if not _fits(kind, value):
        raise ValueError(f"{path}: {word!r} must be {kind}; got {value!r}.")
    if kind.startswith("tuple"):
        return tuple(Path(item) if "Path" in kind else item for item in value)
    return Path(value) if "Path" in kind and value is not None else value


def _fits(kind: str, value: Any) -> bool:  # noqa: ANN401 - of JSON
    """Whether a value of JSON is of a type written as in `BenchmarkOptions`."""
    if kind.startswith("tuple["):
        inner = kind[len("tuple[") : -len(", ...]")]
        return isinstance(value, list) and all(_fits(inner, item) for item in value)
    if value is None:
        return kind.endswith("| None")
    wanted = {"int": int, "bool": bool}.get(kind.removesuffix(" | None"), str)
    # In Python a truth value counts as a number.
    return isinstance(value, wanted) and (wanted is bool) == isinstance(value, bool)
