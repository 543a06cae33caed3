"""The training loop of a prior: data order, resume, checks, reports."""

from __future__ import annotations

import dataclasses
import hashlib
from collections.abc import Callable, Mapping
from pathlib import Path

import numpy as np
from keras import ops

from semantic_inpaint.datasets.lock import locked_folder
from semantic_inpaint.training.gan import GanTrainer, State
from semantic_inpaint.training.recipes import PriorRecipe
from semantic_inpaint.training.state import SavedRun, load_state, save_state

# Streams of random numbers drawn from the recipe's seed.
ORDER, STEP, GRID = 0, 1, 2


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


@dataclasses.dataclass(frozen=True)
class Report:
    """What a run tells while it goes on.

    Attributes:
        step: Steps done.
        num_steps: Steps in all.
        scalars: Losses and logits, means since the last report.
        grid: Sample images `[N, H, W, 3]` in [-1, 1] of the moving average, or None.
    """

    step: int
    num_steps: int
    scalars: dict[str, float]
    grid: np.ndarray | None


@dataclasses.dataclass(frozen=True)
class TrainingResult:
    """The end of a run.

    Attributes:
        trainer: The networks.
        state: Everything that was trained, the moving average included.
        step: Steps done.
        seconds: Time in the loop up to the last state on disk, over all resumptions;
            0 where no clock was given.
    """

    trainer: GanTrainer
    state: State
    step: int
    seconds: float


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

    Returns:
        The networks and the final state.

    Raises:
        ValueError: The data does not fit the recipe, the folder holds another run or
            another process works in it, or a number of steps is not positive.
        FloatingPointError: A loss or a weight is no longer finite; the last good
            state, if there is one, stays.
    """
    _check_data(recipe, data)
    _check_positive(
        report_interval=report_interval,
        save_interval=save_interval,
        max_steps=1 if max_steps is None else max_steps,
    )
    with locked_folder(folder):
        return _go_on(
            recipe,
            data,
            folder,
            report=report,
            report_interval=report_interval,
            save_interval=save_interval,
            max_steps=max_steps,
            clock=clock or (lambda: 0.0),
        )


def _go_on(
    recipe: PriorRecipe,
    data: TrainingData,
    folder: Path,
    *,
    report: Callable[[Report], None] | None,
    report_interval: int,
    save_interval: int,
    max_steps: int | None,
    clock: Callable[[], float],
) -> TrainingResult:
    """Train from the state in `folder`, or from the start, to the last step."""
    trainer = GanTrainer(recipe)
    state = trainer.initial_state()
    hashes = {"data_sha256": data.sha256, "rows_sha256": data.rows_sha256}
    found = load_state(folder, state, recipe=recipe, **hashes)
    last_good = None if found is None else folder
    state, step, seconds = found or SavedRun(state, 0, 0.0)
    started = clock() - seconds
    num_steps = recipe.num_steps(len(data.indices))
    last_step = num_steps if max_steps is None else min(max_steps, num_steps)
    pending: list[dict] = []

    while step < last_step:
        images, codes = draw_batch(recipe, data, step)
        rate = recipe.learning_rate_at(step, num_steps)
        state, scalars = trainer.step(state, images, codes, step, learning_rate=rate)
        pending.append(scalars)
        step += 1

        # Scalars are read back here only; nothing bad is ever saved.
        at_end = step == last_step
        save = step % save_interval == 0 or at_end
        if save or step % report_interval == 0:
            means = _mean_scalars(pending)
            pending = []
            # The losses are those of the weights before the step.
            _check_finite({**means, **(state if save else {})}, step, last_good)
            if report is not None:
                grid = sample_grid(trainer, state) if save else None
                report(Report(step, num_steps, means, grid))
        if save:
            seconds = clock() - started
            run = SavedRun(state, step, seconds)
            save_state(folder, run, recipe=recipe, **hashes)
            last_good = folder

    return TrainingResult(trainer, state, step, seconds)


def draw_batch(
    recipe: PriorRecipe, data: TrainingData, step: int
) -> tuple[np.ndarray, np.ndarray]:
    """Images and codes of one step, whatever happened before it.

    Returns:
        uint8 `[B, H, W, 3]` and float32 `[B, latent_dim]` in [-1, 1].
    """
    size = recipe.batch_size
    places = np.arange(step * size, (step + 1) * size)
    epochs, offsets = np.divmod(places, len(data.indices))
    rows = np.concatenate(
        [
            data.indices[_epoch_order(recipe.seed, epoch, len(data.indices))][
                offsets[epochs == epoch]
            ]
            for epoch in np.unique(epochs)
        ]
    )
    images = np.asarray(data.images[rows])
    rng = np.random.default_rng([recipe.seed, STEP, step])
    codes = rng.uniform(-1.0, 1.0, (size, recipe.latent_dim)).astype(np.float32)
    if recipe.flip:
        mirrored = rng.random(size) < 0.5
        images = np.where(mirrored[:, None, None, None], images[:, :, ::-1], images)
    return images, codes


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


def _mean_scalars(pending: list[dict]) -> dict[str, float]:
    names = {name for scalars in pending for name in scalars}
    return {
        name: float(np.mean([float(s[name]) for s in pending if name in s]))
        for name in sorted(names)
    }


def _check_positive(**numbers: int) -> None:
    for name, number in numbers.items():
        if number < 1:
            raise ValueError(f"`{name}` must be 1 or more; got {number}.")


def _check_finite(
    values: Mapping[str, float | list], step: int, last_good: Path | None
) -> None:
    """Raise where a number, or a group of tensors, has NaN or infinity."""
    bad = [
        name
        for name, value in values.items()
        if not all(
            bool(ops.all(ops.isfinite(v)))
            for v in (value if isinstance(value, list) else [value])
        )
    ]
    if bad:
        kept = (
            "no state was saved before"
            if last_good is None
            else f"the last good state is in {last_good}"
        )
        raise FloatingPointError(
            f"{', '.join(bad)} no longer finite at step {step}; {kept}. Lower the "
            "learning rate, or use precision='float32'."
        )


def _check_data(recipe: PriorRecipe, data: TrainingData) -> None:
    side = recipe.image_size
    if data.images.dtype != np.uint8 or data.images.shape[1:] != (side, side, 3):
        raise ValueError(
            f"the recipe needs uint8 images [N, {side}, {side}, 3]; the data is "
            f"{data.images.dtype} {data.images.shape}. Pack it with --size {side}."
        )
    if len(data.indices) < recipe.batch_size:
        raise ValueError(
            f"{len(data.indices)} training images, fewer than one batch of "
            f"{recipe.batch_size}; add images or lower `batch_size`."
        )
