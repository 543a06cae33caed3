"""Nesterov's accelerated gradient, the method of the official code of Yeh et al."""

from __future__ import annotations

from typing import NamedTuple

from keras import ops

from semantic_inpaint.backend import Tensor
from semantic_inpaint.latent.objective import Objective
from semantic_inpaint.latent.options import SearchOptions
from semantic_inpaint.latent.solvers.first_order import WINDOW, Descent
from semantic_inpaint.latent.solvers.record import (
    Record,
    Rows,
    new_record,
    settled,
    stepped,
)

# There with a rate of .01 (`latent.options.NESTEROV_SEARCH`).
MOMENTUM = 0.9


class NesterovState(NamedTuple):
    """Everything that one step hands to the next."""

    parameters: Tensor
    velocity: Tensor
    record: Record


class Nesterov:
    """Gradient descent with Nesterov's momentum, in the form that looks ahead.

    The parameters held are those where the gradient is taken (Sutskever et al. 2013,
    as rewritten by Bengio et al.): v' = .9 v - rate * g; u' = u - .9 v + 1.9 v'.
    """

    window = WINDOW

    def __init__(self, objective: Objective, options: SearchOptions) -> None:
        """Minimise `objective` with `options`."""
        self.options = options
        self.descent = Descent(objective, options)

    def init(self, z: Tensor) -> NesterovState:
        """Begin at `z`, at rest."""
        options = self.options
        record = new_record(z, options.num_steps, result=options.result)
        return NesterovState(self.descent.parameters(z), ops.zeros_like(z), record)

    def step(self, state: NesterovState, rows: Rows, active: Tensor) -> NesterovState:
        """Evaluate, descend, return to the support of the prior."""
        count = state.record.count
        codes, loss, gradient = self.descent.evaluate(
            state.parameters, rows, state.record, active
        )
        velocity = MOMENTUM * state.velocity - self.descent.rate(count) * gradient
        ahead = (1.0 + MOMENTUM) * velocity - MOMENTUM * state.velocity
        return NesterovState(
            parameters=self.descent.returned(state.parameters + ahead, rows, count),
            velocity=velocity,
            record=stepped(state.record, codes, loss),
        )

    def terminate(self, state: NesterovState) -> Tensor:
        """Say whose search has ended."""
        return settled(
            state.record, window=self.window, tolerance=self.options.tolerance
        )

    def codes(self, state: NesterovState) -> Tensor:
        """Return the codes that the next step begins at."""
        return self.descent.codes(state.parameters)
