"""The loop of every training: resume, checks, reports, states on disk."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Protocol

import numpy as np
from keras import ops

from semantic_inpaint.datasets.lock import locked_folder
from semantic_inpaint.training.gan import State
from semantic_inpaint.training.state import (
    Recipe,
    SavedRun,
    adopt_state,
    load_state,
    save_state,
)


@dataclasses.dataclass(frozen=True)
class Report:
    """What a run tells while it goes on.

    Attributes:
        step: Steps done.
        num_steps: Steps in all.
        scalars: Losses and the like, means since the last report.
        grid: Sample images `[N, H, W, 3]` in [-1, 1] of the moving average, or None.
    """

    step: int
    num_steps: int
    scalars: dict[str, float]
    grid: np.ndarray | None


class TimedRecipe(Recipe, Protocol):
    """What the loop asks of a recipe."""

    def learning_rate_at(self, step: int, num_steps: int) -> float:
        """Learning rate of the step after `step` steps of `num_steps`."""
        ...


@dataclasses.dataclass(frozen=True)
class Procedure:
    """A training, as the loop sees it.

    Attributes:
        recipe: What is trained with.
        num_steps: Steps in all.
        identity: Hashes of the data, and what else a run is bound to; as `save_state`
            takes them.
        start: Makes the run before its first step: a fresh one, or one taken over.
        step: From the state, the number of steps done and the learning rate to the new
            state and scalar tensors; a function of these three alone.
        look: From a state that is about to be saved to sample images and measures;
            raises `ArithmeticError` where the state is not worth saving.
    """

    recipe: TimedRecipe
    num_steps: int
    identity: Mapping[str, Any]
    start: Callable[[], SavedRun]
    step: Callable[[State, int, float], tuple[State, dict]]
    look: Callable[[State], tuple[np.ndarray, dict[str, float]]]


def begin_run(fresh: State, go_on_from: Path | None = None) -> SavedRun:
    """Return what a new run begins with: a fresh state, or where another run came to.

    Args:
        fresh: The state before the first step.
        go_on_from: Folder of a run with another recipe; see `adopt_state`.

    Raises:
        ValueError: There is no such run, it is damaged, or its networks are others.
    """
    if go_on_from is None:
        return SavedRun(fresh, 0, 0.0)
    return adopt_state(go_on_from, fresh)


def run_steps(
    procedure: Procedure,
    folder: Path,
    *,
    report: Callable[[Report], None] | None,
    report_interval: int,
    save_interval: int,
    max_steps: int | None,
    clock: Callable[[], float] | None,
) -> SavedRun:
    """Train from the state in `folder`, or from the start, to the last step.

    Args:
        procedure: What to do.
        folder: Where the state is kept; locked meanwhile.
        report: Called every `report_interval` steps.
        report_interval: Steps between reports, and between checks for divergence.
        save_interval: Steps between states on disk, and between looks at them.
        max_steps: Stop after this many steps in all, sooner than the procedure says.
        clock: Seconds from any start, to measure the training with.

    Returns:
        The final state.

    Raises:
        ValueError: The folder holds another run, another process works in it, or a
            number of steps is not positive.
        ArithmeticError: A loss or a weight is no longer finite, or `look` refuses the
            state; the last good state, if there is one, stays.
    """
    _check_positive(
        report_interval=report_interval,
        save_interval=save_interval,
        max_steps=1 if max_steps is None else max_steps,
    )
    num_steps = procedure.num_steps
    with locked_folder(folder):
        return _go_on(
            procedure,
            folder,
            last_step=num_steps if max_steps is None else min(max_steps, num_steps),
            report=report,
            report_interval=report_interval,
            save_interval=save_interval,
            clock=clock or (lambda: 0.0),
        )


def _go_on(
    procedure: Procedure,
    folder: Path,
    *,
    last_step: int,
    report: Callable[[Report], None] | None,
    report_interval: int,
    save_interval: int,
    clock: Callable[[], float],
) -> SavedRun:
    recipe, num_steps = procedure.recipe, procedure.num_steps
    fresh = procedure.start()
    found = load_state(folder, fresh.state, recipe=recipe, **procedure.identity)
    last_good = None if found is None else folder
    state, step, seconds, history = found or fresh
    started = clock() - seconds
    pending: list[dict] = []

    while step < last_step:
        rate = recipe.learning_rate_at(step, num_steps)
        state, scalars = procedure.step(state, step, rate)
        pending.append(scalars)
        step += 1

        # Scalars are read back here only; nothing bad is ever saved.
        save = step % save_interval == 0 or step == last_step
        if save or step % report_interval == 0:
            means = _mean_scalars(pending)
            pending = []
            # The losses are those of the weights before the step.
            _check_finite({**means, **(state if save else {})}, step, last_good)
            grid, measures = procedure.look(state) if save else (None, {})
            if report is not None:
                report(Report(step, num_steps, {**means, **measures}, grid))
        if save:
            seconds = clock() - started
            run = SavedRun(state, step, seconds, history)
            save_state(folder, run, recipe=recipe, **procedure.identity)
            last_good = folder

    return SavedRun(state, step, seconds, history)


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
