"""The words of `run` that change how codes are searched."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from semantic_inpaint.latent.intermediate import IntermediateOptions
    from semantic_inpaint.latent.options import SearchOptions
    from semantic_inpaint.latent.presets import InversionOptions


@dataclasses.dataclass(frozen=True)
class SearchWords:
    """Changes to the preset's search; what is left out stays as it is there."""

    optimizer: str | None = None
    """adam, nesterov, lbfgs or gauss-newton (the last without a prior loss)."""
    learning_rate: float | None = None
    """Largest step size of adam and nesterov."""
    projection: str | None = None
    """How codes stay in the support of the prior: clip, stochastic, tanh or none."""
    tolerance: float | None = None
    """End the search of an image whose loss falls by less than this share of its whole
    fall; others take its place in the batch."""
    restarts: int = 1
    """Searches of each image; the worse half ends again and again, by its own loss."""
    pool: int = 1
    """Random codes of each image, of which the best become the starts."""
    prior_weight: float | None = None
    """lambda, weight of the discriminator's loss; 0 leaves it out."""
    prior_interval: int | None = None
    """Ask the discriminator in every so many steps only, for as many times the
    weight."""
    through_blend: bool = False
    """Let the discriminator judge the blended image, not G(z)."""
    intermediate: float | None = None
    """Search between the layers, after the code, in an l1 ball of this radius (share of
    the maps' norm, such as 0.1): as stage 2 where the preset does, else as stage 3."""

    def added_to(self, options: InversionOptions) -> InversionOptions:
        """Change the options of a preset.

        Raises:
            ValueError: Words that the search has no use for, or that it refuses.
        """
        from semantic_inpaint.latent.candidates import CandidateOptions
        from semantic_inpaint.latent.intermediate import IntermediateOptions

        search = {
            "method": self.optimizer,
            "learning_rate": self.learning_rate,
            "projection": self.projection,
            "tolerance": self.tolerance,
        }
        search = {field: value for field, value in search.items() if value is not None}
        changes = {
            "first": dataclasses.replace(options.first, **search),
            "second": self._second(options, search),
            "candidates": CandidateOptions(
                pool=self.pool,
                restarts=self.restarts,
                # Down to one, the last rung the longest.
                halvings=(self.restarts - 1).bit_length() if self.restarts > 0 else 0,
            ),
            "prior_weight": self.prior_weight,
            "prior_interval": self.prior_interval,
            "through_blend": self.through_blend or None,
            "third": None
            if self.intermediate is None or options.refines_maps
            else IntermediateOptions(radius=self.intermediate),
        }
        given = {field: value for field, value in changes.items() if value is not None}
        return dataclasses.replace(options, **given)

    def _second(
        self, options: InversionOptions, search: dict[str, Any]
    ) -> SearchOptions | IntermediateOptions | None:
        if options.second is None or not options.refines_maps:
            return options.second and dataclasses.replace(options.second, **search)
        radius = self.intermediate
        if radius is None:
            return options.second
        return dataclasses.replace(options.second, radius=radius)
