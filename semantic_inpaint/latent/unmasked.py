"""Inversion of whole images: the ceiling of all that a prior can do."""

from __future__ import annotations

import dataclasses

import numpy as np
from keras import ops

from semantic_inpaint.backend import Tensor
from semantic_inpaint.images import to_network
from semantic_inpaint.latent.objective import SearchTarget, semantic_target
from semantic_inpaint.latent.search import (
    LatentSolution,
    SearchOptions,
    search_latent,
)
from semantic_inpaint.models.prior import GenerativePrior

UNMASKED_SEARCH = SearchOptions(num_steps=300, learning_rate=0.05, schedule="cosine")
START_SCALE = 0.3
BATCH_SIZE = 50


@dataclasses.dataclass(frozen=True)
class SquaredObjective:
    """Weighted squared error of generated images, one value per image.

    With all weights 1 its minimum over the codes is the best PSNR that a prior can
    reach.

    Attributes:
        prior: Has the generator.
    """

    prior: GenerativePrior

    def __call__(self, codes: Tensor, target: SearchTarget) -> Tensor:
        """Evaluate the loss: codes float32 `[B, latent_dim]` to float32 `[B]`."""
        generated = self.prior.generator(codes, training=False)
        squared = target.weights * ops.square(generated - target.images)
        return target.scale * ops.sum(squared, axis=(1, 2, 3))

    def residuals(self, codes: Tensor, target: SearchTarget) -> tuple[Tensor, Tensor]:
        """Return `(residual, weight)` `[B, K]`; half the weighted squares are the loss.

        See `Objective.residuals`.
        """
        difference = self.prior.generator(codes, training=False) - target.images
        scaled = 2.0 * target.scale[:, None, None, None] * target.weights
        weight = scaled * ops.ones_like(difference)
        size = difference.shape[1] * difference.shape[2] * difference.shape[3]
        return ops.reshape(difference, (-1, size)), ops.reshape(weight, (-1, size))


def invert_images(
    prior: GenerativePrior,
    images: np.ndarray,
    *,
    options: SearchOptions = UNMASKED_SEARCH,
    seed: int = 0,
) -> LatentSolution:
    """Find the code of each whole image.

    Args:
        prior: To search in.
        images: float32 `[B, H, W, 3]` in [0, 1], of the prior's size.
        options: Of the search.
        seed: Of the codes that the search starts from, near the average face.

    Returns:
        The best codes found; `prior.generate(solution.z)` are their images.
    """
    starts = np.float32(START_SCALE) * prior.codes_for(
        np.arange(len(images)), seed=seed
    )
    target = semantic_target(to_network(images), np.ones(images.shape[:3], np.float32))
    return search_latent(
        SquaredObjective(prior), starts, target, options, slots=BATCH_SIZE
    )
