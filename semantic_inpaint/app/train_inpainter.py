"""Train a feed-forward inpainter: what `pipelines/train_inpainter.py` runs."""

from __future__ import annotations

import dataclasses
import functools
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import tyro
from rich.console import Console

from semantic_inpaint.app.quiet import load_backend
from semantic_inpaint.app.training import (
    open_training_data,
    run_training,
    training_report,
)

if TYPE_CHECKING:
    import keras

    from semantic_inpaint.datasets import PackedImages
    from semantic_inpaint.datasets.landmarks import Landmarks
    from semantic_inpaint.training.inpainting import Spread
    from semantic_inpaint.training.inpainting_recipes import InpaintingRecipe
    from semantic_inpaint.training.loop import TrainingData
    from semantic_inpaint.training.steps import Report

VALIDATION_PARTITION = 1
VALIDATION_PATTERNS = ("center", "left")
MEASURE = "validation_psnr_"
OVERRIDES = (
    "num_images",
    "batch_size",
    "learning_rate",
    "holes",
    "flip",
    "precision",
    "seed",
)
# As many scalars stand behind the progress bar.
SHOWN = 4


@dataclasses.dataclass(frozen=True)
class InpainterOptions:
    """Train an inpainter; start it again with the same words to go on where it stopped.

    Words without a default of their own take the recipe's.
    """

    recipe: tyro.conf.Positional[str]
    """pconv, conv, gated, iconv, pconv-gan, or another of training/inpainting_table.py;
    tiny for a first try."""
    data: Path
    """Folder that prepare_data.py made."""
    out: Path
    """Folder of the run: state, TensorBoard events, sheets, and at the end the network
    with its card, in the subfolder network."""
    partitions: tuple[int, ...] = (0, 2)
    """Partitions to train on (CelebA: 0 training, 1 validation, 2 test). A set without
    partitions is used whole."""
    validation_images: int = 256
    """So many images of partition 1, where it is not trained on, are measured at every
    state on disk; 0: none."""
    landmarks: Path | None = None
    """Landmarks of the faces, for recipes that use them: CelebA's
    list_landmarks_align_celeba.txt, or an array [N, 2 L] or [N, L, 2] in [0, 1] as
    .npy, in the order of the set; FDF's landmarks.npy, and other sets whose files are
    called by plain numbers, in the order of the numbers."""
    num_images: int | None = None
    """Training images to see in all."""
    batch_size: int | None = None
    learning_rate: float | None = None
    holes: str | None = None
    """mixed, freeform, two-rectangles, or a pattern such as center."""
    flip: bool | None = None
    """Mirror images at random."""
    precision: str | None = None
    """auto, float32 or bfloat16."""
    seed: int | None = None
    devices: tuple[str, ...] = ()
    """Several devices that share each batch, such as gpu:0 gpu:1; on the JAX backend.
    Default: one, a GPU where there is one."""
    max_steps: int | None = None
    """Stop after this many steps in all, to go on later."""
    save_interval: int = 500
    """Steps between states on disk, between sheets, and between validations."""
    data_note: str = ""
    """For the card: what the images are."""
    licence: str = ""
    """For the card: what the weights may be used for."""

    def overrides(self) -> dict[str, int | float | str]:
        """Return the fields of the recipe that were given."""
        given = {name: getattr(self, name) for name in OVERRIDES}
        return {name: value for name, value in given.items() if value is not None}


def main(argv: Sequence[str] | None = None) -> int:
    """Parse the words, train, and say where the network is.

    Returns:
        0, or 2 after bad input or a loss that is no longer finite, which is named in
        one line on stderr.
    """
    options = tyro.cli(
        InpainterOptions,
        description="Train a network that fills holes in one pass.",
        args=None if argv is None else list(argv),
    )
    return run_training(lambda console: [train(options, console)], "network")


def train(options: InpainterOptions, console: Console) -> Path:
    """Train, or go on training, what `options` asks for.

    Returns:
        The folder of the network.

    Raises:
        ValueError: Bad input, or `options.out` holds another run.
        OSError: A file could not be read or written.
        FloatingPointError: A loss is no longer finite.
    """
    load_backend()
    from semantic_inpaint.training.inpainting import SHEET_COLUMNS, train_inpainter
    from semantic_inpaint.training.inpainting_export import export_inpainter
    from semantic_inpaint.training.inpainting_table import (
        get_inpainting_recipe,
        make_trainer,
    )

    recipe = get_inpainting_recipe(options.recipe)
    recipe = dataclasses.replace(recipe, **options.overrides())
    packed, data = open_training_data(options.data, options.partitions)
    recipe, landmarks = _with_landmarks(options, packed, recipe)
    with training_report(
        console,
        options.out,
        title=options.recipe,
        losses=_shown,
        columns=2 * SHEET_COLUMNS,
    ) as tell:

        def report(state: Report) -> None:
            tell(state)
            _tell_validation(console, state)

        result = train_inpainter(
            make_trainer(recipe),
            data,
            options.out,
            landmarks=landmarks,
            spread=_spread(options, recipe),
            report=report,
            save_interval=options.save_interval,
            max_steps=options.max_steps,
            clock=time.perf_counter,
            validate=_validation(options, packed, recipe, data, landmarks),
        )
    return export_inpainter(
        result,
        data,
        options.out / "network",
        landmarks=landmarks,
        data_note=options.data_note,
        licence=options.licence,
    )


def _with_landmarks(
    options: InpainterOptions, packed: PackedImages, recipe: InpaintingRecipe
) -> tuple[InpaintingRecipe, Landmarks | None]:
    """Read the landmarks, if any, and tell the recipe how many they are."""
    from semantic_inpaint.datasets.landmarks import load_landmarks

    if options.landmarks is None:
        return recipe, None
    if "num_landmarks" not in {field.name for field in dataclasses.fields(recipe)}:
        raise ValueError(
            f"--landmarks is for recipes with a pose, and {options.recipe!r} has none; "
            "use one of iconv, or leave it out."
        )
    landmarks = load_landmarks(options.landmarks, packed.ids)
    count = landmarks.points.shape[1] // 2
    return dataclasses.replace(recipe, num_landmarks=count), landmarks


def _spread(options: InpainterOptions, recipe: InpaintingRecipe) -> Spread | None:
    from semantic_inpaint.training.inpainting_devices import spread_over

    if not options.devices:
        return None
    return spread_over(options.devices, recipe.batch_size)


def _validation(
    options: InpainterOptions,
    packed: PackedImages,
    recipe: InpaintingRecipe,
    data: TrainingData,
    landmarks: Landmarks | None,
) -> Callable[[keras.Model], dict[str, float]] | None:
    """Measure composites of partition 1 in the hole, if it is there and unused."""
    from semantic_inpaint.inpainters.feedforward import FeedForwardInpainter
    from semantic_inpaint.masks import make_known
    from semantic_inpaint.metrics import mean_squared_error, psnr_from_mse
    from semantic_inpaint.models.inpainting_networks import describe_network
    from semantic_inpaint.problem import InpaintingProblem
    from semantic_inpaint.training.inpainting_table import network_facts, network_of

    rows = np.flatnonzero(packed.partitions == VALIDATION_PARTITION)
    rows = rows[: options.validation_images]
    if not rows.size or VALIDATION_PARTITION in options.partitions:
        return None
    images = packed.images[rows].astype(np.float32) / np.float32(255)
    problems = {
        pattern: InpaintingProblem(images, make_known(pattern, *images.shape[:3]))
        for pattern in VALIDATION_PATTERNS
    }
    kind, architecture = network_of(recipe)
    card = {
        "network": kind,
        "architecture": architecture,
        **network_facts(recipe, data, landmarks),
    }

    # The trainer hands out one model again and again: it is compiled once.
    @functools.lru_cache(maxsize=1)
    def inpainter_of(model: keras.Model) -> FeedForwardInpainter:
        return FeedForwardInpainter(describe_network(model, card))

    def validate(model: keras.Model) -> dict[str, float]:
        found = {}
        for pattern, problem in problems.items():
            completed = inpainter_of(model).inpaint(problem).completed
            errors = mean_squared_error(completed, images, problem.hole)
            found[MEASURE + pattern] = float(psnr_from_mse(errors.mean()))
        return found

    return validate


def _shown(scalars: dict[str, float]) -> str:
    losses = [
        f"{name} {value:.4f}"
        for name, value in scalars.items()
        if not name.startswith(MEASURE)
    ]
    return "  ".join(losses[:SHOWN])


def _tell_validation(console: Console, state: Report) -> None:
    found = [
        f"{name.removeprefix(MEASURE)} {value:.2f} dB"
        for name, value in state.scalars.items()
        if name.startswith(MEASURE)
    ]
    if found:
        console.print(f"step {state.step}: PSNR in the hole: {', '.join(found)}")
