"""Holes of every kind for a network that has to cope with all of them."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from semantic_inpaint.masks import PATTERNS, random_pixels, random_square

# Stream of random numbers drawn from a seed, beside those of the training loop.
HOLES = 10

SQUARE_SHARES = (0.05, 0.5)
PIXEL_SHARES = (0.2, 0.9)

Family = Callable[[int, np.random.Generator], np.ndarray]


def training_holes(count: int, size: int, *, seed: int, step: int) -> np.ndarray:
    """Draw the holes of one step.

    Of ten images one has no hole, five have one of the six published patterns, each
    as likely, half of them mirrored and transposed at random (so that there are right,
    upper and lower halves too); two have a square of 5% to 50% of the image, two have
    20% to 90% of single pixels missing.

    Args:
        count: Number of images B.
        size: H and W.
        seed: 0 or more.
        step: 0 or more; the holes depend on it, on `seed` and on the shape alone.

    Returns:
        `known`, bool `[B, size, size]`.
    """
    rng = np.random.default_rng([seed, HOLES, step])
    kinds = rng.choice(len(FAMILIES), size=count, p=[share for share, _ in FAMILIES])
    holes = [FAMILIES[kind][1](size, rng) for kind in kinds]
    return np.stack(holes) if holes else np.ones((0, size, size), bool)


def _nothing_missing(size: int, _: np.random.Generator) -> np.ndarray:
    return np.ones((size, size), bool)


def _published(size: int, rng: np.random.Generator) -> np.ndarray:
    name = list(PATTERNS)[rng.integers(len(PATTERNS))]
    known = PATTERNS[name].make(size, size, rng)
    turned, transposed, upside_down, mirrored = rng.random(4) < 0.5
    if turned:
        known = known.T if transposed else known
        known = known[::-1] if upside_down else known
        known = known[:, ::-1] if mirrored else known
    return known


def _square(size: int, rng: np.random.Generator) -> np.ndarray:
    share = rng.uniform(*SQUARE_SHARES)
    return random_square(size, size, rng, hole_fraction=share)


def _pixels(size: int, rng: np.random.Generator) -> np.ndarray:
    share = rng.uniform(*PIXEL_SHARES)
    return random_pixels(size, size, rng, hole_fraction=share)


# How often each family comes.
FAMILIES: tuple[tuple[float, Family], ...] = (
    (0.1, _nothing_missing),
    (0.5, _published),
    (0.2, _square),
    (0.2, _pixels),
)
