"""Levenberg-Marquardt on reweighted residuals, without a matrix."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

from keras import ops

from semantic_inpaint import backend
from semantic_inpaint.backend import Tensor
from semantic_inpaint.latent.objective import Objective
from semantic_inpaint.latent.options import SearchOptions
from semantic_inpaint.latent.solvers.box import (
    WINDOW,
    backtrack,
    free_coordinates,
    inner,
)
from semantic_inpaint.latent.solvers.record import (
    Record,
    Rows,
    new_record,
    settled,
    stepped,
)

# Conjugate gradients in one step, and the share of the residual at which they end.
INNER_STEPS = 10
INNER_TOLERANCE = 1e-2

# Damping is in units of |gradient| / support, so that a step is at most
# support / damping long, whatever the scale of the loss (after Fan & Yuan 2005).
FIRST_DAMPING = 0.3
LEAST_DAMPING, MOST_DAMPING = 1e-4, 1e4
LOWER, RAISE = 0.25, 4.0


class GaussNewtonState(NamedTuple):
    """Everything that one step hands to the next.

    Attributes:
        z: float32 `[B, D]`.
        damping: float32 `[B]`, in units of |gradient| / support.
        record: The course of the search.
    """

    z: Tensor
    damping: Tensor
    record: Record


class GaussNewton:
    """Levenberg-Marquardt with reweighting for the L1 terms (IRLS).

    The residuals' Jacobian is never formed, whose 100 columns for 64 images of 64x64
    would take 315 MB and 100 forward products. The normal equations are solved by
    conjugate gradients, one forward and one backward product each, all images in
    lockstep. A step of which no share lowers the loss is rejected, and the image's
    damping raised.
    """

    window = WINDOW

    def __init__(self, objective: Objective, options: SearchOptions) -> None:
        """Minimise `objective` with `options`.

        Raises:
            ValueError: The objective has no residuals.
        """
        if not hasattr(objective, "residuals"):
            raise ValueError(
                f"'gauss-newton' needs an objective with `residuals`; got "
                f"{type(objective).__name__}. Use another method."
            )
        if getattr(objective, "prior_weight", 0.0) != 0.0:
            raise ValueError(
                f"'gauss-newton' cannot minimise a prior loss, which is no sum of "
                f"residuals; `prior_weight` is {objective.prior_weight}. Set it to 0, "
                "or use another method."
            )
        self.objective = objective
        self.options = options

    def init(self, z: Tensor) -> GaussNewtonState:
        """Begin at `z`."""
        options = self.options
        damping = ops.full_like(z[:, 0], FIRST_DAMPING)
        record = new_record(z, options.num_steps, result=options.result)
        return GaussNewtonState(z, damping, record)

    def step(
        self, state: GaussNewtonState, rows: Rows, active: Tensor
    ) -> GaussNewtonState:
        """Solve the damped normal equations, and go as far along as the loss falls."""
        z, support = state.z, self.objective.prior.support
        loss = self.objective(z, rows.target)
        gradient, curvature = self._quadratic(z, rows)
        free = free_coordinates(z, gradient, support)
        slope = free * gradient
        damping = state.damping * ops.sqrt(inner(slope, slope)) / support

        def damped(vector: Tensor) -> Tensor:
            return free * curvature(vector) + damping[:, None] * vector

        direction = _solve(damped, -slope, active)
        step = backtrack(
            self.objective, rows.target, z, loss, gradient, direction, active
        )
        factor = ops.where(
            step.share == 1.0, LOWER, ops.where(step.share > 0.2, 1.0, RAISE)
        )
        return GaussNewtonState(
            z=step.z,
            damping=ops.clip(state.damping * factor, LEAST_DAMPING, MOST_DAMPING),
            record=stepped(state.record, z, loss),
        )

    def terminate(self, state: GaussNewtonState) -> Tensor:
        """Say whose search has ended."""
        return settled(
            state.record, window=self.window, tolerance=self.options.tolerance
        )

    def codes(self, state: GaussNewtonState) -> Tensor:
        """Return the codes that the next step begins at."""
        return state.z

    def _quadratic(self, z: Tensor, rows: Rows) -> tuple[Tensor, Callable]:
        """Return the gradient, and `v -> J^T W J v`, of the reweighted squares."""

        def residuals(codes: Tensor) -> tuple:
            return self.objective.residuals(codes, rows.target)

        residual, weight, pullback = backend.vjp(residuals, z)
        (gradient,) = pullback(weight * residual)

        def curvature(vector: Tensor) -> Tensor:
            change = backend.jvp(lambda codes: residuals(codes)[0], z, vector)
            _, _, pullback = backend.vjp(residuals, z)
            (product,) = pullback(weight * change)
            return product

        return gradient, curvature


def _solve(product: Callable, right: Tensor, active: Tensor) -> Tensor:
    """Solve each row's positive definite system by conjugate gradients, in lockstep.

    Args:
        product: `[B, D] -> [B, D]`, row by row a matrix times a vector.
        right: float32 `[B, D]`, the right sides.
        active: bool `[B]`, the rows that are waited for.
    """
    begin = inner(right, right)

    def unsolved(square: Tensor) -> Tensor:
        return square > INNER_TOLERANCE**2 * begin

    def going(step: Tensor, solution: Tensor, rest: Tensor, way: Tensor) -> Tensor:
        waited = ops.logical_and(active, unsolved(inner(rest, rest)))
        return ops.logical_and(step < INNER_STEPS, ops.any(waited))

    def body(step: Tensor, solution: Tensor, rest: Tensor, way: Tensor) -> tuple:
        square = inner(rest, rest)
        image = product(way)
        bend = inner(way, image)
        # A row that is solved stays as it is, however long the others take.
        moves = ops.logical_and(unsolved(square), bend > 0)
        length = ops.where(moves, square / ops.where(moves, bend, 1.0), 0.0)[:, None]
        solution = solution + length * way
        new_rest = rest - length * image
        ratio = inner(new_rest, new_rest) / ops.where(square > 0, square, 1.0)
        way = ops.where(moves[:, None], new_rest + ratio[:, None] * way, way)
        return step + 1, solution, new_rest, way

    zero = ops.zeros((), "int32")
    _, solution, _, _ = ops.while_loop(
        going, body, (zero, ops.zeros_like(right), right, right)
    )
    return solution
