"""How codes are searched: every constant of one search."""

from __future__ import annotations

import dataclasses

from semantic_inpaint.latent.schedule import SCHEDULES

FIRST_ORDER = ("adam", "nesterov")
METHODS = (*FIRST_ORDER, "lbfgs", "gauss-newton")
PROJECTIONS = ("clip", "stochastic", "tanh", "none")
RESULTS = ("best", "last")


@dataclasses.dataclass(frozen=True)
class SearchOptions:
    """How codes are searched.

    Attributes:
        num_steps: Steps at the most (Malesevic et al., section 3.2: 1500 of Adam for
            each stage).
        learning_rate: Largest step size of a first-order method (there: .003).
        beta_1: Adam's first decay (there: .5).
        beta_2: Adam's second decay (there: .9).
        schedule: `"constant"` (there), `"cosine"` or `"stepped"`, of a first-order
            method; see `latent.schedule`.
        method: `"adam"` (there), `"nesterov"`, `"lbfgs"` or `"gauss-newton"`; the
            last needs an objective with residuals, that is, without a prior loss.
        projection: How a first-order method stays in the support: `"clip"` (there);
            `"stochastic"`, which redraws the coordinates that left it (Lipton &
            Tripathi 2017); `"tanh"`, which searches u of z = support * tanh(u); or
            `"none"` (KrnTneja): its steps may leave the support.
        noise: Standard deviation of the noise on what a first-order method searches,
            at its first step; it ends after three quarters of the steps (Karras et
            al. 2020, appendix D).
        tolerance: A search ends when its best loss fell, over the method's window of
            steps, by no more than this share of its whole fall; 0: never before
            `num_steps`.
        result: The code that a search returns of those it evaluated: `"best"`, of the
            lowest loss, or `"last"` (most public codes), the last whose loss is
            finite.
    """

    num_steps: int = 1500
    learning_rate: float = 0.003
    beta_1: float = 0.5
    beta_2: float = 0.9
    schedule: str = "constant"
    method: str = "adam"
    projection: str = "clip"
    noise: float = 0.0
    tolerance: float = 0.0
    result: str = "best"

    def __post_init__(self) -> None:
        """Check the values.

        Raises:
            ValueError: No steps, a number out of its range, an unknown word, or an
                option that the method has no use for.
        """
        if self.num_steps < 1:
            raise ValueError(f"`num_steps` must be 1 or more; got {self.num_steps}.")
        if not self.learning_rate > 0:
            raise ValueError(
                f"`learning_rate` must be positive; got {self.learning_rate}."
            )
        check_betas(self.beta_1, self.beta_2)
        for field, words in (
            ("schedule", SCHEDULES),
            ("method", METHODS),
            ("projection", PROJECTIONS),
            ("result", RESULTS),
        ):
            if (value := getattr(self, field)) not in words:
                raise ValueError(
                    f"`{field}` must be one of {', '.join(words)}; got {value!r}."
                )
        if not self.noise >= 0:
            raise ValueError(f"`noise` must be 0 or more; got {self.noise}.")
        if not 0 <= self.tolerance < 1:
            raise ValueError(f"`tolerance` must be in [0, 1); got {self.tolerance}.")
        if self.method not in FIRST_ORDER:
            self._require_no_first_order_option()

    def _require_no_first_order_option(self) -> None:
        if self.projection != "clip":
            raise ValueError(
                f"`projection` {self.projection!r} is for {' and '.join(FIRST_ORDER)}; "
                f"{self.method!r} has its own bounds. Leave it at 'clip'."
            )
        if self.noise > 0:
            raise ValueError(
                f"`noise` {self.noise} is for {' and '.join(FIRST_ORDER)}; the steps "
                f"of {self.method!r} would fit the noise. Leave it at 0."
            )


def check_betas(beta_1: float, beta_2: float) -> None:
    """Check the decays of Adam's moments.

    Raises:
        ValueError: One is not in [0, 1).
    """
    if not (0 <= beta_1 < 1 and 0 <= beta_2 < 1):
        raise ValueError(f"betas must be in [0, 1); got {beta_1} and {beta_2}.")


NESTEROV_SEARCH = SearchOptions(num_steps=1000, learning_rate=0.01, method="nesterov")
"""The official code of Yeh et al. 2017, where their paper says Adam."""
