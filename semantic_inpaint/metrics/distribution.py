"""How near two sets of images are as distributions, from feature vectors of each.

Which features they are decides what a number means: none of these is an FID unless the
features are those of the Inception network that the FID is defined by. All grow or
shrink with the number of vectors; compare sets of equal size.
"""

from typing import NamedTuple

import numpy as np

from semantic_inpaint.metrics.vectors import (
    blocks,
    squared_distances,
    squared_radii,
    validate_neighbours,
    validate_vectors,
)


class KernelDistance(NamedTuple):
    """Squared maximum mean discrepancy: mean over blocks, standard error of the mean.

    `standard_error` is NaN where there is one block only.
    """

    mean: float
    standard_error: float


class PrecisionRecall(NamedTuple):
    """Shares in [0, 1]: of generated vectors that look real, of real ones covered."""

    precision: float
    recall: float


class DensityCoverage(NamedTuple):
    """Real balls round a generated vector (about 1), real balls reached (at most 1)."""

    density: float
    coverage: float


def frechet_distance(features_a: np.ndarray, features_b: np.ndarray) -> float:
    """Squared Frechet distance between Gaussians fitted to two sets.

    |m_a - m_b|^2 + tr(A + B - 2 (A B)^(1/2)) (Dowson and Landau 1982; Heusel et al.
    2017). With A = X'X and B = Y'Y of the centred sets the trace of the root is the sum
    of the singular values of X Y', so that no root of a singular matrix is taken.

    Args:
        features_a: float `[N, D]`, two vectors or more.
        features_b: float `[M, D]`, two vectors or more.

    Returns:
        0 or more; 0 where means and covariances agree.

    Raises:
        ValueError: Other shapes, too few vectors, or values that are not finite.
    """
    a, b = validate_vectors(features_a, features_b, least=(2, 2))
    shift = a.mean(axis=0) - b.mean(axis=0)
    root_a, root_b = _covariance_root(a), _covariance_root(b)
    shared = np.linalg.svd(root_a @ root_b.T, compute_uv=False).sum()
    spread = np.square(root_a).sum() + np.square(root_b).sum()
    return float(max(0.0, shift @ shift + spread - 2.0 * shared))


def kernel_distance(
    features_a: np.ndarray,
    features_b: np.ndarray,
    *,
    block_size: int = 1000,
    num_blocks: int = 100,
    seed: int = 0,
) -> KernelDistance:
    """Squared MMD with the kernel (x.y / D + 1)^3 (Binkowski et al. 2018).

    The estimate is unbiased, so it may be below 0. Blocks are drawn at random, without
    replacement in a block; a set no larger than a block is used whole in each.

    Args:
        features_a: float `[N, D]`, two vectors or more.
        features_b: float `[M, D]`, two vectors or more.
        block_size: Vectors of each set in a block.
        num_blocks: Blocks; one where they would all be the same.
        seed: Of the drawing.

    Returns:
        Mean and standard error over the blocks.

    Raises:
        ValueError: Other shapes, too few vectors, values that are not finite, a block
            of fewer than two, or no block.
    """
    a, b = validate_vectors(features_a, features_b, least=(2, 2))
    if block_size < 2 or num_blocks < 1:
        raise ValueError(
            "`block_size` must be 2 or more and `num_blocks` 1 or more; got "
            f"{block_size} and {num_blocks}."
        )
    rng = np.random.default_rng(seed)
    if max(len(a), len(b)) <= block_size:
        num_blocks = 1
    values = np.array(
        [
            _squared_discrepancy(_draw(a, block_size, rng), _draw(b, block_size, rng))
            for _ in range(num_blocks)
        ]
    )
    error = values.std(ddof=1) / num_blocks**0.5 if num_blocks > 1 else np.nan
    return KernelDistance(float(values.mean()), float(error))


def precision_recall(
    real: np.ndarray, generated: np.ndarray, *, neighbours: int = 3
) -> PrecisionRecall:
    """Precision and recall of manifolds (Kynkaanniemi et al. 2019).

    Each set stands for the union of balls round its vectors, each as large as the
    distance to the `neighbours`-th other vector of that set.

    Args:
        real: float `[N, D]`, more than `neighbours` vectors.
        generated: float `[M, D]`, more than `neighbours` vectors.
        neighbours: k.

    Returns:
        The share of generated vectors in the union of the real balls, and the other
        way round.

    Raises:
        ValueError: Other shapes, too few vectors, values that are not finite, or
            `neighbours` is not positive.
    """
    real, generated = _validate_sets(real, generated, neighbours)
    inside_real, _ = _ball_counts(real, generated, neighbours)
    inside_generated, _ = _ball_counts(generated, real, neighbours)
    return PrecisionRecall(
        float((inside_real > 0).mean()), float((inside_generated > 0).mean())
    )


def density_coverage(
    real: np.ndarray, generated: np.ndarray, *, neighbours: int = 5
) -> DensityCoverage:
    """Density and coverage (Naeem et al. 2020), steadier than precision and recall.

    Args:
        real: float `[N, D]`, more than `neighbours` vectors; the balls are round them.
        generated: float `[M, D]`, more than `neighbours` vectors.
        neighbours: k.

    Returns:
        The mean number of real balls round a generated vector, divided by k; the share
        of real balls with a generated vector inside.

    Raises:
        ValueError: Other shapes, too few vectors, values that are not finite, or
            `neighbours` is not positive.
    """
    real, generated = _validate_sets(real, generated, neighbours)
    balls_round, reached = _ball_counts(real, generated, neighbours)
    return DensityCoverage(
        float(balls_round.mean() / neighbours), float(reached.mean())
    )


def nearest_neighbours(
    queries: np.ndarray, gallery: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Find the nearest row of a gallery for each query, a bounded block at a time.

    Args:
        queries: `[Q, ...]`, numbers of any type: vectors or images.
        gallery: `[G, ...]`, of the same shape but for G; a memory map will do.

    Returns:
        int64 `[Q]`, rows of the gallery, and float64 `[Q]`, Euclidean distances. An
        exact copy has distance 0.

    Raises:
        ValueError: One of them is empty, or their rows differ in shape.
    """
    if queries.shape[1:] != gallery.shape[1:] or not (len(queries) and len(gallery)):
        raise ValueError(
            "`queries` and `gallery` must be [Q, ...] and [G, ...] with rows of one "
            f"shape, none empty; got {queries.shape} and {gallery.shape}."
        )
    index = np.zeros(len(queries), np.int64)
    smallest = np.full(len(queries), np.inf)
    for begin, others in blocks(gallery):
        for start, rows in blocks(queries):
            squared = squared_distances(rows, others)
            found = squared.argmin(axis=1)
            # Anew from the difference: the expanded square loses the small digits.
            exact = np.square(rows - others[found]).sum(axis=1)
            span = slice(start, start + len(rows))
            better = exact < smallest[span]
            index[span] = np.where(better, begin + found, index[span])
            smallest[span] = np.where(better, exact, smallest[span])
    return index, np.sqrt(smallest)


def _validate_sets(
    real: np.ndarray, generated: np.ndarray, neighbours: int
) -> tuple[np.ndarray, np.ndarray]:
    """Check two sets of which each is to be covered with balls."""
    validate_neighbours(neighbours)
    return validate_vectors(real, generated, least=(neighbours + 1, neighbours + 1))


def _covariance_root(features: np.ndarray) -> np.ndarray:
    """Give R with R'R the unbiased covariance, at most `[D, D]`."""
    centred = (features - features.mean(axis=0)) / (len(features) - 1) ** 0.5
    return np.linalg.qr(centred, mode="r")


def _draw(features: np.ndarray, size: int, rng: np.random.Generator) -> np.ndarray:
    return features[rng.permutation(len(features))[:size]]


def _squared_discrepancy(a: np.ndarray, b: np.ndarray) -> float:
    """Unbiased squared MMD: no vector is compared with itself."""

    def kernel(x: np.ndarray, y: np.ndarray) -> np.ndarray:
        return (x @ y.T / x.shape[1] + 1.0) ** 3

    def mean_of_pairs(x: np.ndarray) -> float:
        values = kernel(x, x)
        return (values.sum() - np.trace(values)) / (len(x) * (len(x) - 1))

    return mean_of_pairs(a) + mean_of_pairs(b) - 2.0 * kernel(a, b).mean()


def _ball_counts(
    centres: np.ndarray, points: np.ndarray, neighbours: int
) -> tuple[np.ndarray, np.ndarray]:
    """Count the balls round each point; tell which balls have a point in them."""
    counts = np.zeros(len(points), np.int64)
    reached = np.zeros(len(centres), bool)
    radii = squared_radii(centres, neighbours=neighbours)
    for start, rows in blocks(centres, columns=len(points)):
        span = slice(start, start + len(rows))
        inside = squared_distances(rows, points) <= radii[span, None]
        counts += inside.sum(axis=0)
        reached[span] = inside.any(axis=1)
    return counts, reached
