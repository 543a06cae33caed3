"""The loss of Liu et al. (2018) pixel by pixel, for one image, in float64."""

import itertools

import numpy as np


def mean_absolute(values):
    return np.abs(np.asarray(values, np.float64)).mean()


def pixel_terms(generated, target, known):
    """Return L_valid and L_hole of `[H, W, C]` images and `[H, W]` known pixels."""
    sums = {True: 0.0, False: 0.0}
    for row, column in np.ndindex(known.shape):
        difference = generated[row, column].astype(np.float64) - target[row, column]
        sums[bool(known[row, column])] += np.abs(difference).sum()
    return sums[True] / target.size, sums[False] / target.size


def gram(maps):
    """Products of channels of `[H, W, C]`, over C H W."""
    return np.einsum("hwi,hwj->ij", maps, maps, dtype=np.float64) / maps.size


def perceptual(maps, target_maps):
    return sum(
        mean_absolute(a.astype(np.float64) - b)
        for a, b in zip(maps, target_maps, strict=True)
    )


def style(maps, target_maps):
    return sum(
        mean_absolute(gram(a) - gram(b)) for a, b in zip(maps, target_maps, strict=True)
    )


def variation(composite, known):
    """Differences of neighbours within the hole grown by one pixel."""
    height, width, channels = composite.shape
    hole = {(i, j) for i, j in np.ndindex(height, width) if not known[i, j]}
    steps = list(itertools.product((-1, 0, 1), repeat=2))
    grown = {(i + a, j + b) for i, j in hole for a, b in steps}
    across = down = 0.0
    for i, j in np.ndindex(height, width):
        here = composite[i, j].astype(np.float64)
        if j + 1 < width and {(i, j), (i, j + 1)} <= grown:
            across += np.abs(composite[i, j + 1] - here).sum()
        if i + 1 < height and {(i, j), (i + 1, j)} <= grown:
            down += np.abs(composite[i + 1, j] - here).sum()
    return across / (height * (width - 1) * channels) + down / (
        (height - 1) * width * channels
    )
