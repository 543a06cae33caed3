"""What first-order solvers share: the space they search, and its gradient."""

from __future__ import annotations

import dataclasses
import functools
from collections.abc import Callable

import numpy as np
from keras import ops

from semantic_inpaint import backend
from semantic_inpaint.backend import Tensor
from semantic_inpaint.latent import draws
from semantic_inpaint.latent.objective import Objective, SearchTarget, total_of
from semantic_inpaint.latent.options import SearchOptions
from semantic_inpaint.latent.schedule import at_step, learning_rates
from semantic_inpaint.latent.solvers.record import Record, Rows, last_loss

# Steps over which a fall of the loss is measured.
WINDOW = 25
# Share of the steps with noise (Karras et al. 2020, appendix D).
NOISE_RAMP = 0.75
# Codes of tanh(u) begin within this share of the support: at its end u is infinite.
TANH_START = 0.999
# Projections under which any parameters will do.
UNBOUNDED = ("tanh", "none")


def loss_and_gradient(
    objective: Objective, codes: Tensor, target: SearchTarget
) -> tuple[Tensor, Tensor]:
    """Evaluate every image's own loss `[B]` and its gradient `[B, latent_dim]`."""

    def total(codes: Tensor) -> tuple:
        # The sum keeps the images independent of each other.
        loss = objective(codes, target)
        return ops.sum(loss), loss

    _, loss, (gradient,) = backend.value_and_grad(total, codes)
    return loss, gradient


@dataclasses.dataclass(frozen=True)
class Descent:
    """The space that a first-order solver searches, its noise and its rates.

    With the projection `"tanh"` its parameters are u of z = support * tanh(u), else
    they are the codes themselves.

    Attributes:
        objective: To minimise.
        options: Of the search.

    Raises:
        ValueError: The prior is asked less often than a tolerance looks at its loss.
    """

    objective: Objective
    options: SearchOptions

    def __post_init__(self) -> None:
        """Check that the two go together."""
        if self.options.tolerance > 0 and self._prior_interval > WINDOW:
            raise ValueError(
                f"`prior_interval` is {self._prior_interval}, but `tolerance` looks at "
                f"the loss over {WINDOW} steps. Set it to {WINDOW} or less, or the "
                "tolerance to 0."
            )

    def parameters(self, z: Tensor) -> Tensor:
        """Return the parameters of codes within the support."""
        if self.options.projection != "tanh":
            return z
        share = ops.clip(z / self._support, -TANH_START, TANH_START)
        return ops.arctanh(share)

    def codes(self, parameters: Tensor) -> Tensor:
        """Return the codes of parameters."""
        if self.options.projection != "tanh":
            return parameters
        return self._support * ops.tanh(parameters)

    def evaluate(
        self, parameters: Tensor, rows: Rows, record: Record, active: Tensor
    ) -> tuple[Tensor, Tensor, Tensor]:
        """Return the codes looked at, their loss, and the gradient by the parameters.

        With noise the codes looked at are near those of the parameters, and within
        the support, unless nothing holds them there.

        Args:
            parameters: float32 `[B, D]`.
            rows: Of the images.
            record: Of the steps before this one.
            active: bool `[B]`, whose result counts.
        """
        if self.options.noise > 0:
            parameters = self._noisy(parameters, rows, record.count)
        if self._prior_interval > 1:
            return self._evaluate_lazily(parameters, rows, record, active)

        def losses(codes: Tensor) -> tuple:
            loss = self.objective(codes, rows.target)
            return loss, loss

        return self._differentiated(losses, parameters)

    def _differentiated(self, losses: Callable, parameters: Tensor) -> tuple:
        """Evaluate `losses`, of codes to the loss to descend and the one to tell."""

        def total(parameters: Tensor) -> tuple:
            codes = self.codes(parameters)
            descended, told = losses(codes)
            return ops.sum(descended), (codes, told)

        _, (codes, told), (gradient,) = backend.value_and_grad(total, parameters)
        return codes, told, gradient

    def _evaluate_lazily(
        self, parameters: Tensor, rows: Rows, record: Record, active: Tensor
    ) -> tuple:
        """Ask the discriminator in every k-th step of an image, for k times its weight.

        In a step that is due for no image it is not evaluated at all. One that is
        evaluated for the sake of others has no part in an image's loss or gradient,
        so that an image's result does not depend on their counts.
        """
        interval = self._prior_interval
        due = ops.equal(record.count % interval, 0)

        def asked() -> tuple:
            def losses(codes: Tensor) -> tuple:
                terms = self.objective.terms(codes, rows.target)
                prior = terms.pop("prior")
                rest = total_of(terms)
                descended = rest + ops.where(due, interval * prior, 0.0)
                return descended, rest + ops.where(due, prior, 0.0)

            return self._differentiated(losses, parameters)

        def spared() -> tuple:
            def losses(codes: Tensor) -> tuple:
                loss = self.objective.without_prior()(codes, rows.target)
                return loss, loss

            return self._differentiated(losses, parameters)

        someone = ops.any(ops.logical_and(due, active))
        codes, loss, gradient = ops.cond(someone, asked, spared)
        # Without the prior a loss says nothing beside those with it: the last of them
        # stands in its place, and is no better than itself.
        told = ops.logical_or(due, ops.logical_not(ops.isfinite(loss)))
        return codes, ops.where(told, loss, last_loss(record)), gradient

    def returned(self, parameters: Tensor, rows: Rows, count: Tensor) -> Tensor:
        """Bring parameters that left the support back into it, if anything does."""
        if self.options.projection in UNBOUNDED:
            return parameters
        inside = ops.clip(parameters, -self._support, self._support)
        if self.options.projection == "clip":
            return inside
        size = parameters.shape[-1]
        share = draws.uniform(rows.keys, count, size, stream=draws.REDRAW_STREAM)
        redrawn = self._support * (2.0 * share - 1.0)
        return ops.where(parameters == inside, parameters, redrawn)

    def rate(self, count: Tensor) -> Tensor:
        """Learning rate of each image's next step, to multiply `[B, D]` with."""
        return at_step(self._rates, count)

    @functools.cached_property
    def _rates(self) -> np.ndarray:
        options = self.options
        return learning_rates(
            options.num_steps,
            learning_rate=options.learning_rate,
            schedule=options.schedule,
        )

    @property
    def _prior_interval(self) -> int:
        """Steps from one question to the discriminator to the next; 1 without any."""
        if getattr(self.objective, "prior_weight", 0.0) == 0.0:
            return 1
        return getattr(self.objective, "prior_interval", 1)

    @property
    def _support(self) -> float:
        return self.objective.prior.support

    def _noisy(self, parameters: Tensor, rows: Rows, count: Tensor) -> Tensor:
        done = ops.cast(count, "float32") / self.options.num_steps
        scale = self.options.noise * ops.square(
            ops.maximum(0.0, 1.0 - done / NOISE_RAMP)
        )
        size = parameters.shape[-1]
        noise = draws.normal(rows.keys, count, size, stream=draws.NOISE_STREAM)
        noisy = parameters + scale[:, None] * noise
        if self.options.projection in UNBOUNDED:
            return noisy
        return ops.clip(noisy, -self._support, self._support)
