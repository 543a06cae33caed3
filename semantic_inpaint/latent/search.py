"""GAN inversion: search the codes whose images fit their targets."""

from __future__ import annotations

import dataclasses
import functools
from collections.abc import Callable
from typing import NamedTuple

import numpy as np
from keras import ops

from semantic_inpaint import backend
from semantic_inpaint.adam import AdamMoments, adam_start, adam_update
from semantic_inpaint.backend import Tensor
from semantic_inpaint.latent.objective import Objective, SearchTarget
from semantic_inpaint.latent.schedule import SCHEDULES, learning_rate_at

# A search has converged if its best loss fell, and over the last tenth of the steps by
# less than this share of the whole fall. A falling learning rate ends this way too.
TOLERANCE = 1e-3


@dataclasses.dataclass(frozen=True)
class SearchOptions:
    """How codes are searched.

    Attributes:
        num_steps: Gradient steps (Malesevic et al., section 3.2: 1500 for each
            stage).
        learning_rate: Adam's largest step size (there: .003).
        beta_1: Adam's first decay (there: .5).
        beta_2: Adam's second decay (there: .9).
        schedule: `"constant"` (there) or `"cosine"`.
    """

    num_steps: int = 1500
    learning_rate: float = 0.003
    beta_1: float = 0.5
    beta_2: float = 0.9
    schedule: str = "constant"

    def __post_init__(self) -> None:
        """Check the numbers.

        Raises:
            ValueError: No steps, or a rate that is not positive.
        """
        if self.num_steps < 1:
            raise ValueError(f"`num_steps` must be 1 or more; got {self.num_steps}.")
        if not self.learning_rate > 0:
            raise ValueError(
                f"`learning_rate` must be positive; got {self.learning_rate}."
            )
        if not (0 <= self.beta_1 < 1 and 0 <= self.beta_2 < 1):
            raise ValueError(
                f"betas must be in [0, 1); got {self.beta_1} and {self.beta_2}."
            )
        if self.schedule not in SCHEDULES:
            raise ValueError(
                f"`schedule` must be one of {', '.join(SCHEDULES)}; got "
                f"{self.schedule!r}."
            )


@dataclasses.dataclass(frozen=True, eq=False)
class LatentSolution:
    """What a search found.

    Attributes:
        z: float32 `[B, latent_dim]`, the best code of each image.
        loss: float32 `[B]`, its loss.
        trace: float32 `[B, num_steps + 1]`, the loss before each step and at the end.
        status: `"converged"`, `"max_steps"` or `"nonfinite"` for each image.
        num_steps: Steps done.
    """

    z: np.ndarray
    loss: np.ndarray
    trace: np.ndarray
    status: tuple[str, ...]
    num_steps: int


class SearchState(NamedTuple):
    """Everything that one step hands to the next; each row is one image's."""

    z: Tensor
    first: Tensor
    second: Tensor
    count: Tensor
    best_z: Tensor
    best_loss: Tensor
    trace: Tensor


def search_latent(
    objective: Objective,
    z: np.ndarray,
    target: SearchTarget,
    options: SearchOptions,
    *,
    progress: Callable[[int], None] | None = None,
    chunk: int = 25,
) -> LatentSolution:
    """Minimise each image's loss over its code, by projected Adam.

    The whole loop is one compiled call; with `progress` it is one call for every
    `chunk` steps, which computes the same. No image's result depends on the others.

    Args:
        objective: `(codes, target) -> [B]`.
        z: float32 `[B, latent_dim]`, where to start.
        target: What the images should fit.
        options: Of the search.
        progress: Called with the number of steps just done.
        chunk: Steps between two calls of `progress`.

    Returns:
        The best code of each image, with its loss and trace.
    """
    support = objective.prior.support
    z = np.clip(np.asarray(z, np.float32), -support, support)
    run = _compiled_steps(objective, options)
    state = _start(z, options.num_steps)
    if progress is None:
        chunk = options.num_steps
    for begin in range(0, options.num_steps, chunk):
        end = min(begin + chunk, options.num_steps)
        state = run(state, target, np.int32(begin), np.int32(end))
        if progress is not None:
            ops.convert_to_numpy(state.count)  # waits, so that progress is true
            progress(end - begin)
    best_z, best_loss, trace = (
        ops.convert_to_numpy(x) for x in _compiled_finish(objective)(state, target)
    )
    return LatentSolution(
        z=best_z,
        loss=best_loss,
        trace=trace.T,
        status=_status(trace),
        num_steps=options.num_steps,
    )


@functools.lru_cache(maxsize=16)
def _compiled_steps(objective: Objective, options: SearchOptions) -> Callable:
    """Compile steps `begin` to `end`; the objective and options are constants."""
    support = objective.prior.support

    def loss_and_gradient(z: Tensor, target: SearchTarget) -> tuple:
        # Every image's own loss and gradient; the sum keeps the images independent.
        def total(codes: Tensor) -> tuple:
            loss = objective(codes, target)
            return ops.sum(loss), loss

        _, loss, (gradient,) = backend.value_and_grad(total, z)
        return loss, gradient

    def run(
        state: SearchState, target: SearchTarget, begin: Tensor, end: Tensor
    ) -> Tensor:
        def body(step: Tensor, state: SearchState) -> tuple:
            loss, gradient = loss_and_gradient(state.z, target)
            state = _keep_best(state, loss, step)

            # Descend, then return to the support of the prior.
            rate = learning_rate_at(
                step,
                num_steps=options.num_steps,
                learning_rate=options.learning_rate,
                schedule=options.schedule,
            )
            (z,), moments = adam_update(
                [state.z],
                [gradient],
                AdamMoments([state.first], [state.second], state.count),
                learning_rate=rate,
                beta_1=options.beta_1,
                beta_2=options.beta_2,
            )
            z = ops.clip(z, -support, support)
            state = state._replace(
                z=z,
                first=moments.first[0],
                second=moments.second[0],
                count=moments.count,
            )
            return step + 1, state

        _, state = ops.while_loop(lambda step, _: step < end, body, (begin, state))
        return state

    return backend.compile_function(run)


@functools.lru_cache(maxsize=16)
def _compiled_finish(objective: Objective) -> Callable:
    """Compile the loss of the last codes, which no step has seen yet."""

    def finish(state: SearchState, target: SearchTarget) -> tuple:
        last = ops.convert_to_tensor(ops.shape(state.trace)[0] - 1)
        state = _keep_best(state, objective(state.z, target), last)
        return state.best_z, state.best_loss, state.trace

    return backend.compile_function(finish)


def _keep_best(state: SearchState, loss: Tensor, step: Tensor) -> SearchState:
    """Keep each image's best code: the last iterate is often not the best."""
    improved = loss < state.best_loss
    return state._replace(
        best_z=ops.where(improved[:, None], state.z, state.best_z),
        best_loss=ops.where(improved, loss, state.best_loss),
        trace=ops.scatter_update(state.trace, ops.reshape(step, (1, 1)), loss[None]),
    )


def _start(z: np.ndarray, num_steps: int) -> SearchState:
    codes = ops.convert_to_tensor(z)
    moments = adam_start([codes])
    return SearchState(
        z=codes,
        first=moments.first[0],
        second=moments.second[0],
        count=moments.count,
        best_z=codes,
        best_loss=ops.full((len(z),), np.inf, "float32"),
        trace=ops.zeros((num_steps + 1, len(z)), "float32"),
    )


def _status(trace: np.ndarray) -> tuple[str, ...]:
    """Say how each image's search ended, from the trace `[num_steps + 1, B]`."""
    finite = np.isfinite(trace).all(axis=0)
    best = np.minimum.accumulate(np.where(np.isfinite(trace), trace, np.inf))
    tail = max(1, (len(trace) - 1) // 10)
    with np.errstate(invalid="ignore"):
        last_gain = best[-1 - tail] - best[-1]
        settled = last_gain <= TOLERANCE * (best[0] - best[-1])
    return tuple(
        "nonfinite" if not ok else "converged" if still else "max_steps"
        for ok, still in zip(finite, settled, strict=True)
    )
