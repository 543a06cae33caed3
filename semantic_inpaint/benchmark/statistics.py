"""Bootstrap intervals of means, a paired test, and its correction for many cells.

One matrix of draws serves every cell of the same number of images, so that a thousand
intervals take a second, and cells of the same images are resampled together.
"""

from __future__ import annotations

import functools

import numpy as np
from scipy import special, stats

CONFIDENCE = 0.95
NUM_RESAMPLES = 5000
BLOCK = 500


def mean_intervals(
    values: np.ndarray,
    *,
    confidence: float = CONFIDENCE,
    num_resamples: int = NUM_RESAMPLES,
    seed: int = 0,
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Means over images, with bootstrap intervals (BCa; Efron 1987).

    Args:
        values: float `[N, M]`: N images, M quantities.
        confidence: Of the intervals, in (0, 1).
        num_resamples: How often N images are drawn with replacement.
        seed: Of the draws.

    Returns:
        Means, lower and upper ends, each float64 `[M]`. The ends are NaN where a value
        is not finite or N is 1, and equal the mean where all values agree.

    Raises:
        ValueError: Another shape, no image, or an option out of range.
    """
    values = _validated(values, confidence, num_resamples)
    # Infinite values of both signs in one column have no mean.
    with np.errstate(invalid="ignore"):
        estimate = values.mean(axis=0)
    low, high = np.full((2, values.shape[1]), np.nan)
    fit = np.isfinite(values).all(axis=0)
    if fit.any() and len(values) > 1:
        low[fit], high[fit] = _bca(
            estimate[fit],
            resampled_means(values[:, fit], num_resamples=num_resamples, seed=seed),
            _means_without_each(values[:, fit]),
            confidence,
        )
    return estimate, low, high


def pooled_gain_interval(
    before: np.ndarray,
    after: np.ndarray,
    *,
    confidence: float = CONFIDENCE,
    num_resamples: int = NUM_RESAMPLES,
    seed: int = 0,
) -> tuple[float, float, float]:
    """Gain in pooled PSNR, 10 log10(mean MSE before / mean MSE after), with interval.

    Args:
        before: float `[N]`, mean squared errors of N images.
        after: float `[N]`, of the same images.
        confidence: Of the interval.
        num_resamples: How often N pairs are drawn with replacement.
        seed: Of the draws.

    Returns:
        The gain in decibels, lower and upper end; the ends are NaN for a single image,
        all are where an error is zero on the whole.

    Raises:
        ValueError: Shapes differ, no image, or an option out of range.
    """
    if np.shape(before) != np.shape(after):
        raise ValueError(
            "`before` and `after` must hold the same images; got shapes "
            f"{np.shape(before)} and {np.shape(after)}."
        )
    pairs = np.stack([before, after], axis=-1)
    pairs = _validated(pairs, confidence, num_resamples)
    draws = resampled_means(pairs, num_resamples=num_resamples, seed=seed)
    if not (np.isfinite(pairs).all() and draws.min() > 0.0):
        return np.nan, np.nan, np.nan
    gain = _ratio_in_decibels(pairs.mean(axis=0, keepdims=True))
    if len(pairs) == 1:
        return float(gain[0, 0]), np.nan, np.nan
    low, high = _bca(
        gain[0],
        _ratio_in_decibels(draws),
        _ratio_in_decibels(_means_without_each(pairs)),
        confidence,
    )
    return float(gain[0, 0]), float(low[0]), float(high[0])


def resampled_means(
    values: np.ndarray, *, num_resamples: int = NUM_RESAMPLES, seed: int = 0
) -> np.ndarray:
    """Means of images drawn with replacement, float64 `[num_resamples, M]`.

    Args:
        values: float `[N, M]`, finite.
        num_resamples: How often N images are drawn.
        seed: Of the draws, which depend on N, on the number and on this alone.
    """
    counts = _draw_counts(len(values), num_resamples, seed)
    blocks = [
        counts[start : start + BLOCK].astype(np.float64) @ values
        for start in range(0, num_resamples, BLOCK)
    ]
    return np.concatenate(blocks) / len(values)


def paired_p_value(differences: np.ndarray) -> float:
    """Two-sided paired t-test that the mean difference is zero.

    It asks about the mean, as the tables and intervals do; a rank test would ask about
    another quantity, and could contradict them.

    Args:
        differences: float `[N]`, after less before.

    Returns:
        The p-value; NaN for fewer than two images or a value that is not finite; 1
        where nothing changes, 0 where every image changes by the same amount.
    """
    differences = np.asarray(differences, dtype=np.float64)
    if len(differences) < 2 or not np.isfinite(differences).all():
        return np.nan
    if np.ptp(differences) == 0.0:
        return float(differences[0] == 0.0)
    deviation = differences.std(ddof=1) / len(differences) ** 0.5
    statistic = abs(differences.mean()) / deviation
    return float(2.0 * stats.t.sf(statistic, len(differences) - 1))


def holm(p_values: np.ndarray) -> np.ndarray:
    """Correct p-values for their number (Holm 1979, step down).

    Args:
        p_values: float `[K]`; NaN for tests that could not be made, which do not count.

    Returns:
        float64 `[K]`: the chance that any true null hypothesis is refused is at most
        `a` where all with a corrected value of at most `a` are refused.
    """
    p_values = np.asarray(p_values, dtype=np.float64)
    corrected = np.full(p_values.shape, np.nan)
    order = np.argsort(p_values)[: np.isfinite(p_values).sum()]
    scaled = p_values[order] * np.arange(len(order), 0, -1)
    corrected[order] = np.minimum(np.maximum.accumulate(scaled), 1.0)
    return corrected


def _bca(
    estimate: np.ndarray, draws: np.ndarray, without_each: np.ndarray, confidence: float
) -> tuple[np.ndarray, np.ndarray]:
    """Ends of the bias-corrected and accelerated interval, each `[M]`."""
    # Bias: where the estimate lies among the draws, ties counting half.
    below = ((draws < estimate).mean(axis=0) + (draws <= estimate).mean(axis=0)) / 2.0
    # Not all on one side, which few draws of few images could come to.
    margin = 0.5 / len(draws)
    bias = special.ndtri(np.clip(below, margin, 1.0 - margin))

    # Acceleration: the skewness of the influence of each image.
    influence = without_each.mean(axis=0) - without_each
    # Rounding alone would give skewness and an interval to values that all agree.
    constant = np.ptp(without_each, axis=0) <= 1e-12 * np.abs(estimate)
    scale = np.where(constant, 1.0, np.square(influence).sum(axis=0))
    acceleration = (influence**3).sum(axis=0) / (6.0 * scale**1.5)

    ends = []
    for tail in ((1.0 - confidence) / 2.0, (1.0 + confidence) / 2.0):
        moved = bias + special.ndtri(tail)
        level = special.ndtr(bias + moved / (1.0 - acceleration * moved))
        ends.append([np.quantile(draws[:, m], level[m]) for m in range(len(estimate))])
    low, high = np.array(ends)
    return np.where(constant, estimate, low), np.where(constant, estimate, high)


@functools.lru_cache(maxsize=2)
def _draw_counts(count: int, num_resamples: int, seed: int) -> np.ndarray:
    """How often each image is drawn, int16 `[num_resamples, count]`."""
    rng = np.random.default_rng(seed)
    drawn = rng.multinomial(count, np.full(count, 1.0 / count), size=num_resamples)
    counts = drawn.astype(np.int16)
    counts.setflags(write=False)
    return counts


def _means_without_each(values: np.ndarray) -> np.ndarray:
    return (values.sum(axis=0) - values) / (len(values) - 1)


def _ratio_in_decibels(means: np.ndarray) -> np.ndarray:
    return 10.0 * np.log10(means[:, :1] / means[:, 1:])


def _validated(values: np.ndarray, confidence: float, num_resamples: int) -> np.ndarray:
    values = np.asarray(values, dtype=np.float64)
    if values.ndim != 2 or len(values) == 0:
        raise ValueError(
            f"`values` must have shape [N, M] with N of 1 or more; got {values.shape}. "
            "Give a column for each quantity."
        )
    if not 0.0 < confidence < 1.0:
        raise ValueError(f"`confidence` must be in (0, 1); got {confidence}.")
    if num_resamples < 1:
        raise ValueError(f"`num_resamples` must be 1 or more; got {num_resamples}.")
    return values
