"""The inception score of a set of images, from what a classifier says of each."""

from typing import NamedTuple

import numpy as np
from scipy.special import log_softmax, logsumexp


class InceptionScore(NamedTuple):
    """Mean and standard deviation (with N as divisor) over parts of the set."""

    mean: float
    standard_deviation: float


def inception_score(
    logits: np.ndarray, *, splits: int = 10, seed: int = 0
) -> InceptionScore:
    """Exponential of the mean divergence of p(y|x) from p(y) (Salimans et al. 2016).

    exp(E_x KL(p(y|x) || p(y))), p(y) the mean over the part; high where each image is
    told clearly and the images differ in class. It sees no original. Of a set of one
    kind of thing, such as faces, it says little, and it grows with the size of a part.

    The column IScore of Liu et al. 2018 (partial convolutions), table 1, cannot be
    this: an exponential of a divergence is 1 or more, theirs begins at 0.05 and grows
    with the hole. The paper does not define it.

    Args:
        logits: float `[N, K]`, of the classes, before the softmax. Only with those of
            the Inception network of 2015 is it an inception score.
        splits: Parts of (nearly) equal size; the literature takes 10.
        seed: Of the order in which the images are dealt to the parts.

    Returns:
        Over the parts, each in [1, K].

    Raises:
        ValueError: Another shape, values that are not finite, or `splits` not in
            [1, N].
    """
    logits = np.asarray(logits, np.float64)
    if logits.ndim != 2 or logits.size == 0 or not np.isfinite(logits).all():
        raise ValueError(
            "`logits` must be [N, K], finite, and no axis empty; got shape "
            f"{logits.shape}. Leave images out of which nothing can be told."
        )
    if not 1 <= splits <= len(logits):
        raise ValueError(
            f"`splits` must be in [1, {len(logits)}], the number of images; got "
            f"{splits}."
        )
    order = np.random.default_rng(seed).permutation(len(logits))
    parts = np.array_split(log_softmax(logits, axis=1)[order], splits)
    scores = np.array([_score(part) for part in parts])
    return InceptionScore(float(scores.mean()), float(scores.std()))


def _score(log_given: np.ndarray) -> float:
    """Score one part, log p(y|x) `[N, K]`."""
    log_mean = logsumexp(log_given, axis=0) - np.log(len(log_given))
    divergence = (np.exp(log_given) * (log_given - log_mean)).sum(axis=1)
    return float(np.exp(divergence.mean()))
