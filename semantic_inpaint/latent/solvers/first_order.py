"""What first-order solvers share: the space they search, and its gradient."""

from __future__ import annotations

import dataclasses

from keras import ops

from semantic_inpaint import backend
from semantic_inpaint.backend import Tensor
from semantic_inpaint.latent import draws
from semantic_inpaint.latent.objective import Objective, SearchTarget
from semantic_inpaint.latent.options import SearchOptions
from semantic_inpaint.latent.schedule import learning_rate_at
from semantic_inpaint.latent.solvers.record import Rows

# Steps over which a fall of the loss is measured.
WINDOW = 25
# Share of the steps with noise (Karras et al. 2020, appendix D).
NOISE_RAMP = 0.75
# Codes of tanh(u) begin within this share of the support: at its end u is infinite.
TANH_START = 0.999


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
    """

    objective: Objective
    options: SearchOptions

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
        self, parameters: Tensor, rows: Rows, count: Tensor
    ) -> tuple[Tensor, Tensor, Tensor]:
        """Return the codes looked at, their loss, and the gradient by the parameters.

        With noise the codes looked at are near those of the parameters, and within
        the support.
        """
        if self.options.noise > 0:
            parameters = self._noisy(parameters, rows, count)

        def total(parameters: Tensor) -> tuple:
            codes = self.codes(parameters)
            loss = self.objective(codes, rows.target)
            return ops.sum(loss), (codes, loss)

        _, (codes, loss), (gradient,) = backend.value_and_grad(total, parameters)
        return codes, loss, gradient

    def returned(self, parameters: Tensor, rows: Rows, count: Tensor) -> Tensor:
        """Bring parameters that left the support back into it."""
        if self.options.projection == "tanh":
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
        return learning_rate_at(
            count[:, None],
            num_steps=self.options.num_steps,
            learning_rate=self.options.learning_rate,
            schedule=self.options.schedule,
        )

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
        if self.options.projection == "tanh":
            return noisy
        return ops.clip(noisy, -self._support, self._support)
