"""Training a feed-forward inpainter: the loop that all of them share."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, NamedTuple, Protocol

import keras
import numpy as np
from keras import ops

from semantic_inpaint import backend
from semantic_inpaint.datasets.landmarks import Landmarks, mirror_landmarks
from semantic_inpaint.models.checkpoints import file_sha256
from semantic_inpaint.training.ahead import Ahead
from semantic_inpaint.training.descent import State
from semantic_inpaint.training.holes import training_holes
from semantic_inpaint.training.inpainting_recipes import InpaintingRecipe
from semantic_inpaint.training.inpainting_start import begin_inpainting
from semantic_inpaint.training.loop import (
    TrainingData,
    check_data,
    draw_images,
)
from semantic_inpaint.training.steps import Procedure, Report, run_steps

# Stream of random numbers drawn from the recipe's seed, beside those of the loop.
BATCH = 13
SHEET_IMAGES = 16
SHEET_COLUMNS = 3


class InpaintingBatch(NamedTuple):
    """What one step sees.

    Attributes:
        images: uint8 `[B, H, W, 3]`.
        known: bool `[B, H, W]`, True where a pixel is observed.
        codes: float32 `[B, K]`, standard normal; K is the recipe's `latent_dim`.
        landmarks: float32 `[B, 2 L]`, x and y of each point as shares of the side; L
            is the recipe's `num_landmarks`.
    """

    images: np.ndarray
    known: np.ndarray
    codes: np.ndarray
    landmarks: np.ndarray


Spread = Callable[[InpaintingBatch], InpaintingBatch]


class InpaintingTrainer(Protocol):
    """What the loop asks of a paper's trainer.

    Attributes:
        recipe: What is trained.
        precision: What the recipe's word came to: `"float32"` or `"bfloat16"`.
    """

    recipe: InpaintingRecipe
    precision: str

    def initial_state(self) -> State:
        """Return the state before the first step."""
        ...

    def step(
        self, state: State, batch: InpaintingBatch, step: int, *, learning_rate: float
    ) -> tuple[State, dict]:
        """Update the networks once; scalars stay on the device."""
        ...

    def generator(self, state: State) -> keras.Model:
        """Return the moving average, until it is asked for anew."""
        ...

    def inputs(self, images: np.ndarray, known: np.ndarray, seed: int) -> list:
        """Return what the generator is called with, of images in [-1, 1]."""
        ...


@dataclasses.dataclass(frozen=True)
class InpaintingTraining:
    """The end of a run.

    Attributes:
        trainer: The networks.
        state: Everything that was trained, the moving average included.
        step: Steps done.
        seconds: Time in the loop up to the last state on disk, over all resumptions;
            0 where no clock was given.
        history: Earlier legs with other recipes; see `SavedRun`.
    """

    trainer: InpaintingTrainer
    state: State
    step: int
    seconds: float
    history: tuple[dict[str, Any], ...] = ()


def train_inpainter(
    trainer: InpaintingTrainer,
    data: TrainingData,
    folder: Path,
    *,
    landmarks: Landmarks | None = None,
    spread: Spread | None = None,
    report: Callable[[Report], None] | None = None,
    report_interval: int = 50,
    save_interval: int = 500,
    max_steps: int | None = None,
    clock: Callable[[], float] | None = None,
    validate: Callable[[keras.Model], dict[str, float]] | None = None,
    go_on_from: Path | None = None,
) -> InpaintingTraining:
    """Train, or go on training, a feed-forward inpainter.

    The run stops and goes on at the exact step, as `train_prior` does: images, flips,
    holes and codes of a step are functions of the seed and the step alone. It goes on
    with the precision, the backend and the files that it began with, or not at all.

    Args:
        trainer: Of a recipe; see `inpainting_table.make_trainer`.
        data: What to train on.
        folder: Where the state is kept.
        landmarks: Of all images of the packed set, where the recipe asks for some.
        spread: Places a batch on several devices; see `inpainting_devices`.
        report: Called every `report_interval` steps.
        report_interval: Steps between reports, and between checks for divergence.
        save_interval: Steps between states on disk, between sheets, and between
            validations.
        max_steps: Stop after this many steps in all, sooner than the recipe says.
        clock: Seconds from any start, to measure the training with.
        validate: Measures the moving average; what it returns is reported.
        go_on_from: A run with another recipe, or a network, to begin with where
            `folder` is new; see `begin_inpainting`.

    Returns:
        The networks and the final state.

    Raises:
        ValueError: The data does not fit the recipe, the folder holds another run or
            another process works in it, or a number of steps is not positive.
        FloatingPointError: A loss or a weight is no longer finite; the last good
            state, if there is one, stays.
    """
    recipe = trainer.recipe
    check_data(data, image_size=recipe.image_size, batch_size=recipe.batch_size)
    _check_landmarks(recipe, data, landmarks)

    def draw(step: int) -> InpaintingBatch:
        batch = draw_inpainting_batch(recipe, data, step, landmarks=landmarks)
        return batch if spread is None else spread(batch)

    identity = _identity(trainer, data, landmarks)
    with ThreadPoolExecutor(1) as thread:
        batches = Ahead(draw, thread)
        run = run_steps(
            _procedure(trainer, data, go_on_from, batches, identity, validate),
            folder,
            report=report,
            report_interval=report_interval,
            save_interval=save_interval,
            max_steps=max_steps,
            clock=clock,
        )
    return InpaintingTraining(trainer, *run)


def _identity(
    trainer: InpaintingTrainer, data: TrainingData, landmarks: Landmarks | None
) -> dict[str, Any]:
    """Return what a run is bound to beside its recipe, as `save_state` takes it."""
    recipe = trainer.recipe
    files = {name: file_sha256(path) for name, path in recipe.files().items()}
    bound = {"precision": trainer.precision, "backend": backend.name(), **files}
    identity = {**data.hashes, "bound": bound}
    if recipe.num_landmarks:
        identity["data_sha256"] += f"+{landmarks.sha256}"
    return identity


def _procedure(
    trainer: InpaintingTrainer,
    data: TrainingData,
    go_on_from: Path | None,
    batches: Ahead[InpaintingBatch],
    identity: dict[str, Any],
    validate: Callable[[keras.Model], dict[str, float]] | None,
) -> Procedure:
    """Describe the training to the loop."""

    def step(state: State, step: int, rate: float) -> tuple[State, dict]:
        return trainer.step(state, batches.take(step), step, learning_rate=rate)

    def look(state: State) -> tuple[np.ndarray, dict[str, float]]:
        network = trainer.generator(state)
        sheet = inpainting_sheet(trainer, network, data)
        return sheet, {} if validate is None else validate(network)

    return Procedure(
        recipe=trainer.recipe,
        num_steps=trainer.recipe.num_steps,
        identity=identity,
        start=lambda: begin_inpainting(
            trainer.recipe, trainer.initial_state(), go_on_from
        ),
        step=step,
        look=look,
    )


def draw_inpainting_batch(
    recipe: InpaintingRecipe,
    data: TrainingData,
    step: int,
    *,
    landmarks: Landmarks | None = None,
) -> InpaintingBatch:
    """Everything that one step sees, whatever happened before it."""
    size, seed = recipe.batch_size, recipe.seed
    images = draw_images(data, step, batch_size=size, seed=seed)
    points = np.zeros((size, 2 * recipe.num_landmarks), np.float32)
    if recipe.num_landmarks:
        # The same rows, since the order is a function of seed and step.
        rows = dataclasses.replace(data, images=landmarks.points)
        points = draw_images(rows, step, batch_size=size, seed=seed)
    rng = np.random.default_rng([seed, BATCH, step])
    codes = rng.standard_normal((size, recipe.latent_dim), np.float32)
    if recipe.flip:
        mirrored = rng.random(size) < 0.5
        images = np.where(mirrored[:, None, None, None], images[:, :, ::-1], images)
        if recipe.num_landmarks:
            swapped = mirror_landmarks(points)
            points = np.where(mirrored[:, None], swapped, points)
    known = training_holes(
        size, images.shape[1], seed=seed, step=step, holes=recipe.holes
    )
    return InpaintingBatch(images, known, codes, points)


def inpainting_sheet(
    trainer: InpaintingTrainer,
    network: keras.Model,
    data: TrainingData,
    *,
    count: int = SHEET_IMAGES,
) -> np.ndarray:
    """Masked images, each followed by what the network makes and the composite.

    Returns:
        float32 `[SHEET_COLUMNS * count, H, W, 3]` in [-1, 1], or fewer where there
        are fewer images; the same images and holes for every state.
    """
    recipe = trainer.recipe
    images = np.asarray(data.images[data.indices[:count]])
    images = images.astype(np.float32) / np.float32(127.5) - np.float32(1.0)
    known = training_holes(
        len(images), images.shape[1], seed=recipe.seed, step=0, holes=recipe.holes
    )
    masked = np.where(known[..., None], images, np.float32(0.0))
    inputs = trainer.inputs(masked, known, recipe.seed)
    made = ops.convert_to_numpy(network(inputs, training=False))
    composite = np.where(known[..., None], images, made)
    pictures = np.stack([masked, made, composite], axis=1)
    return np.clip(pictures, -1.0, 1.0).reshape(-1, *images.shape[1:])


def _check_landmarks(
    recipe: InpaintingRecipe, data: TrainingData, landmarks: Landmarks | None
) -> None:
    if not recipe.num_landmarks:
        return
    expected = (len(data.images), 2 * recipe.num_landmarks)
    found = None if landmarks is None else landmarks.points.shape
    if found != expected:
        raise ValueError(
            f"the recipe needs {recipe.num_landmarks} landmarks of every image, "
            f"{list(expected)}; got {found and list(found)}. Name their file with "
            "--landmarks, or set `num_landmarks` to 0."
        )
