"""The imputed convolution of Hukkelås et al. (2020), place by place, in float64."""

import numpy as np

from tests.reference.gated_conv import convolve

EPSILONS = {"official": 0.01, "paper": 1e-8}


def impute(features, certainty, taps, bias, *, variant="official"):
    """Return the expected features (eq. 3), with the estimate of eq. 4.

    `taps` is `[K, K, C]`. Both sums of eq. 4 run over the places of the window that are
    in the image; the lower one is divided by K^2, and kept from 0 by .01 in the code.
    """
    _, height, width, _ = features.shape
    size = taps.shape[0]
    reach = size // 2
    expected = np.empty(features.shape)
    for row, column in np.ndindex(height, width):
        upper, lower = np.zeros_like(features[:, 0, 0]) + bias, 0.0
        for y in range(max(0, row - reach), min(height, row + reach + 1)):
            for x in range(max(0, column - reach), min(width, column + reach + 1)):
                here = certainty[:, y, x]
                tap = taps[y - row + reach, x - column + reach]
                upper = upper + features[:, y, x] * here * tap
                lower = lower + here
        estimate = upper / (lower / size**2 + EPSILONS[variant])
        sure = certainty[:, row, column]
        expected[:, row, column] = sure * features[:, row, column] + (
            (1 - sure) * estimate
        )
    return expected


def carry_on(certainty, kernel, variant):
    """Return the next certainty (eq. 5), by the paper or by its code."""
    probability = 1 / (1 + np.exp(-convolve(certainty, kernel)))
    if variant == "paper":
        return probability
    return np.clip((probability - 0.5) * 2 + 1e-6, 0, 1)


def weighted_pool(features, certainty):
    """Return certainty-weighted means of 2x2 blocks, and the mean certainty."""
    _, height, width, _ = features.shape
    pooled = np.empty((len(features), height // 2, width // 2, features.shape[-1]))
    mean = np.empty((*pooled.shape[:3], 1))
    for i, j in np.ndindex(pooled.shape[1:3]):
        block = np.s_[:, 2 * i : 2 * i + 2, 2 * j : 2 * j + 2]
        mean[:, i, j] = certainty[block].mean((1, 2))
        upper = (features[block] * certainty[block]).mean((1, 2))
        pooled[:, i, j] = upper / (mean[:, i, j] + 0.01)
    return pooled, mean
