"""Ways to search codes, behind one interface, all images of a batch at once.

A solver holds an objective and its options, and three pure functions in the manner of
Optimistix: `init(z)` makes a state, `step(state, rows, active)` the next one, and
`terminate(state)` says, bool `[B]`, whose search has ended. `codes(state)` are those
that the next step would begin at. In every array of a state row i belongs to image i
and depends on row i alone, its count of steps included, so that rows may be replaced
one by one. `record` of a state is a `Record`.
"""

from __future__ import annotations

from typing import Protocol

from semantic_inpaint.backend import Tensor
from semantic_inpaint.latent.objective import Objective
from semantic_inpaint.latent.options import FIRST_ORDER, SearchOptions
from semantic_inpaint.latent.solvers.adam import Adam
from semantic_inpaint.latent.solvers.gauss_newton import GaussNewton
from semantic_inpaint.latent.solvers.lbfgs import LimitedMemory
from semantic_inpaint.latent.solvers.nesterov import Nesterov
from semantic_inpaint.latent.solvers.record import Rows

SOLVERS = {
    "adam": Adam,
    "nesterov": Nesterov,
    "lbfgs": LimitedMemory,
    "gauss-newton": GaussNewton,
}


class Solver(Protocol):
    """What the engine asks of a solver.

    Attributes:
        window: Steps over which `SearchOptions.tolerance` is measured.
    """

    window: int

    def init(self, z: Tensor) -> tuple:
        """Begin at codes float32 `[B, latent_dim]` within the support."""

    def step(self, state: tuple, rows: Rows, active: Tensor) -> tuple:
        """Go on; what becomes of rows not `active`, bool `[B]`, is not looked at."""

    def terminate(self, state: tuple) -> Tensor:
        """Say whose search has ended, bool `[B]`."""

    def codes(self, state: tuple) -> Tensor:
        """Return the codes that the next step begins at."""


def make_solver(objective: Objective, options: SearchOptions) -> Solver:
    """Build the solver that `options.method` names.

    Raises:
        ValueError: The method cannot minimise this objective.
    """
    interval = getattr(objective, "prior_interval", 1)
    if interval > 1 and options.method not in FIRST_ORDER:
        raise ValueError(
            f"`prior_interval` {interval} is for {' and '.join(FIRST_ORDER)}; "
            f"{options.method!r} needs one loss at all steps. Set it to 1."
        )
    return SOLVERS[options.method](objective, options)
