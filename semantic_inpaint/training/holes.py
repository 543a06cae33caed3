"""Holes of a training: every kind at once, brush strokes, or one published pattern."""

from __future__ import annotations

import difflib
from collections.abc import Callable

import numpy as np

from semantic_inpaint.masks import (
    FREE_FORM_GROUPS,
    PATTERNS,
    draw_free_form,
    make_known,
    random_pixels,
    random_square,
    spread_pixels,
    two_rectangles,
)

# Streams of random numbers drawn from a seed, beside those of the training loop.
HOLES, STROKES, KINDS, FACTORS, PARTS = 10, 12, 16, 17, 18

HOLE_KINDS = ("mixed", "any", "freeform", "two-rectangles", "super-resolution")
"""What may be missing beside a published pattern by its name."""
# Between the words of several kinds, of which each image has one.
JOINT = "+"
# On fewer pixels a stroke is as wide as the largest holes that the groups allow.
SMALLEST_FREEFORM = 32

# Of the kind "any"; the rest is "mixed".
STROKED_SHARE = 0.25

SPREAD_FACTORS = (2, 3, 4)
SQUARE_SHARES = (0.05, 0.5)
PIXEL_SHARES = (0.2, 0.9)

Family = Callable[[int, np.random.Generator], np.ndarray]


def check_holes(holes: str, size: int) -> None:
    """Check that `training_holes` can draw a kind on images of a size.

    Raises:
        ValueError: An unknown word, or brush strokes on fewer than 32 x 32 pixels.
    """
    if JOINT in holes:
        for kind in holes.split(JOINT):
            check_holes(kind, size)
        return
    if holes not in HOLE_KINDS and holes not in PATTERNS:
        words = (*HOLE_KINDS, *PATTERNS)
        near = difflib.get_close_matches(holes, words, n=1)
        hint = f" Did you mean {near[0]!r}?" if near else ""
        raise ValueError(
            f"`holes` must be one of {', '.join(words)}, or several joined by "
            f"{JOINT!r}; got {holes!r}.{hint}"
        )
    if holes in ("any", "freeform") and size < SMALLEST_FREEFORM:
        raise ValueError(
            f"brush strokes need images of {SMALLEST_FREEFORM} x {SMALLEST_FREEFORM} "
            f"pixels or more; got {size}. Use holes='mixed'."
        )


def training_holes(
    count: int, size: int, *, seed: int, step: int, holes: str = "mixed"
) -> np.ndarray:
    """Draw the holes of one step.

    - `"mixed"`: of ten images one has no hole, five have one of the six published
      patterns, each as likely, half of them mirrored and transposed at random (so that
      there are right, upper and lower halves too); two have a square of 5% to 50% of
      the image, two have 20% to 90% of single pixels missing.
    - `"any"`: a quarter of the images as by `"freeform"`, the others as by `"mixed"`.
    - `"freeform"`: brush strokes (`masks.draw_free_form`) of one of the six ratios of
      hole to image of Liu et al. 2018 (section 4.1), with or without a hole at the
      border, each of the twelve groups as likely.
    - `"two-rectangles"`: the one mask of Lundgren et al. 2018, for all images.
    - `"super-resolution"`: one pixel in the middle of every 2, 3 or 4 squared is known
      (`masks.spread_pixels`; Liu et al. 2018, section 5.2), each factor as likely.
    - A published pattern's name: its holes, a fresh one for each image of each step
      where it draws any.
    - Several of these, as in `"any+center"`: each image has a hole of one of them, each
      as likely; a word may come twice.

    Args:
        count: Number of images B.
        size: H and W.
        seed: 0 or more.
        step: 0 or more; the holes depend on it, on `seed`, on the kind and on the
            shape alone.
        holes: Which kind.

    Returns:
        `known`, bool `[B, size, size]`.

    Raises:
        ValueError: An unknown kind, or too few pixels for it.
    """
    check_holes(holes, size)
    if count == 0:
        return np.ones((0, size, size), bool)
    if JOINT in holes:
        return _one_of(holes.split(JOINT), count, size, seed, step)
    if holes == "mixed":
        return _mixed(count, size, seed, step)
    if holes == "freeform":
        return _freeform(count, size, seed, step)
    if holes == "any":
        return _any(count, size, seed, step)
    if holes == "two-rectangles":
        return np.repeat(two_rectangles(size, size)[None], count, axis=0)
    if holes == "super-resolution":
        rng = np.random.default_rng([seed, FACTORS, step])
        factors = rng.choice(SPREAD_FACTORS, size=count)
        return np.stack([spread_pixels(size, size, factor) for factor in factors])
    numbers = step * count + np.arange(count)
    return make_known(holes, count, size, size, seed=seed, indices=numbers)


def _one_of(
    kinds: list[str], count: int, size: int, seed: int, step: int
) -> np.ndarray:
    parts = [
        training_holes(count, size, seed=seed, step=step, holes=kind) for kind in kinds
    ]
    rng = np.random.default_rng([seed, PARTS, step])
    return np.stack(parts)[rng.integers(len(kinds), size=count), np.arange(count)]


def _mixed(count: int, size: int, seed: int, step: int) -> np.ndarray:
    rng = np.random.default_rng([seed, HOLES, step])
    kinds = rng.choice(len(FAMILIES), size=count, p=[share for share, _ in FAMILIES])
    return np.stack([FAMILIES[kind][1](size, rng) for kind in kinds])


def _freeform(count: int, size: int, seed: int, step: int) -> np.ndarray:
    rng = np.random.default_rng([seed, STROKES, step])
    groups = list(FREE_FORM_GROUPS.values())
    places = rng.integers(len(groups), size=count)
    return np.stack([draw_free_form(groups[i], size, size, rng) for i in places])


def _any(count: int, size: int, seed: int, step: int) -> np.ndarray:
    known = _mixed(count, size, seed, step)
    rng = np.random.default_rng([seed, KINDS, step])
    stroked = np.flatnonzero(rng.random(count) < STROKED_SHARE)
    if stroked.size:
        known[stroked] = _freeform(len(stroked), size, seed, step)
    return known


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
