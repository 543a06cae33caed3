"""The two objectives of the search: semantic inpainting, and its refinement.

One convention decides everything here and is stated by no paper: on what scale the
content losses stand beside `prior_weight` times the prior loss (of order 1).

- `"sum"`: as the formulas read, a sum over all weighted pixels and channels;
- `"mean"`: that sum divided by H * W * 3;
- `"normalized"`: that sum divided by the sum of its weights over pixels and channels,
  the mean distance on what counts, whatever the size of the hole.

At 64x64 "sum" makes a weight of .003 12,288 times weaker than "mean" does: the prior
loss then changes nothing.
"""

from __future__ import annotations

import dataclasses
from typing import NamedTuple

import numpy as np
from keras import ops

from semantic_inpaint.backend import Tensor
from semantic_inpaint.losses import inversion
from semantic_inpaint.models.prior import GenerativePrior

REDUCTIONS = ("sum", "mean", "normalized")

# Below it, in [-1, 1], an absolute value is treated as a square. A smaller floor makes
# the weights so unequal that fewer and fewer pixels decide each step.
RESIDUAL_FLOOR = 0.1


class SearchTarget(NamedTuple):
    """What generated images are compared with; each image has its own.

    Attributes:
        images: float32 `[B, H, W, 3]` in [-1, 1].
        weights: float32 `[B, H, W, 1]`, importance of the known pixels; stage 1.
        known: float32 `[B, H, W, 1]`, 1 where observed; stage 2.
        consensus_weight: float32 `[B]`, mu; stage 2.
        scale: float32 `[B]`, what the content losses are multiplied by.
        anchor: float32 `[B, latent_dim]`, codes to stay near; None where nothing holds
            them.
    """

    images: Tensor
    weights: Tensor
    known: Tensor
    consensus_weight: Tensor
    scale: Tensor
    anchor: Tensor | None = None


@dataclasses.dataclass(frozen=True)
class Objective:
    """A loss of codes against a target, one value per image.

    Attributes:
        prior: The generator and discriminator.
        prior_weight: lambda; at 0 the discriminator is not evaluated.
        refine: Stage 2 (eq. 9) instead of stage 1 (eq. 3).
        anchor_weight: Weight of the squared distance from the target's anchor, on no
            scale but its own; at 0 it is not evaluated.
    """

    prior: GenerativePrior
    prior_weight: float = 0.003
    refine: bool = False
    anchor_weight: float = 0.0

    def __call__(self, codes: Tensor, target: SearchTarget) -> Tensor:
        """Evaluate the loss.

        Args:
            codes: float32 `[B, latent_dim]`.
            target: What `G(codes)` is compared with.

        Returns:
            float32 `[B]`; the loss of image i depends on row i alone.
        """
        generated = self.prior.generator(codes, training=False)
        if self.refine:
            content = inversion.global_consensus(
                generated, target.images, target.known
            ) + target.consensus_weight * inversion.inpainting_consensus(
                generated, target.images, target.known
            )
        else:
            content = inversion.content_loss(generated, target.images, target.weights)
        loss = target.scale * content
        if self.prior_weight != 0.0:
            logits = self.prior.discriminator(generated, training=False)
            loss = loss + self.prior_weight * inversion.prior_loss(logits)
        if self.anchor_weight != 0.0:
            distance = inversion.anchor_loss(codes, target.anchor)
            loss = loss + self.anchor_weight * distance
        return loss

    def residuals(self, codes: Tensor, target: SearchTarget) -> tuple[Tensor, Tensor]:
        """Write the loss, near `codes`, as half a weighted sum of squares.

        An absolute value |r| bends like the square r^2 / (2 |r0|) that touches it at
        r0 (iteratively reweighted least squares); below `RESIDUAL_FLOOR` it bends no
        more sharply than there. So the gradient of the loss is that of
        sum(weight * residual^2) / 2 with the weights held, but for residuals below.

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
        weight = scaled / ops.maximum(ops.abs(difference), RESIDUAL_FLOOR)
        size = difference.shape[1] * difference.shape[2] * difference.shape[3]
        residual = ops.reshape(difference, (-1, size))
        weight = ops.reshape(weight, (-1, size))
        if self.anchor_weight != 0.0:
            offset = codes - target.anchor
            pull = ops.full_like(offset, 2.0 * self.anchor_weight)
            residual = ops.concatenate([residual, offset], axis=1)
            weight = ops.concatenate([weight, pull], axis=1)
        return residual, weight


def semantic_target(
    images: np.ndarray,
    weights: np.ndarray,
    *,
    reduction: str = "sum",
    anchor: np.ndarray | None = None,
) -> SearchTarget:
    """Target of stage 1 (Malesevic et al., eq. 3 and 4).

    Args:
        images: float32 `[B, H, W, 3]` in [-1, 1], finite everywhere.
        weights: float32 `[B, H, W]`, from `importance_weights`.
        reduction: `"sum"`, `"mean"` or `"normalized"`.
        anchor: float32 `[B, latent_dim]`, codes to stay near, or None.

    Raises:
        ValueError: An unknown `reduction`.
    """
    known = (weights > 0).astype(np.float32)
    return SearchTarget(
        images=images,
        weights=weights[..., None],
        known=known[..., None],
        consensus_weight=np.zeros(len(images), np.float32),
        scale=_scale(weights, reduction),
        anchor=anchor,
    )


def refinement_target(
    blended: np.ndarray,
    known: np.ndarray,
    consensus_weight: np.ndarray,
    *,
    reduction: str = "sum",
    anchor: np.ndarray | None = None,
) -> SearchTarget:
    """Target of stage 2: all pixels of the blended image (eq. 7 to 9).

    Args:
        blended: float32 `[B, H, W, 3]` in [-1, 1].
        known: bool `[B, H, W]`.
        consensus_weight: float `[B]`, mu.
        reduction: `"sum"`, `"mean"` or `"normalized"`.
        anchor: float32 `[B, latent_dim]`, codes to stay near, or None.

    Raises:
        ValueError: An unknown `reduction`.
    """
    consensus_weight = np.asarray(consensus_weight, np.float32)
    weights = np.where(known, np.float32(1), consensus_weight[:, None, None])
    return SearchTarget(
        images=blended,
        weights=weights[..., None],
        known=known.astype(np.float32)[..., None],
        consensus_weight=consensus_weight,
        scale=_scale(weights, reduction),
        anchor=anchor,
    )


def _scale(weights: np.ndarray, reduction: str) -> np.ndarray:
    if reduction not in REDUCTIONS:
        raise ValueError(
            f"`reduction` must be one of {', '.join(REDUCTIONS)}; got {reduction!r}."
        )
    count, height, width = weights.shape
    if reduction == "sum":
        divisor = np.ones(count)
    elif reduction == "mean":
        divisor = np.full(count, 3.0 * height * width)
    else:
        divisor = 3.0 * weights.sum(axis=(1, 2), dtype=np.float64)
    return (1.0 / divisor).astype(np.float32)
