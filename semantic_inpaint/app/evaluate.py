"""Measure how good a prior is for inpainting: what `evaluate_prior.py` runs."""

from __future__ import annotations

import dataclasses
import math
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import tyro
from rich import box
from rich.console import Console
from rich.table import Table

from semantic_inpaint.app.quiet import load_backend
from semantic_inpaint.app.refusal import refuse
from semantic_inpaint.datasets import PackedImages

if TYPE_CHECKING:
    from semantic_inpaint.app.evaluation_steps import Features

PARTS = ("inversion", "features", "neighbours", "masks")


@dataclasses.dataclass(frozen=True)
class EvaluateOptions:
    """Measure a prior; start again with the same words to go on where it stopped."""

    data: Path
    """Folder that prepare_data.py made, with partitions."""
    out: Path
    """Folder for evaluation.json and the sheets of samples and their neighbours."""
    prior: str = "slim"
    """Name of a shipped prior, or the folder of one."""
    parts: tuple[str, ...] = PARTS
    """inversion (whole images), features (distances of distributions), neighbours
    (memorised training images?), masks (the six holes, preset fast)."""
    count: int = 200
    """Faces of partition 1 to invert and to fill holes in."""
    num_samples: int = 5000
    """Generated images to compare by their features."""
    num_real: int = 5000
    """Images of partitions 0 and 2, and of 1, to compare them with."""
    steps: int = 300
    """Of the inversion of whole images."""
    precision: str = "float32"
    """auto, float32 or bfloat16, of the prior's inner layers."""
    seed: int = 0
    fidelity: bool = False
    """Also FID and KID, by torch-fidelity where it is installed (it fetches the weights
    of its network)."""
    update_card: bool = False
    """Store the figures in the card of the prior, too."""

    def validate(self) -> None:
        """Check the words.

        Raises:
            ValueError: A part that is none, or a number out of range.
        """
        for part in self.parts:
            if part not in PARTS:
                raise ValueError(f"no part {part!r}; there are {', '.join(PARTS)}.")
        least = {"count": 2, "num_samples": 64, "num_real": 64, "steps": 1, "seed": 0}
        for field, smallest in least.items():
            if (value := getattr(self, field)) < smallest:
                word = field.replace("_", "-")
                raise ValueError(f"--{word} must be {smallest} or more; got {value}.")


def main(
    argv: Sequence[str] | None = None,
    *,
    load_features: Callable[[], Features] | None = None,
) -> int:
    """Parse the words, measure, and show the figures.

    Args:
        argv: The words; None: those of the command line.
        load_features: Gives the space of features, a callable with a `name`; None:
            `models.vgg.load_vgg_features`.

    Returns:
        0, or 2 after bad input, which is named in one line on stderr.
    """
    options = tyro.cli(
        EvaluateOptions,
        prog="evaluate_prior",
        description="Measure how good a prior is for inpainting.",
        args=None if argv is None else list(argv),
    )
    console = Console()
    try:
        record = evaluate_prior(options, console, load_features=load_features)
    except (ValueError, TypeError, OSError) as error:
        return refuse(error)
    console.print(summary(record["parts"]))
    return 0


def evaluate_prior(
    options: EvaluateOptions,
    console: Console,
    *,
    load_features: Callable[[], Features] | None = None,
) -> dict[str, Any]:
    """Measure what is not measured yet, and keep each part as soon as it is done.

    Returns:
        The content of `evaluation.json`.

    Raises:
        ValueError: Bad input, or `options.out` has figures of something else.
        OSError: A file could not be read or written.
    """
    from semantic_inpaint.app.fidelity import require_fidelity

    # Bad words are told before the seconds that the backend takes to load.
    options.validate()
    if options.fidelity:
        require_fidelity()
    packed = _open_faces(options.data)
    load_backend()
    from semantic_inpaint.app.evaluation_record import (
        RECORD_FILE,
        open_record,
        write_into_card,
        write_json,
    )
    from semantic_inpaint.app.evaluation_steps import Subject, steps_of
    from semantic_inpaint.models.checkpoints import load_prior
    from semantic_inpaint.models.vgg import load_vgg_features

    prior = load_prior(options.prior, precision=options.precision)
    numbers = ("count", "num_samples", "num_real", "steps", "precision", "seed")
    record = open_record(
        options.out,
        {
            "prior": prior.name,
            "prior_sha256": prior.sha256,
            "data_sha256": packed.sha256,
            **{field: getattr(options, field) for field in numbers},
        },
    )
    subject = Subject(options, prior, packed, load_features or load_vgg_features)
    for name, measure in steps_of(subject).items():
        if name not in record["parts"]:
            start = time.perf_counter()
            with console.status(name):
                found = measure()
            found["seconds_in_all"] = round(time.perf_counter() - start, 1)
            record["parts"][name] = found
            write_json(options.out / RECORD_FILE, record)
    if options.update_card:
        write_into_card(prior.folder, record)
    return record


def _open_faces(path: Path) -> PackedImages:
    packed = PackedImages.open(path)
    if (packed.partitions < 0).all():
        raise ValueError(
            f"{path} has no partitions, so no face is known to be unseen; pack CelebA "
            "in its official layout."
        )
    return packed


def summary(parts: dict[str, Any]) -> Table:
    """Return the figures of all parts as a table."""
    shown = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    for heading in ("part", "figure"):
        shown.add_column(heading, no_wrap=True)
    shown.add_column("value", justify="right")
    for part, figures in parts.items():
        for name, value in _flat(figures):
            if isinstance(value, float):
                value = f"{value:.5g}" if math.isfinite(value) else None
            shown.add_row(part, name, "undefined" if value is None else str(value))
    return shown


def _flat(figures: dict[str, Any], *, prefix: str = "") -> list[tuple[str, Any]]:
    rows = []
    for name, value in figures.items():
        if isinstance(value, dict):
            rows += _flat(value, prefix=f"{prefix}{name} ")
        else:
            rows.append((f"{prefix}{name}", value))
    return rows
