"""The two objectives of the search: semantic inpainting, and its refinement.

On what scale their terms stand is decided by the target (`latent.targets`).
"""

from __future__ import annotations

import dataclasses
import functools
import operator

from keras import ops

from semantic_inpaint.backend import Tensor
from semantic_inpaint.latent.targets import (
    REDUCTIONS,
    SearchTarget,
    refinement_target,
    semantic_target,
)
from semantic_inpaint.losses import inversion
from semantic_inpaint.models.prior import GenerativePrior

__all__ = [
    "REDUCTIONS",
    "Objective",
    "SearchTarget",
    "refinement_target",
    "semantic_target",
    "total_of",
]

# Below it, in [-1, 1], an absolute value is treated as a square. A smaller floor makes
# the weights so unequal that fewer and fewer pixels decide each step.
RESIDUAL_FLOORS = {"absolute": 0.1, "rounded": inversion.CORNER, "smooth": 1.0}


@dataclasses.dataclass(frozen=True)
class Objective:
    """A loss of codes against a target, one value per image.

    Attributes:
        prior: The generator and discriminator.
        prior_weight: lambda; at 0 the discriminator is not evaluated.
        refine: Stage 2 (eq. 9) instead of stage 1 (eq. 3).
        anchor_weight: Weight of the squared distance from the target's anchor, on no
            scale but its own; at 0 it is not evaluated.
        distance: Of two pixels, in the content losses: `"absolute"` (the papers),
            `"rounded"`, `"squared"` or `"smooth"`; see `losses.inversion`.
        prior_loss: `"saturating"`, log(1 - D) (the papers), or `"non-saturating"`,
            -log D (the public codes).
        prior_interval: k: a first-order method asks the discriminator in every k-th
            step of an image only, for k times the weight there (the lazy
            regularisation of Karras et al. 2020, section 3.1). Every other evaluation
            has the whole loss.

    Raises:
        ValueError: An unknown word, or no positive `prior_interval`.
    """

    prior: GenerativePrior
    prior_weight: float = 0.003
    refine: bool = False
    anchor_weight: float = 0.0
    distance: str = "absolute"
    prior_loss: str = "saturating"
    prior_interval: int = 1

    def __post_init__(self) -> None:
        """Check the words and the interval."""
        for field, words in (
            ("distance", inversion.DISTANCES),
            ("prior_loss", inversion.PRIOR_LOSSES),
        ):
            if (value := getattr(self, field)) not in words:
                raise ValueError(
                    f"`{field}` must be one of {', '.join(words)}; got {value!r}."
                )
        if self.prior_interval < 1:
            raise ValueError(
                f"`prior_interval` must be 1 or more; got {self.prior_interval}. To "
                "leave the discriminator out, set `prior_weight` to 0."
            )

    def __call__(self, codes: Tensor, target: SearchTarget) -> Tensor:
        """Evaluate the loss, the sum of its terms.

        Args:
            codes: float32 `[B, latent_dim]`.
            target: What `G(codes)` is compared with.

        Returns:
            float32 `[B]`; the loss of image i depends on row i alone.
        """
        return total_of(self.terms(codes, target))

    def terms(self, codes: Tensor, target: SearchTarget) -> dict[str, Tensor]:
        """Evaluate what the loss is the sum of.

        Args:
            codes: float32 `[B, latent_dim]`.
            target: What `G(codes)` is compared with.

        Returns:
            float32 `[B]` each, scaled and weighted as they enter the sum: `content`,
            or `global_consensus` and `inpainting_consensus` in stage 2; `prior` and
            `anchor` where they have a weight.
        """
        generated = self.prior.generator(codes, training=False)
        terms = self._distances(generated, target)
        if self.prior_weight != 0.0:
            judged = self.judged(generated, target)
            logits = self.prior.discriminator(judged, training=False)
            loss = inversion.PRIOR_LOSSES[self.prior_loss](logits)
            terms["prior"] = self.prior_weight * loss
        if self.anchor_weight != 0.0:
            distance = inversion.anchor_loss(codes, target.anchor)
            terms["anchor"] = self.anchor_weight * distance
        return terms

    def judged(self, generated: Tensor, target: SearchTarget) -> Tensor:
        """Return the image that the discriminator sees: here the generated one.

        Args:
            generated: float32 `[B, H, W, 3]` in [-1, 1], `G(z)`.
            target: What it is compared with.

        Returns:
            float32 `[B, H, W, 3]`.
        """
        return generated

    def without_prior(self) -> Objective:
        """Return this objective without the discriminator's part."""
        return dataclasses.replace(self, prior_weight=0.0)

    def _distances(self, generated: Tensor, target: SearchTarget) -> dict[str, Tensor]:
        if not self.refine:
            content = inversion.content_loss(
                generated, target.images, target.weights, distance=self.distance
            )
            return {"content": target.scale * content}
        images, known = target.images, target.known
        of_all = inversion.global_consensus(
            generated, images, known, distance=self.distance
        )
        in_hole = inversion.inpainting_consensus(
            generated, images, known, distance=self.distance
        )
        return {
            "global_consensus": target.scale * of_all,
            "inpainting_consensus": target.scale * (target.consensus_weight * in_hole),
        }

    def residuals(self, codes: Tensor, target: SearchTarget) -> tuple[Tensor, Tensor]:
        """Write the loss, near `codes`, as half a weighted sum of squares.

        An absolute value |r| bends like the square r^2 / (2 |r0|) that touches it at
        r0 (iteratively reweighted least squares); below its floor it bends no more
        sharply than there. So the gradient of the loss is that of
        sum(weight * residual^2) / 2 with the weights held, but for residuals below.
        For the other distances it is so everywhere.

        Args:
            codes: float32 `[B, latent_dim]`.
            target: What `G(codes)` is compared with.

        Returns:
            `(residual, weight)`, float32 `[B, K]` each: K = H * W * 3 pixels and
            channels, and the code where there is an anchor.

        Raises:
            ValueError: The discriminator has a part in the loss.
        """
        if self.prior_weight != 0.0:
            raise ValueError(
                "the prior loss is no sum of residuals; `prior_weight` must be 0, got "
                f"{self.prior_weight}."
            )
        difference = self.prior.generator(codes, training=False) - target.images
        # Of both stages: the refinement's weights are 1 where known, mu in the hole.
        scaled = target.scale[:, None, None, None] * target.weights
        weight = scaled / self._radius(difference)
        size = difference.shape[1] * difference.shape[2] * difference.shape[3]
        residual = ops.reshape(difference, (-1, size))
        weight = ops.reshape(weight, (-1, size))
        if self.anchor_weight != 0.0:
            offset = codes - target.anchor
            pull = ops.full_like(offset, 2.0 * self.anchor_weight)
            residual = ops.concatenate([residual, offset], axis=1)
            weight = ops.concatenate([weight, pull], axis=1)
        return residual, weight

    def _radius(self, difference: Tensor) -> Tensor:
        """By what to divide r^2 / 2 to touch the distance at each difference r."""
        if self.distance == "squared":
            return ops.full_like(difference, 0.5)
        return ops.maximum(ops.abs(difference), RESIDUAL_FLOORS[self.distance])


def total_of(terms: dict[str, Tensor]) -> Tensor:
    """Add up terms `[B]`, in their order."""
    return functools.reduce(operator.add, terms.values())
