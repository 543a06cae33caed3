"""How a picture is inpainted by inversion: every constant of all stages."""

from __future__ import annotations

import dataclasses
from typing import Any

from semantic_inpaint.blending import OPERATORS, SOLVERS
from semantic_inpaint.latent.candidates import CandidateOptions
from semantic_inpaint.latent.intermediate import IntermediateOptions
from semantic_inpaint.latent.options import FIRST_ORDER, SearchOptions
from semantic_inpaint.latent.targets import REDUCTIONS
from semantic_inpaint.latent.weights import KINDS
from semantic_inpaint.losses.inversion import DISTANCES, PRIOR_LOSSES
from semantic_inpaint.models.prior import DISTRIBUTIONS

STARTS = ("auto", "random", "encoder")


@dataclasses.dataclass(frozen=True)
class InversionOptions:
    """Both stages of the pipeline (Malesevic et al., fig. 8), and what we add to them.

    Attributes:
        first: Search of stage 1.
        second: Search of stage 2, the refinement: over codes (the paper), or over the
            maps between two layers, which leaves the generator's range. None leaves it
            out.
        third: A further search between the layers, for the loss of the stage before
            it, from what a search of codes found. None leaves it out.
        candidates: Where the searches of stage 1 begin, and how few of them end it.
        window_size: n of the importance weights, odd, 3 or more.
        weight_kind: `"ratio"` (Malesevic et al.), `"fraction"` (Yeh et al.),
            `"inverted"`, `"neighbours"` or `"uniform"`; see `latent.weights`.
        weight_cap: Largest importance weight, or None.
        distance: Of two pixels, in the content losses: `"absolute"` (the papers),
            `"rounded"` (nearly that), `"squared"` or `"smooth"`.
        reduction: Scale of the content losses: `"sum"`, `"mean"` or `"normalized"`;
            see `latent.targets`.
        prior_weight: lambda, weight of the prior loss; 0 leaves the discriminator out.
        prior_loss: `"saturating"`, log(1 - D) (the papers), or `"non-saturating"`,
            -log D (the public codes).
        through_blend: Let the discriminator judge the blended image in place of G(z);
            see `latent.through_blend`.
        prior_interval: k: the discriminator is asked in every k-th step of an image
            only, for k times the weight; first-order methods alone. Losses count,
            for the best code too, where it is asked. Where images enter the slots of
            others that ended, a k that divides 25 saves most.
        consensus_weight: mu; None takes it from the share of the image that is
            missing, as `masks.consensus_weight_for` does.
        restart: Begin stage 2 at fresh codes rather than at stage 1's; with an encoder
            these are its codes once more.
        start: Where stage 1 begins: `"random"` (the papers), `"encoder"`, at the codes
            that the prior's encoder finds for the known pixels, or `"auto"`, there
            where the prior has an encoder.
        anchor_weight: Weight, in both stages, of the squared distance from the
            encoder's codes; 0 leaves it out. Without an encoder there is none.
        start_distribution: Of random codes: `"uniform"` in the support of the prior
            (the papers), or `"normal"` of that standard deviation (three public
            codes), clipped to it.
        start_scale: What random codes are multiplied by. What the known pixels do not
            decide stays where it began: at 1 (the papers) a random face, near 0 an
            average one.
        operator: D of the blend: `"gradient"`, `"log"`, `"log-printed"` or `"paste"`,
            which blends nothing.
        solver: Of the blend: `"direct"` or `"cvxpy"`.
        batch_size: Images searched together; changes the speed, and the result by
            no more than rounding does. With a tolerance, who has ended makes room.
    """

    first: SearchOptions = dataclasses.field(default_factory=SearchOptions)
    second: SearchOptions | IntermediateOptions | None = dataclasses.field(
        default_factory=SearchOptions
    )
    third: IntermediateOptions | None = None
    candidates: CandidateOptions = dataclasses.field(default_factory=CandidateOptions)
    window_size: int = 7
    weight_kind: str = "ratio"
    weight_cap: float | None = None
    distance: str = "absolute"
    reduction: str = "sum"
    prior_weight: float = 0.003
    prior_loss: str = "saturating"
    through_blend: bool = False
    prior_interval: int = 1
    consensus_weight: float | None = None
    restart: bool = False
    start: str = "random"
    anchor_weight: float = 0.0
    start_distribution: str = "uniform"
    start_scale: float = 1.0
    operator: str = "gradient"
    solver: str = "direct"
    batch_size: int = 64

    def __post_init__(self) -> None:
        """Check the values before anything is searched.

        Raises:
            ValueError: A word that is none of those named, or a number out of range.
        """
        self._check_words()
        self._check_numbers()
        if self.anchor_weight > 0 and self.start == "random":
            raise ValueError(
                f"`anchor_weight` is {self.anchor_weight}, but random codes are "
                "nothing to stay near. Set `start='encoder'`, or leave it at 0."
            )
        if self.through_blend and self.prior_weight == 0:
            raise ValueError(
                "`through_blend` lets the discriminator judge the blend, but "
                "`prior_weight` is 0 and nothing judges. Set it above 0, to 30 for one."
            )
        if self.refines_maps and (self.restart or self.third is not None):
            raise ValueError(
                "`second` searches between the layers, from the codes of stage 1; "
                "`restart` and `third` are for a `second` that searches codes."
            )
        methods = {search.method for search in self.code_searches}
        if self.prior_weight > 0 and "gauss-newton" in methods:
            raise ValueError(
                f"`prior_weight` is {self.prior_weight}, but 'gauss-newton' cannot "
                "minimise a prior loss. Set it to 0, or use another method."
            )
        if self.prior_interval > 1 and not methods <= set(FIRST_ORDER):
            raise ValueError(
                f"`prior_interval` is {self.prior_interval}, which is for "
                f"{' and '.join(FIRST_ORDER)} in both stages. Set it to 1."
            )

    def _check_words(self) -> None:
        for field, words in (
            ("weight_kind", KINDS),
            ("distance", DISTANCES),
            ("reduction", REDUCTIONS),
            ("prior_loss", PRIOR_LOSSES),
            ("operator", OPERATORS),
            ("solver", SOLVERS),
            ("start", STARTS),
            ("start_distribution", DISTRIBUTIONS),
        ):
            if (value := getattr(self, field)) not in words:
                raise ValueError(
                    f"`{field}` must be one of {', '.join(words)}; got {value!r}."
                )

    def _check_numbers(self) -> None:
        in_range = {
            "window_size": self.window_size >= 3 and self.window_size % 2 == 1,
            "weight_cap": self.weight_cap is None or self.weight_cap > 0,
            "prior_weight": self.prior_weight >= 0,
            "prior_interval": self.prior_interval >= 1,
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
        return any(search.tolerance > 0 for search in self.code_searches)

    @property
    def refines_maps(self) -> bool:
        """Whether stage 2 searches the maps between two layers, not codes."""
        return isinstance(self.second, IntermediateOptions)

    @property
    def code_searches(self) -> tuple[SearchOptions, ...]:
        """The searches of codes, stage by stage."""
        stages = (self.first, self.second)
        return tuple(search for search in stages if isinstance(search, SearchOptions))

    def as_dict(self) -> dict[str, Any]:
        """Return the fields, as they go into `options.json`."""
        return dataclasses.asdict(self)
