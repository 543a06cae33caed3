"""What the images of a search are compared with, and on what scale.

No paper states how the content losses stand beside `prior_weight` times the prior loss
(of order 1):

- `"sum"`: as the formulas read, a sum over all weighted pixels and channels;
- `"mean"`: that sum divided by H * W * 3;
- `"normalized"`: that sum divided by the sum of its weights over pixels and channels,
  the mean distance on what counts, whatever the size of the hole.

At 64x64 "sum" makes a weight of .003 12,288 times weaker than "mean" does: the prior
loss then changes nothing.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from semantic_inpaint.backend import Tensor

REDUCTIONS = ("sum", "mean", "normalized")


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
