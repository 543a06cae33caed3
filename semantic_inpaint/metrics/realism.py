"""How real each image of a generated set looks, from feature vectors."""

import numpy as np

from semantic_inpaint.metrics.vectors import (
    blocks,
    squared_distances,
    squared_radii,
    validate_neighbours,
    validate_vectors,
)


def realism_scores(
    real: np.ndarray, generated: np.ndarray, *, neighbours: int = 3
) -> np.ndarray:
    """Realism of single vectors (Kynkaanniemi et al. 2019, section 5, eq. 4).

    R(g) = max over i of radius_i / |g - real_i|, where radius_i is the distance from
    real_i to its k-th nearest other real vector. The larger half of the radii is left
    out (those above the median), for they belong to rare images, and nearly anything
    lies in such a ball.

    Args:
        real: float `[N, D]`, more than `neighbours` vectors.
        generated: float `[M, D]`, one or more.
        neighbours: k.

    Returns:
        float64 `[M]`, 1 or more just where a vector lies inside one of the balls that
        are left, infinite for an exact copy of the centre of one.

    Raises:
        ValueError: Other shapes, too few vectors, values that are not finite, or
            `neighbours` is not positive.
    """
    validate_neighbours(neighbours)
    real, generated = validate_vectors(real, generated, least=(neighbours + 1, 1))
    radii = squared_radii(real, neighbours=neighbours)
    common = radii <= np.median(radii)
    centres, radii = real[common], radii[common]
    scores = np.empty(len(generated))
    for start, rows in blocks(generated, columns=len(centres)):
        best = _ratios(radii, squared_distances(rows, centres)).argmax(axis=1)
        # Anew from the difference: the expanded square loses the small digits.
        exact = np.square(rows - centres[best]).sum(axis=1)
        scores[start : start + len(rows)] = np.sqrt(_ratios(radii[best], exact))
    return scores


def _ratios(radii: np.ndarray, distances: np.ndarray) -> np.ndarray:
    """Divide squares; infinite at no distance, even where the radius is none."""
    apart = distances > 0
    ratios = np.broadcast_to(radii, distances.shape) / np.where(apart, distances, 1.0)
    return np.where(apart, ratios, np.inf)
