"""From the words of `run` to images and holes."""

from __future__ import annotations

import dataclasses
import difflib
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from semantic_inpaint.app.options import RunOptions
from semantic_inpaint.datasets.examples import astronaut
from semantic_inpaint.datasets.packed import MANIFEST_FILE, PackedImages
from semantic_inpaint.images import load_images
from semantic_inpaint.masks import PATTERNS, load_known, make_known

ALL_PATTERNS = "all"
FILE_MASK = "file"


@dataclasses.dataclass(frozen=True, eq=False)
class Holes:
    """One kind of hole for all images.

    Attributes:
        name: Of the pattern, or `"file"`.
        known: bool `[B, H, W]`.
        consensus_weight: mu of the pattern; None: by the share that is missing.
        note: What was done to a mask file, or "".
    """

    name: str
    known: np.ndarray
    consensus_weight: float | None
    note: str = ""


def read_images(
    options: RunOptions, size: int
) -> tuple[np.ndarray, list[str], list[str]]:
    """Load the images that `options` names, fitted to `size`.

    Returns:
        float32 `[B, size, size, 3]` in [0, 1], unique names, and notes on what was
        done to them.

    Raises:
        ValueError: Something named is not there, or no image.
    """
    if not options.images:
        return astronaut(size)[None], ["astronaut"], []
    parts, names, notes = [], [], []
    for path in options.images:
        if (path / MANIFEST_FILE).is_file():
            images, found = _read_packed(path, options, size)
        else:
            images, found, said = load_images([path], size=size)
            notes += said
        parts.append(images)
        names += found
    images = np.concatenate(parts)[: options.limit]
    return images, _unique(names)[: options.limit], notes


def make_holes(options: RunOptions, count: int, size: int) -> list[Holes]:
    """Make the holes that `options.mask` names, one pattern for each image.

    Raises:
        ValueError: Neither a pattern, nor `all`, nor a file; or a file that leaves
            nothing known, or nothing to fill.
    """
    word = options.mask
    if word == ALL_PATTERNS or word in PATTERNS:
        return [
            Holes(
                name,
                make_known(name, count, size, size, seed=options.seed),
                PATTERNS[name].consensus_weight,
            )
            for name in (PATTERNS if word == ALL_PATTERNS else [word])
        ]
    if not Path(word).exists():
        names = [*PATTERNS, ALL_PATTERNS]
        near = difflib.get_close_matches(word, names, n=1)
        hint = f" Did you mean {near[0]!r}?" if near else ""
        raise ValueError(
            f"no mask {word!r}: neither a file nor one of {', '.join(names)}.{hint}"
        )
    known, note = load_known(Path(word), size, size)
    return [Holes(FILE_MASK, np.repeat(known[None], count, axis=0), None, note or "")]


def _read_packed(
    path: Path, options: RunOptions, size: int
) -> tuple[np.ndarray, list[str]]:
    packed = PackedImages.open(path)
    if packed.images.shape[1] != size:
        raise ValueError(
            f"{path} holds {packed.images.shape[1]}x{packed.images.shape[1]} images, "
            f"the prior makes {size}x{size}; pack them with --size {size}."
        )
    rows = np.arange(len(packed))
    if options.partition is not None:
        rows = packed.indices([options.partition])
    rows = rows[: options.limit]
    images = packed.images[rows].astype(np.float32) / 255.0
    return images, [packed.ids[row] for row in rows]


def _unique(names: list[str]) -> list[str]:
    """File stems, numbered where two are the same."""
    return list(_numbered([Path(name).stem for name in names]))


def _numbered(stems: list[str]) -> Iterator[str]:
    taken: set[str] = set()
    for stem in stems:
        name, number = stem, 2
        while name in taken:
            name, number = f"{stem}-{number}", number + 1
        taken.add(name)
        yield name
