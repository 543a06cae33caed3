"""Make the sample faces that ship: what `pipelines/make_samples.py` runs."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Sequence
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import tyro
from rich.console import Console

from semantic_inpaint.app.quiet import load_backend
from semantic_inpaint.app.refusal import refuse
from semantic_inpaint.datasets import PackedImages
from semantic_inpaint.datasets.samples import (
    SAMPLES,
    SAMPLES_CARD_FILE,
    SAMPLES_FORMAT,
    SHEET_FILE,
    sample_card,
)

if TYPE_CHECKING:
    from semantic_inpaint.app.evaluation_steps import Features
    from semantic_inpaint.app.selection import Selection
    from semantic_inpaint.models.prior import GenerativePrior

TRAINING = (0, 2)
STATEMENT = (
    "Every face was made by a generative network and is of a person who does not "
    "exist. A likeness to anyone would be chance."
)


@dataclasses.dataclass(frozen=True)
class SampleOptions:
    """Generate faces of people who do not exist, and keep the best by a stated rule."""

    prior: Path
    """Folder of the prior that makes them; none that ships."""
    data: Path
    """Folder that prepare_data.py made, with the real faces to compare them with."""
    out: Path | None = None
    """Folder for the sheet and its card; default: that of the package, whose sample
    faces they replace."""
    count: int = 256
    """Faces to keep."""
    candidates: int = 4096
    """Generated images to choose from."""
    real: int = 4096
    """Real faces of partitions 0 and 2 to compare them with: the first so many."""
    seed: int = 0
    """Of the codes."""

    def validate(self) -> None:
        """Check the words.

        Raises:
            ValueError: A number out of range.
        """
        least = {"count": 1, "candidates": self.count, "real": 1, "seed": 0}
        for field, smallest in least.items():
            if (value := getattr(self, field)) < smallest:
                raise ValueError(f"--{field} must be {smallest} or more; got {value}.")


def main(
    argv: Sequence[str] | None = None,
    *,
    load_features: Callable[[], Features] | None = None,
) -> int:
    """Parse the words, make the faces, and say where they are.

    Args:
        argv: The words; None: those of the command line.
        load_features: Gives the space of features, a callable with a `name`; None:
            `models.vgg.load_vgg_features`.

    Returns:
        0, or 2 after bad input, which is named in one line on stderr.
    """
    options = tyro.cli(
        SampleOptions,
        prog="make_samples",
        description="Generate faces of people who do not exist; keep the best by rule.",
        args=None if argv is None else list(argv),
    )
    console = Console(soft_wrap=True, markup=False, highlight=False)
    try:
        folder = make_samples(options, console, load_features=load_features)
    except (ValueError, TypeError, OSError) as error:
        return refuse(error)
    console.print(f"{options.count} faces written to {folder}")
    return 0


def make_samples(
    options: SampleOptions,
    console: Console,
    *,
    load_features: Callable[[], Features] | None = None,
) -> Path:
    """Write the sheet, then the card that vouches for it.

    Returns:
        The folder of both.

    Raises:
        ValueError: Bad input; a prior that ships, or one whose card lacks its data or
            its licence; real faces of another size, or too few; a face is found in
            fewer images than are to be kept; a folder with another card in it. Nothing
            has been written.
        OSError: A file could not be read or written.
    """
    # Bad words are told before the seconds that the backend takes to load.
    options.validate()
    folder = SAMPLES if options.out is None else options.out
    _check_folder(folder)
    packed = PackedImages.open(options.data)
    rows = packed.indices(TRAINING)[: options.real]
    packed.verify()
    load_backend()
    from semantic_inpaint.app.selection import select_faces
    from semantic_inpaint.images import save_image, tile_images
    from semantic_inpaint.models.checkpoints import load_prior, write_card
    from semantic_inpaint.models.vgg import load_vgg_features

    prior = load_prior(options.prior)
    _check_prior(prior)
    real = packed.images[rows]
    _check_real(real, prior)
    space = (load_features or load_vgg_features)()
    with console.status(f"choosing from {options.candidates} candidates"):
        chosen = select_faces(
            prior,
            real,
            space,
            count=options.count,
            candidates=options.candidates,
            seed=options.seed,
        )
    save_image(folder / SHEET_FILE, tile_images(chosen.images))
    judged_by = {"features": space.name, "real": _describe_real(packed, rows)}
    card = {
        "format": SAMPLES_FORMAT,
        "statement": STATEMENT,
        "count": options.count,
        "image_size": prior.image_size,
        "sheet": _describe_sheet(folder / SHEET_FILE),
        "rule": _describe_rule(options, chosen) | judged_by,
        "generator": _describe_generator(prior),
        "data": prior.card["data"],
        "licence": prior.card["licence"],
    }
    write_card(folder / SAMPLES_CARD_FILE, card)
    return folder


def _check_folder(folder: Path) -> None:
    """Refuse a folder whose card is of something else, a prior's for one."""
    if (folder / SAMPLES_CARD_FILE).exists():
        try:
            sample_card(folder)
        except ValueError as error:
            raise ValueError(
                f"{error} Or name another folder with --out, so that nothing else is "
                "overwritten."
            ) from error


def _shipped_weights() -> dict[str, str]:
    """Hashes of the weights of all priors that ship, by the priors' names."""
    from semantic_inpaint.app.evaluation_record import read_json
    from semantic_inpaint.models.checkpoints import ASSETS, CARD_FILE, WEIGHTS_FILE

    return {
        path.parent.name: read_json(path.with_name(CARD_FILE))["weights"]["sha256"]
        for path in sorted(ASSETS.glob(f"*/{WEIGHTS_FILE}"))
    }


def _check_prior(prior: GenerativePrior) -> None:
    for name, sha256 in _shipped_weights().items():
        if prior.sha256 == sha256:
            raise ValueError(
                f"{prior.folder} has the weights of the shipped prior {name!r}, which "
                "has these faces in its range and would be judged too well by them; "
                "train another with another --seed."
            )
    if not prior.card.get("licence") or not prior.card.get("data", {}).get("note"):
        raise ValueError(
            f"the card of {prior.folder} lacks a licence or a note on the data, which "
            "the faces take over; train with --licence and --data-note."
        )


def _check_real(real: np.ndarray, prior: GenerativePrior) -> None:
    from semantic_inpaint.app.selection import NEIGHBOURS

    if real.shape[1] != prior.image_size:
        raise ValueError(
            f"the real faces have {real.shape[1]} pixels a side, those of {prior.name} "
            f"{prior.image_size}; pack a set of that size."
        )
    if len(real) <= NEIGHBOURS:
        raise ValueError(
            f"{len(real)} real faces are too few to compare with; give {NEIGHBOURS + 1}"
            " or more by --real and --data."
        )


def _describe_sheet(sheet: Path) -> dict[str, Any]:
    from semantic_inpaint.models.checkpoints import file_sha256

    return {
        "file": sheet.name,
        "sha256": file_sha256(sheet),
        "bytes": sheet.stat().st_size,
    }


def _describe_rule(options: SampleOptions, chosen: Selection) -> dict[str, Any]:
    from semantic_inpaint.app.selection import CODE_STREAM, NEIGHBOURS, RULE
    from semantic_inpaint.metrics import DETECTOR

    return {
        "words": RULE,
        "candidates": options.candidates,
        "kept": options.count,
        "seed": options.seed,
        "stream": CODE_STREAM,
        "detector": {**DETECTOR, "scikit_image": version("scikit-image")},
        "share_with_a_face": chosen.num_faces / options.candidates,
        "lowest_kept": float(chosen.scores.min()),
        "highest_left_out": chosen.highest_left_out,
        "k": NEIGHBOURS,
    }


def _describe_real(packed: PackedImages, rows: np.ndarray) -> dict[str, Any]:
    return {
        "images": len(rows),
        "partitions": np.unique(packed.partitions[rows]).tolist(),
        "data_sha256": packed.sha256,
    }


def _describe_generator(prior: GenerativePrior) -> dict[str, Any]:
    return {
        "recipe": prior.name,
        "architecture": prior.card["architecture"],
        "images_seen": prior.card.get("images_seen"),
        "training_seed": prior.card.get("seed"),
        "weights_sha256": prior.sha256,
        "is_none_of": _shipped_weights(),
    }
