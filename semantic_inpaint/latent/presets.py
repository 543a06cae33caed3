"""Every constant of the search in one place, and the named choices of them."""

from __future__ import annotations

import dataclasses
import difflib
from typing import Any

from semantic_inpaint.blending import OPERATORS, SOLVERS
from semantic_inpaint.latent.objective import REDUCTIONS
from semantic_inpaint.latent.search import SearchOptions
from semantic_inpaint.latent.weights import KINDS

STARTS = ("auto", "random", "encoder")


@dataclasses.dataclass(frozen=True)
class InversionOptions:
    """Both stages of the pipeline (Malesevic et al., fig. 8).

    Attributes:
        first: Search of stage 1.
        second: Search of stage 2, the refinement; None leaves it out.
        window_size: n of the importance weights, odd, 3 or more.
        weight_kind: `"ratio"` (Malesevic et al.) or `"fraction"` (Yeh et al.).
        weight_cap: Largest importance weight, or None.
        reduction: Scale of the content losses: `"sum"`, `"mean"` or `"normalized"`;
            see `latent.objective`.
        prior_weight: lambda, weight of the prior loss; 0 leaves the discriminator out.
        consensus_weight: mu; None takes it from the share of the image that is
            missing, as `masks.consensus_weight_for` does.
        restart: Begin stage 2 at fresh codes rather than at stage 1's; with an encoder
            these are its codes once more.
        start: Where stage 1 begins: `"random"` (the papers), `"encoder"`, at the codes
            that the prior's encoder finds for the known pixels, or `"auto"`, there
            where the prior has an encoder.
        anchor_weight: Weight, in both stages, of the squared distance from the
            encoder's codes; 0 leaves it out. Without an encoder there is none.
        start_scale: Random codes start uniform in [-start_scale, start_scale] times the
            support of the prior. What the known pixels do not decide stays where it
            began: at 1 (the papers) a random face, near 0 an average one.
        operator: D of the blend: `"gradient"`, `"log"` or `"log-printed"`.
        solver: Of the blend: `"direct"` or `"cvxpy"`.
        batch_size: Images searched together; changes the speed, and the result by
            no more than rounding does. With a tolerance, who has ended makes room.
    """

    first: SearchOptions = dataclasses.field(default_factory=SearchOptions)
    second: SearchOptions | None = dataclasses.field(default_factory=SearchOptions)
    window_size: int = 7
    weight_kind: str = "ratio"
    weight_cap: float | None = None
    reduction: str = "sum"
    prior_weight: float = 0.003
    consensus_weight: float | None = None
    restart: bool = False
    start: str = "random"
    anchor_weight: float = 0.0
    start_scale: float = 1.0
    operator: str = "gradient"
    solver: str = "direct"
    batch_size: int = 64

    def __post_init__(self) -> None:
        """Check the values before anything is searched.

        Raises:
            ValueError: A word that is none of those named, or a number out of range.
        """
        for field, words in (
            ("weight_kind", KINDS),
            ("reduction", REDUCTIONS),
            ("operator", OPERATORS),
            ("solver", SOLVERS),
            ("start", STARTS),
        ):
            if (value := getattr(self, field)) not in words:
                raise ValueError(
                    f"`{field}` must be one of {', '.join(words)}; got {value!r}."
                )
        in_range = {
            "window_size": self.window_size >= 3 and self.window_size % 2 == 1,
            "weight_cap": self.weight_cap is None or self.weight_cap > 0,
            "prior_weight": self.prior_weight >= 0,
            "consensus_weight": not (self.consensus_weight or 0) < 0,
            "anchor_weight": self.anchor_weight >= 0,
            "start_scale": 0 <= self.start_scale <= 1,
            "batch_size": self.batch_size >= 1,
        }
        for field, good in in_range.items():
            if not good:
                raise ValueError(
                    f"`{field}` is {getattr(self, field)}; see InversionOptions for "
                    "what it may be."
                )
        if self.anchor_weight > 0 and self.start == "random":
            raise ValueError(
                f"`anchor_weight` is {self.anchor_weight}, but random codes are "
                "nothing to stay near. Set `start='encoder'`, or leave it at 0."
            )
        methods = {search.method for search in (self.first, self.second) if search}
        if self.prior_weight > 0 and "gauss-newton" in methods:
            raise ValueError(
                f"`prior_weight` is {self.prior_weight}, but 'gauss-newton' cannot "
                "minimise a prior loss. Set it to 0, or use another method."
            )

    def resolved(self, *, has_encoder: bool) -> InversionOptions:
        """Return the options with `start="auto"` decided."""
        if self.start != "auto":
            return self
        if has_encoder:
            return dataclasses.replace(self, start="encoder")
        return dataclasses.replace(self, start="random", anchor_weight=0.0)

    def with_steps(self, num_steps: int) -> InversionOptions:
        """Return the options with `num_steps` for each stage."""
        return dataclasses.replace(
            self,
            first=dataclasses.replace(self.first, num_steps=num_steps),
            second=self.second
            and dataclasses.replace(self.second, num_steps=num_steps),
        )

    def num_steps(self) -> int:
        """Steps of both stages together."""
        return self.first.num_steps + (self.second.num_steps if self.second else 0)

    @property
    def may_end_early(self) -> bool:
        """Whether a search of either stage may end before its last step."""
        stages = [search for search in (self.first, self.second) if search]
        return any(search.tolerance > 0 for search in stages)

    def as_dict(self) -> dict[str, Any]:
        """Return the fields, as they go into `options.json`."""
        return dataclasses.asdict(self)


MALESEVIC = InversionOptions(operator="log")
"""Malesevic et al., section 3.2, to the letter: 1500 + 1500 steps of Adam at .003 with
betas .5 and .9, lambda .003, ratio weights, blended by the Laplacian-type kernel (the
derivative among the two that they may mean). Not stated there: the window, 7 as in Yeh
et al., and the scale of the content loss, "sum" as the formula reads."""

YEH = InversionOptions(second=None, weight_kind="fraction", operator="gradient")
"""Yeh et al. 2017, as Malesevic et al. run it: stage 1 alone, the missing fraction of a
7 x 7 window as weight, lambda .003, gradient blend."""

FAST = InversionOptions(
    first=SearchOptions(num_steps=150, learning_rate=0.05, schedule="cosine"),
    second=SearchOptions(num_steps=100, learning_rate=0.05, schedule="cosine"),
    window_size=15,
    start="auto",
    anchor_weight=30.0,
    start_scale=0.3,
    operator="gradient",
    prior_weight=0.0,
)
"""The default: the same losses with a larger and falling learning rate, a wider window,
codes that start near the average face, the gradient blend, and no prior loss, which at
a summed content changes nothing but takes its time (docs/decisions/0007)."""

PRESETS = {"fast": FAST, "malesevic": MALESEVIC, "yeh": YEH}
DEFAULT_PRESET = "fast"


def get_preset(name: str) -> InversionOptions:
    """Look up a preset by its name.

    Raises:
        ValueError: An unknown name; the message has the nearest right one.
    """
    if name in PRESETS:
        return PRESETS[name]
    near = difflib.get_close_matches(name, PRESETS, n=1)
    hint = f" Did you mean {near[0]!r}?" if near else ""
    raise ValueError(f"no preset {name!r}; there are {', '.join(PRESETS)}.{hint}")
