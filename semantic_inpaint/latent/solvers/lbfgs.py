"""Limited-memory BFGS for many images at once, within bounds."""

from __future__ import annotations

from typing import NamedTuple

from keras import ops

from semantic_inpaint.backend import Tensor
from semantic_inpaint.latent.objective import Objective
from semantic_inpaint.latent.options import SearchOptions
from semantic_inpaint.latent.solvers.box import (
    WINDOW,
    backtrack,
    free_coordinates,
    inner,
)
from semantic_inpaint.latent.solvers.first_order import loss_and_gradient
from semantic_inpaint.latent.solvers.record import (
    Record,
    Rows,
    new_record,
    settled,
    stepped,
)

MEMORY = 10
# Pairs of a smaller cosine say too little of the curvature.
CURVATURE = 1e-6


class LbfgsState(NamedTuple):
    """Everything that one step hands to the next.

    Attributes:
        z: float32 `[B, D]`.
        previous_z: float32 `[B, D]`, where the last step began.
        previous_gradient: float32 `[B, D]`, there.
        moves: float32 `[B, MEMORY, D]`, the newest last; zero where there is none.
        bends: float32 `[B, MEMORY, D]`, the gradients' changes over the moves.
        stuck: bool `[B]`, no descent was found along the gradient itself.
        record: The course of the search.
    """

    z: Tensor
    previous_z: Tensor
    previous_gradient: Tensor
    moves: Tensor
    bends: Tensor
    stuck: Tensor
    record: Record


class LimitedMemory:
    """L-BFGS (Nocedal & Wright 2006, algorithm 7.4) on the coordinates that are free.

    A coordinate at a bound that descent would cross is held for the step, and left
    out of the pairs too (the two-metric projection of Bertsekas 1982). A step costs
    one gradient, and one evaluation for each trial of the line search.
    """

    window = WINDOW

    def __init__(self, objective: Objective, options: SearchOptions) -> None:
        """Minimise `objective` with `options`."""
        self.objective = objective
        self.options = options

    def init(self, z: Tensor) -> LbfgsState:
        """Begin at `z`, without a memory."""
        options = self.options
        none = ops.zeros((1, MEMORY, 1), "float32") * z[:, None]
        return LbfgsState(
            z=z,
            previous_z=z,
            previous_gradient=ops.zeros_like(z),
            moves=none,
            bends=none,
            stuck=ops.zeros_like(z[:, 0], dtype="bool"),
            record=new_record(z, options.num_steps, result=options.result),
        )

    def step(self, state: LbfgsState, rows: Rows, active: Tensor) -> LbfgsState:
        """Evaluate, remember, and search along the direction."""
        loss, gradient = loss_and_gradient(self.objective, state.z, rows.target)
        record = stepped(state.record, state.z, loss)
        moves, bends = _remembered(state, gradient)

        # The direction within the bounds; where it does not descend, the gradient's.
        support = self.objective.prior.support
        free = free_coordinates(state.z, gradient, support)
        slope = gradient * free
        length = ops.sqrt(inner(slope, slope))
        first_scale = ops.where(length > 0, support / ops.maximum(length, 1e-30), 0.0)
        direction = -free * _two_loops(
            slope, moves * free[:, None], bends * free[:, None], first_scale
        )
        descends = inner(direction, slope) < 0
        steepest = -first_scale[:, None] * slope
        direction = ops.where(descends[:, None], direction, steepest)

        searched = ops.logical_and(active, ops.logical_not(state.stuck))
        found = backtrack(
            self.objective, rows.target, state.z, loss, gradient, direction, searched
        )

        # Without success the memory is doubtful; without a memory there is no more.
        failed = found.share == 0.0
        empty = ops.all(moves == 0.0, axis=(1, 2))
        forget = failed[:, None, None]
        return LbfgsState(
            z=found.z,
            previous_z=state.z,
            previous_gradient=gradient,
            moves=ops.where(forget, 0.0, moves),
            bends=ops.where(forget, 0.0, bends),
            stuck=ops.logical_or(state.stuck, ops.logical_and(failed, empty)),
            record=record,
        )

    def terminate(self, state: LbfgsState) -> Tensor:
        """Say whose search has ended."""
        tolerance = self.options.tolerance
        done = settled(state.record, window=self.window, tolerance=tolerance)
        return ops.logical_or(done, state.stuck) if tolerance > 0 else done

    def codes(self, state: LbfgsState) -> Tensor:
        """Return the codes that the next step begins at."""
        return state.z


def _remembered(state: LbfgsState, gradient: Tensor) -> tuple[Tensor, Tensor]:
    """Add the last step's pair to the memory, where it tells of a curvature."""
    move = state.z - state.previous_z
    bend = gradient - state.previous_gradient
    lengths = ops.sqrt(inner(move, move) * inner(bend, bend))
    good = (inner(move, bend) > CURVATURE * lengths)[:, None, None]
    moves = ops.concatenate([state.moves[:, 1:], move[:, None]], axis=1)
    bends = ops.concatenate([state.bends[:, 1:], bend[:, None]], axis=1)
    return ops.where(good, moves, state.moves), ops.where(good, bends, state.bends)


def _two_loops(gradient: Tensor, moves: Tensor, bends: Tensor, scale: Tensor) -> Tensor:
    """Multiply each row by its inverse Hessian (Nocedal & Wright, algorithm 7.4)."""
    products, squares = inner(moves, bends), inner(bends, bends)
    good = products > CURVATURE * ops.sqrt(inner(moves, moves) * squares)
    inverse = ops.where(good, 1.0 / ops.where(good, products, 1.0), 0.0)
    result, shares = gradient, {}
    for i in reversed(range(MEMORY)):
        shares[i] = inverse[:, i] * inner(moves[:, i], result)
        result = result - shares[i][:, None] * bends[:, i]
        newest = products[:, i] / ops.where(good[:, i], squares[:, i], 1.0)
        # Of the newest good pair: those after it (of larger i) have priority.
        later = ops.any(good[:, i + 1 :], axis=1)
        scale = ops.where(
            ops.logical_and(good[:, i], ops.logical_not(later)), newest, scale
        )
    result = scale[:, None] * result
    for i in range(MEMORY):
        share = inverse[:, i] * inner(bends[:, i], result)
        result = result + (shares[i] - share)[:, None] * moves[:, i]
    return result
