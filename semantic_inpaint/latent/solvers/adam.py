"""Adam, the method of the papers: projected, with a rate that may rise and fall."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from keras import ops

from semantic_inpaint.adam import AdamMoments, adam_update
from semantic_inpaint.backend import Tensor
from semantic_inpaint.latent.objective import Objective
from semantic_inpaint.latent.options import SearchOptions
from semantic_inpaint.latent.schedule import at_step
from semantic_inpaint.latent.solvers.first_order import WINDOW, Descent
from semantic_inpaint.latent.solvers.record import (
    Record,
    Rows,
    new_record,
    settled,
    stepped,
)


class AdamState(NamedTuple):
    """Everything that one step hands to the next."""

    parameters: Tensor
    first: Tensor
    second: Tensor
    record: Record


class Adam:
    """Adam (Kingma & Ba 2015); each image's moments count its own steps."""

    window = WINDOW

    def __init__(self, objective: Objective, options: SearchOptions) -> None:
        """Minimise `objective` with `options`."""
        self.options = options
        # Tables: powers taken in the loop would round by how many images it has.
        steps = np.arange(1, options.num_steps + 1)
        self._lacks = tuple(
            np.float32(1.0 - beta**steps) for beta in (options.beta_1, options.beta_2)
        )
        self.descent = Descent(objective, options)

    def init(self, z: Tensor) -> AdamState:
        """Begin at `z`, with moments of zero."""
        zero = ops.zeros_like(z)
        options = self.options
        record = new_record(z, options.num_steps, result=options.result)
        return AdamState(self.descent.parameters(z), zero, zero, record)

    def step(self, state: AdamState, rows: Rows, active: Tensor) -> AdamState:
        """Evaluate, descend, return to the support of the prior."""
        count = state.record.count
        codes, loss, gradient = self.descent.evaluate(
            state.parameters, rows, state.record, active
        )
        done = ops.cast(count, "float32")[:, None]
        (parameters,), moments = adam_update(
            [state.parameters],
            [gradient],
            AdamMoments([state.first], [state.second], done),
            learning_rate=self.descent.rate(count),
            beta_1=self.options.beta_1,
            beta_2=self.options.beta_2,
            corrections=tuple(at_step(lack, count) for lack in self._lacks),
        )
        return AdamState(
            parameters=self.descent.returned(parameters, rows, count),
            first=moments.first[0],
            second=moments.second[0],
            record=stepped(state.record, codes, loss),
        )

    def terminate(self, state: AdamState) -> Tensor:
        """Say whose search has ended."""
        return settled(
            state.record, window=self.window, tolerance=self.options.tolerance
        )

    def codes(self, state: AdamState) -> Tensor:
        """Return the codes that the next step begins at."""
        return self.descent.codes(state.parameters)
