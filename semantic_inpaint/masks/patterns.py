"""The six published hole patterns by name, and one hole for each image of a batch."""

import dataclasses
import difflib
from collections.abc import Callable, Mapping, Sequence
from types import MappingProxyType

import numpy as np

from semantic_inpaint.masks.holes import (
    center_hole,
    left_half,
    random_pixels,
    random_square,
    stripes,
)
from semantic_inpaint.masks.validation import validate_known


@dataclasses.dataclass(frozen=True)
class MaskPattern:
    """One of the six published hole patterns.

    Attributes:
        name: What it is called on the command line.
        number: Its number in the paper, 1 to 6.
        title: What it is called in tables and figures.
        consensus_weight: The paper's mu of the refinement objective for it.
        make: `make(height, width, rng)` gives `known`, bool `[H, W]`.
    """

    name: str
    number: int
    title: str
    consensus_weight: float
    make: Callable[[int, int, np.random.Generator], np.ndarray]


PATTERNS: Mapping[str, MaskPattern] = MappingProxyType(
    {
        pattern.name: pattern
        for pattern in (
            MaskPattern("random-square", 1, "Random square 25%", 0.66, random_square),
            MaskPattern(
                "big-random-square",
                2,
                "Random square 50%",
                0.33,
                lambda height, width, rng: random_square(
                    height, width, rng, hole_fraction=0.5
                ),
            ),
            MaskPattern(
                "stripes",
                3,
                "Stripes",
                0.2,
                lambda height, width, _: stripes(height, width),
            ),
            MaskPattern(
                "left",
                4,
                "Left half",
                0.33,
                lambda height, width, _: left_half(height, width),
            ),
            MaskPattern(
                "center",
                5,
                "Centre 25%",
                0.66,
                lambda height, width, _: center_hole(height, width),
            ),
            MaskPattern("random", 6, "Random pixels 70%", 0.2, random_pixels),
        )
    }
)
"""The six patterns by name, in the paper's order (section 3.3)."""


def get_pattern(name: str) -> MaskPattern:
    """Look a pattern up by its name.

    Raises:
        ValueError: There is no such pattern; the message names the nearest ones.
    """
    if name in PATTERNS:
        return PATTERNS[name]
    near = difflib.get_close_matches(name, PATTERNS, n=3, cutoff=0.5)
    hint = f" Did you mean {' or '.join(map(repr, near))}?" if near else ""
    raise ValueError(
        f"unknown mask pattern {name!r}.{hint} The patterns are: {', '.join(PATTERNS)}."
    )


def make_known(
    name: str,
    count: int,
    height: int,
    width: int,
    *,
    seed: int = 0,
    indices: Sequence[int] | np.ndarray | None = None,
) -> np.ndarray:
    """Draw one hole of a pattern for each image.

    The hole of an image depends on the seed, the pattern and the image's number
    alone: a longer batch begins with the holes of a shorter one.

    Args:
        name: A key of `PATTERNS`.
        count: Number of images B, at least 1.
        height: Rows, at least 2.
        width: Columns, at least 2.
        seed: Non-negative; without effect on the patterns that draw nothing.
        indices: Numbers of the images, B of them, 0 or more; default: 0, 1, 2 ...

    Returns:
        `known`, bool `[B, H, W]`.

    Raises:
        ValueError: The name is unknown, or a number is out of range.
    """
    pattern = get_pattern(name)
    if count < 1:
        raise ValueError(f"`count` must be at least 1; got {count}.")
    if seed < 0:
        raise ValueError(f"`seed` must be 0 or more; got {seed}.")
    numbers = range(count) if indices is None else [int(i) for i in indices]
    if len(numbers) != count or min(numbers) < 0:
        raise ValueError(
            f"`indices` must be {count} numbers of 0 or more, one for each image."
        )
    sources = (
        np.random.SeedSequence(seed, spawn_key=(pattern.number, index))
        for index in numbers
    )
    return np.stack(
        [pattern.make(height, width, np.random.default_rng(s)) for s in sources]
    )


def consensus_weight_for(known: np.ndarray) -> np.ndarray:
    """Choose mu for holes that are none of the six patterns, by their share.

    Our extension. The paper only says that mu lies in [0.2, 0.66] "depending on the
    extent of the gap" and gives it for its six patterns; take those from
    `PATTERNS[name].consensus_weight`, as stripes have 0.2 at a share of 0.44.

    Args:
        known: bool `[B, H, W]`, True where the pixel is observed.

    Returns:
        float64 `[B]`: 0.66 up to a hole share of 0.35, 0.33 up to 0.6, 0.2 above.

    Raises:
        TypeError: `known` is not boolean.
        ValueError: `known` is not `[B, H, W]`, or an image has no hole or no known
            pixel.
    """
    validate_known(known)
    if known.ndim != 3:
        raise ValueError(
            f"`known` must have shape [B, H, W]; got {known.shape}. "
            "Add a batch axis: `known[None]`."
        )
    share = 1.0 - known.mean(axis=(1, 2))
    return np.select([share <= 0.35, share <= 0.6], [0.66, 0.33], default=0.2)
