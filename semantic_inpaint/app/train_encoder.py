"""Train the encoder of a prior: what `pipelines/train_encoder.py` runs."""

from __future__ import annotations

import dataclasses
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import tyro
from rich.console import Console

from semantic_inpaint.app.training import (
    open_training_data,
    run_training,
    training_report,
)

if TYPE_CHECKING:
    from semantic_inpaint.datasets import PackedImages
    from semantic_inpaint.models.encoder import LatentEncoder
    from semantic_inpaint.models.prior import GenerativePrior
    from semantic_inpaint.training.encoder_recipes import EncoderRecipe
    from semantic_inpaint.training.steps import Report

VALIDATION_PARTITION = 1
VALIDATION_PATTERNS = ("center", "left")
MEASURE = "validation_psnr_"


@dataclasses.dataclass(frozen=True)
class EncoderOptions:
    """Train an encoder; start it again with the same words to go on where it stopped.

    Words without a default of their own take the recipe's.
    """

    data: Path
    """Folder that prepare_data.py made."""
    out: Path
    """Folder of the run: state, TensorBoard events, sheets, and at the end the encoder
    with its card, in the subfolder encoder."""
    prior: str = "slim"
    """Name of a shipped prior, or the folder of one."""
    install: bool = False
    """Write the encoder beside its prior as well, where `run` finds it."""
    start_from: Path | None = None
    """Folder of a run that has trained an encoder of the same shapes, alone or beside
    its prior (recipe inverse): begin with its weights."""
    partitions: tuple[int, ...] = (0, 2)
    """Partitions to train on (CelebA: 0 training, 1 validation, 2 test). A set without
    partitions is used whole."""
    validation_images: int = 256
    """So many images of partition 1, where it is not trained on, are measured at every
    state on disk; 0: none."""
    width: int | None = None
    hidden: int | None = None
    num_images: int | None = None
    """Training images to see in all."""
    batch_size: int | None = None
    learning_rate: float | None = None
    code_weight: float | None = None
    """Weight of the error of the code of generated images."""
    pair_share: float | None = None
    """Generated images as a share of the real ones."""
    precision: str | None = None
    """auto, float32 or bfloat16."""
    seed: int | None = None
    max_steps: int | None = None
    """Stop after this many steps in all, to go on later."""
    save_interval: int = 500
    """Steps between states on disk, between sheets, and between validations."""
    data_note: str = ""
    """For the card: what the images are."""
    licence: str = ""
    """For the card: what the weights may be used for."""

    def recipe(self) -> EncoderRecipe:
        """Return the recipe with the words that were given.

        Raises:
            ValueError: A value that cannot be trained with.
        """
        from semantic_inpaint.training.encoder_recipes import EncoderRecipe

        fields = {field.name for field in dataclasses.fields(EncoderRecipe)}
        given = {name: getattr(self, name, None) for name in fields}
        return EncoderRecipe(**{n: v for n, v in given.items() if v is not None})


def main(argv: Sequence[str] | None = None) -> int:
    """Parse the words, train, and say where the encoder is.

    Returns:
        0, or 2 after bad input or a loss that is no longer finite, which is named in
        one line on stderr.
    """
    options = tyro.cli(
        EncoderOptions,
        description="Train the encoder of a prior: masked faces to latent codes.",
        args=None if argv is None else list(argv),
    )
    return run_training(lambda console: train(options, console), "encoder")


def train(options: EncoderOptions, console: Console) -> list[Path]:
    """Train, or go on training, what `options` asks for.

    Returns:
        The folders that the encoder was written to.

    Raises:
        ValueError: Bad input, or `options.out` holds another run.
        OSError: A file could not be read or written.
        FloatingPointError: A loss is no longer finite.
    """
    # Bad words are told before the seconds that the backend takes to load.
    recipe = options.recipe()
    packed, data = open_training_data(options.data, options.partitions)
    from semantic_inpaint.models.checkpoints import load_prior
    from semantic_inpaint.training.encoder import train_encoder
    from semantic_inpaint.training.export import export_encoder

    prior = load_prior(options.prior, precision=recipe.precision)
    losses = "loss {loss:.4f}".format_map
    title = f"encoder of {prior.name}"
    with training_report(console, options.out, title=title, losses=losses) as tell:

        def report(state: Report) -> None:
            tell(state)
            _tell_validation(console, state)

        result = train_encoder(
            recipe,
            prior,
            data,
            options.out,
            report=report,
            save_interval=options.save_interval,
            max_steps=options.max_steps,
            clock=time.perf_counter,
            validate=_validation(options, packed, prior),
            start_from=options.start_from,
        )
    folders = [options.out / "encoder"]
    folders += [prior.folder] if options.install else []
    words = {"data_note": options.data_note, "licence": options.licence}
    return [export_encoder(result, data, folder, **words) for folder in folders]


def _validation(
    options: EncoderOptions, packed: PackedImages, prior: GenerativePrior
) -> Callable[[LatentEncoder], dict[str, float]] | None:
    """Measure blended images of partition 1 in the hole, if it is there and unused."""
    from semantic_inpaint.inpainters import EncoderInpainter
    from semantic_inpaint.masks import make_known
    from semantic_inpaint.metrics import mean_squared_error, psnr_from_mse
    from semantic_inpaint.problem import InpaintingProblem

    rows = np.flatnonzero(packed.partitions == VALIDATION_PARTITION)
    rows = rows[: options.validation_images]
    if not rows.size or VALIDATION_PARTITION in options.partitions:
        return None
    images = packed.images[rows].astype(np.float32) / np.float32(255)
    problems = {
        pattern: InpaintingProblem(images, make_known(pattern, *images.shape[:3]))
        for pattern in VALIDATION_PATTERNS
    }

    def validate(encoder: LatentEncoder) -> dict[str, float]:
        inpainter = EncoderInpainter(prior, encoder)
        found = {}
        for pattern, problem in problems.items():
            completed = inpainter.inpaint(problem).completed
            errors = mean_squared_error(completed, images, problem.hole)
            found[MEASURE + pattern] = float(psnr_from_mse(errors.mean()))
        return found

    return validate


def _tell_validation(console: Console, state: Report) -> None:
    found = [
        f"{name.removeprefix(MEASURE)} {value:.2f} dB"
        for name, value in state.scalars.items()
        if name.startswith(MEASURE)
    ]
    if found:
        console.print(f"step {state.step}: PSNR in the hole: {', '.join(found)}")
