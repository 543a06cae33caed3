"""Train a generative prior: what `pipelines/train_prior.py` runs."""

from __future__ import annotations

import dataclasses
import time
from collections.abc import Sequence
from pathlib import Path

import tyro
from rich.console import Console

from semantic_inpaint.app.quiet import load_backend
from semantic_inpaint.app.training import (
    open_training_data,
    run_training,
    training_report,
)

LOSSES = "D {discriminator_loss:.3f}  G {generator_loss:.3f}"
OVERRIDES = ("num_images", "batch_size", "learning_rate", "precision", "seed")


@dataclasses.dataclass(frozen=True)
class TrainOptions:
    """Train a prior; start it again with the same words to go on where it stopped."""

    data: Path
    """Folder that prepare_data.py made."""
    out: Path
    """Folder of the run: state, TensorBoard events, sample sheets, and at the end the
    prior with its card."""
    recipe: str = "slim"
    """slim, full, paper, tiny, or one that differs from slim in one choice: see
    training/named_recipes.py."""
    go_on_from: Path | None = None
    """Folder of a run with another recipe: begin a new run at its state and step."""
    partitions: tuple[int, ...] = (0, 2)
    """Partitions to train on (CelebA: 0 training, 1 validation, 2 test). This project
    trains on 0 and 2 and reports on 1. A set without partitions is used whole."""
    num_images: int | None = None
    """Training images to see in all; default: the recipe's."""
    batch_size: int | None = None
    learning_rate: float | None = None
    precision: str | None = None
    """auto, float32 or bfloat16; default: the recipe's."""
    seed: int | None = None
    max_steps: int | None = None
    """Stop after this many steps in all, to go on later."""
    save_interval: int = 500
    """Steps between states on disk, and between sample sheets."""
    name: str | None = None
    """Of the prior, in its card; default: the recipe's."""
    data_note: str = ""
    """For the card: what the images are."""
    licence: str = ""
    """For the card: what the weights may be used for."""

    def overrides(self) -> dict[str, int | float | str]:
        """Return the fields of the recipe that were given."""
        given = {name: getattr(self, name) for name in OVERRIDES}
        return {name: value for name, value in given.items() if value is not None}


def main(argv: Sequence[str] | None = None) -> int:
    """Parse the words, train, and say where the prior is.

    Returns:
        0, or 2 after bad input, a loss that is no longer finite or a collapse, which
        is named in one line on stderr.
    """
    options = tyro.cli(
        TrainOptions,
        description="Train the generative prior: a DCGAN on a packed set of faces.",
        args=None if argv is None else list(argv),
    )
    return run_training(lambda console: [train(options, console)], "prior")


def train(options: TrainOptions, console: Console) -> Path:
    """Train, or go on training, what `options` asks for.

    Returns:
        The folder of the finished prior.

    Raises:
        ValueError: Bad input, or `options.out` holds another run.
        OSError: A file could not be read or written.
        ArithmeticError: A loss is no longer finite, or the generator has collapsed.
    """
    load_backend()
    from semantic_inpaint.training.named_recipes import get_recipe

    recipe = dataclasses.replace(get_recipe(options.recipe), **options.overrides())
    _, data = open_training_data(options.data, options.partitions)
    from semantic_inpaint.training.export import export_prior
    from semantic_inpaint.training.loop import train_prior

    with training_report(
        console, options.out, title=options.recipe, losses=LOSSES.format_map
    ) as report:
        result = train_prior(
            recipe,
            data,
            options.out,
            report=report,
            save_interval=options.save_interval,
            max_steps=options.max_steps,
            clock=time.perf_counter,
            go_on_from=options.go_on_from,
        )
    return export_prior(
        result,
        data,
        options.out / "prior",
        name=options.name or options.recipe,
        data_note=options.data_note,
        licence=options.licence,
    )
