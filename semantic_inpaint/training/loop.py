"""The training of a prior: what it is trained on, and in which order."""

from __future__ import annotations

import dataclasses
import hashlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from keras import ops

from semantic_inpaint.training.diversity import CollapseWatch
from semantic_inpaint.training.gan import GanTrainer, State
from semantic_inpaint.training.recipes import PriorRecipe
from semantic_inpaint.training.steps import Procedure, Report, begin_run, run_steps

# Streams of random numbers drawn from the recipe's seed.
ORDER, STEP, GRID = 0, 1, 2

# Real images that the diversity of samples is measured against.
COMPARED_FACES = 256


@dataclasses.dataclass(frozen=True)
class TrainingData:
    """Images to train on.

    Attributes:
        images: uint8 `[N, H, W, 3]`, an array or a memory map.
        indices: Rows of `images` to use.
        sha256: Hash of the packed set that they come from.
        partitions: Those that the rows are in; -1 where the set has none.
    """

    images: np.ndarray
    indices: np.ndarray
    sha256: str
    partitions: tuple[int, ...]

    @property
    def rows_sha256(self) -> str:
        """Hash of the rows, as little-endian int64."""
        rows = np.ascontiguousarray(self.indices, dtype="<i8")
        return hashlib.sha256(rows.data).hexdigest()

    @property
    def hashes(self) -> dict[str, str]:
        """What a run on the data is bound to, as `save_state` takes it."""
        return {"data_sha256": self.sha256, "rows_sha256": self.rows_sha256}


@dataclasses.dataclass(frozen=True)
class TrainingResult:
    """The end of a run.

    Attributes:
        trainer: The networks.
        state: Everything that was trained, the moving average included.
        step: Steps done.
        seconds: Time in the loop up to the last state on disk, over all resumptions;
            0 where no clock was given.
        history: Earlier legs with other recipes; see `SavedRun`.
    """

    trainer: GanTrainer
    state: State
    step: int
    seconds: float
    history: tuple[dict[str, Any], ...] = ()


def train_prior(
    recipe: PriorRecipe,
    data: TrainingData,
    folder: Path,
    *,
    report: Callable[[Report], None] | None = None,
    report_interval: int = 50,
    save_interval: int = 500,
    max_steps: int | None = None,
    clock: Callable[[], float] | None = None,
    go_on_from: Path | None = None,
) -> TrainingResult:
    """Train, or go on training, a prior.

    The run stops and goes on at the exact step: order, flips and codes of step t
    are functions of the seed and t alone, all else is in the state.

    Args:
        recipe: What to train and how.
        data: What to train on.
        folder: Where the state is kept.
        report: Called every `report_interval` steps.
        report_interval: Steps between reports, and between checks for divergence.
        save_interval: Steps between states on disk, and between sample grids.
        max_steps: Stop after this many steps in all, sooner than the recipe says.
        clock: Seconds from any start, to measure the training with.
        go_on_from: Folder of a run with another recipe, to begin at its state and
            step where `folder` is new; see `adopt_state`.

    Returns:
        The networks and the final state.

    Raises:
        ValueError: The data does not fit the recipe, the folder holds another run or
            another process works in it, or a number of steps is not positive.
        FloatingPointError: A loss or a weight is no longer finite; the last good
            state, if there is one, stays.
        CollapseError: The samples have become alike; the state before stays.
    """
    check_data(data, image_size=recipe.image_size, batch_size=recipe.batch_size)
    trainer = GanTrainer(recipe)

    def step(state: State, step: int, rate: float) -> tuple[State, dict]:
        images, codes = draw_batch(recipe, data, step)
        return trainer.step(state, images, codes, step, learning_rate=rate)

    watch = CollapseWatch(data.images[data.indices[:COMPARED_FACES]] / 127.5 - 1.0)

    def look(state: State) -> tuple[np.ndarray, dict[str, float]]:
        grid = sample_grid(trainer, state)
        return grid, {"diversity": watch.measure(grid)}

    procedure = Procedure(
        recipe=recipe,
        num_steps=recipe.num_steps(len(data.indices)),
        identity=data.hashes,
        start=lambda: begin_run(trainer.initial_state(), go_on_from),
        step=step,
        look=look,
    )
    run = run_steps(
        procedure,
        folder,
        report=report,
        report_interval=report_interval,
        save_interval=save_interval,
        max_steps=max_steps,
        clock=clock,
    )
    return TrainingResult(trainer, *run)


def draw_batch(
    recipe: PriorRecipe, data: TrainingData, step: int
) -> tuple[np.ndarray, np.ndarray]:
    """Images and codes of one step, whatever happened before it.

    Returns:
        uint8 `[B, H, W, 3]` and float32 `[B, latent_dim]` in [-1, 1].
    """
    rng = np.random.default_rng([recipe.seed, STEP, step])
    shape = (recipe.batch_size, recipe.latent_dim)
    codes = rng.uniform(-1.0, 1.0, shape).astype(np.float32)
    images = draw_images(data, step, batch_size=len(codes), seed=recipe.seed)
    return flip_images(images, rng) if recipe.flip else images, codes


def draw_images(
    data: TrainingData, step: int, *, batch_size: int, seed: int
) -> np.ndarray:
    """Images of one step: a new order in every pass through the data.

    Returns:
        uint8 `[B, H, W, 3]`.
    """
    places = np.arange(step * batch_size, (step + 1) * batch_size)
    epochs, offsets = np.divmod(places, len(data.indices))
    rows = np.concatenate(
        [
            data.indices[_epoch_order(seed, epoch, len(data.indices))][
                offsets[epochs == epoch]
            ]
            for epoch in np.unique(epochs)
        ]
    )
    return np.asarray(data.images[rows])


def flip_images(images: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Mirror each of the images with probability 1/2."""
    mirrored = rng.random(len(images)) < 0.5
    return np.where(mirrored[:, None, None, None], images[:, :, ::-1], images)


def sample_grid(trainer: GanTrainer, state: State, *, count: int = 64) -> np.ndarray:
    """Samples of the moving average for codes that stay the same during a run.

    Returns:
        float32 `[count, H, W, 3]` in [-1, 1].
    """
    recipe = trainer.recipe
    rng = np.random.default_rng([recipe.seed, GRID])
    codes = rng.uniform(-1.0, 1.0, (count, recipe.latent_dim)).astype(np.float32)
    images = trainer.sample(state["average"], state["average_stats"], codes)
    return ops.convert_to_numpy(images)


def _epoch_order(seed: int, epoch: int, count: int) -> np.ndarray:
    return np.random.default_rng([seed, ORDER, int(epoch)]).permutation(count)


def check_data(data: TrainingData, *, image_size: int, batch_size: int) -> None:
    """Check that images can be trained on.

    Raises:
        ValueError: They are of another size or kind, or fewer than a batch.
    """
    side = image_size
    if data.images.dtype != np.uint8 or data.images.shape[1:] != (side, side, 3):
        raise ValueError(
            f"the recipe needs uint8 images [N, {side}, {side}, 3]; the data is "
            f"{data.images.dtype} {data.images.shape}. Pack it with --size {side}."
        )
    if len(data.indices) < batch_size:
        raise ValueError(
            f"{len(data.indices)} training images, fewer than one batch of "
            f"{batch_size}; add images or lower `batch_size`."
        )
