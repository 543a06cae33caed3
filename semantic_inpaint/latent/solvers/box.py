"""What second-order solvers share: bounds, and a line search in lockstep."""

from __future__ import annotations

from typing import NamedTuple

from keras import ops

from semantic_inpaint.backend import Tensor
from semantic_inpaint.latent.objective import Objective, SearchTarget

# Steps over which a fall of the loss is measured; each does the work of several.
WINDOW = 5
# Share of the fall that the gradient promises which a step must reach (Armijo).
SUFFICIENT = 1e-4
TRIALS = 10


class Step(NamedTuple):
    """Where a line search went.

    Attributes:
        z: float32 `[B, D]`, the new codes; the old ones where none was better.
        share: float32 `[B]`, of the direction that was gone; 0 where none.
    """

    z: Tensor
    share: Tensor


def free_coordinates(z: Tensor, gradient: Tensor, support: float) -> Tensor:
    """Mark, float32 `[B, D]`, what may move: 0 at a bound that descent would cross."""
    held = ops.logical_or(
        ops.logical_and(z >= support, gradient < 0),
        ops.logical_and(z <= -support, gradient > 0),
    )
    return ops.cast(ops.logical_not(held), "float32")


def inner(a: Tensor, b: Tensor) -> Tensor:
    """Inner products of the rows, `[B, D]` and `[B, D]` to `[B]`."""
    return ops.sum(a * b, axis=-1)


def backtrack(
    objective: Objective,
    target: SearchTarget,
    z: Tensor,
    loss: Tensor,
    gradient: Tensor,
    direction: Tensor,
    searched: Tensor,
) -> Step:
    """Halve each image's step until its loss falls enough.

    The path is bent along the bounds of the support. All images are evaluated
    together until the last of those `searched` has found its step; one that has found
    it goes no further, so the others do not change it.

    Args:
        objective: To minimise.
        target: Of the images.
        z: float32 `[B, D]`, where the step begins.
        loss: float32 `[B]`, there.
        gradient: float32 `[B, D]`, there.
        direction: float32 `[B, D]`, the whole step.
        searched: bool `[B]`; the others stay where they are.
    """
    support = objective.prior.support

    def going(trial: Tensor, share: Tensor, step: Step) -> Tensor:
        pending = ops.logical_and(searched, step.share == 0.0)
        return ops.logical_and(trial < TRIALS, ops.any(pending))

    def body(trial: Tensor, share: Tensor, step: Step) -> tuple:
        candidate = ops.clip(z + share * direction, -support, support)
        fall = objective(candidate, target) - loss
        promised = ops.minimum(inner(gradient, candidate - z), 0.0)
        good = ops.logical_and(fall <= SUFFICIENT * promised, fall < 0.0)
        good = ops.logical_and(good, ops.logical_and(searched, step.share == 0.0))
        step = Step(
            z=ops.where(good[:, None], candidate, step.z),
            share=ops.where(good, share, step.share),
        )
        return trial + 1, 0.5 * share, step

    *_, step = ops.while_loop(
        going,
        body,
        (
            ops.zeros((), "int32"),
            ops.ones((), "float32"),
            Step(z, ops.zeros_like(loss)),
        ),
    )
    return step
