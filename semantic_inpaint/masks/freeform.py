"""Free-form holes: brush strokes, in the hole-to-image ratios of a published test set.

The strokes are those of DeepFill v2 (`masks.brush`), the twelve groups those of the
partial convolutions (Liu et al. 2018, "Image inpainting for irregular holes using
partial convolutions", section 4.1).
"""

import dataclasses
import difflib
import itertools
import math
from collections.abc import Mapping
from types import MappingProxyType

import numpy as np

from semantic_inpaint.masks.brush import paint_stroke, uniform
from semantic_inpaint.masks.validation import validate_known

BORDER = 50 / 512
"""Share of a side that stays clear at either end: 50 of 512 pixels in Liu et al."""
AIM = 0.25
"""Strokes are added until the share passes a value drawn from this lowest part of its
range: without it, holes of many strokes would all end just above the range's start."""
MAX_STROKES = 5_000
"""Strokes to draw for one hole before it is given up."""

_RATIOS = (0.01, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6)
_FIRST_NUMBER = 101


@dataclasses.dataclass(frozen=True)
class FreeFormGroup:
    """One of the twelve groups of free-form holes.

    Attributes:
        name: What it is called on the command line.
        number: Of its stream of random numbers, beside those of the six patterns.
        above: The hole's share of the image is larger than this.
        up_to: And not larger than this.
        touches_border: Whether the hole reaches the outermost pixels of the image; if
            not, it keeps `BORDER` clear.
    """

    name: str
    number: int
    above: float
    up_to: float
    touches_border: bool

    @property
    def title(self) -> str:
        """What it is called in tables and figures."""
        where = "touching the border" if self.touches_border else "clear of the border"
        return f"Free-form {self.above:.0%} to {self.up_to:.0%}, {where}"


def _groups() -> dict[str, FreeFormGroup]:
    groups, number = {}, _FIRST_NUMBER
    for above, up_to in itertools.pairwise(_RATIOS):
        for place in ("inside", "border"):
            name = f"free-form-{100 * above:02.0f}-{100 * up_to:02.0f}-{place}"
            group = FreeFormGroup(name, number, above, up_to, place == "border")
            groups[name] = group
            number += 1
    return groups


FREE_FORM_GROUPS: Mapping[str, FreeFormGroup] = MappingProxyType(_groups())
"""The twelve groups by name: of each ratio those inside, then those at the border."""


def make_free_form(
    name: str, count: int, height: int, width: int, *, seed: int = 0
) -> np.ndarray:
    """Draw holes of a group.

    A hole depends on the seed, the group, its place in the batch and the size alone: a
    longer batch begins with the holes of a shorter one.

    Args:
        name: A key of `FREE_FORM_GROUPS`.
        count: Number of holes B, at least 1.
        height: Rows, at least 8.
        width: Columns, at least 8.
        seed: 0 or more.

    Returns:
        `known`, bool `[B, H, W]`.

    Raises:
        ValueError: The name is unknown, a number is out of range, or the image is too
            small for the group; 32 x 32 pixels are enough for all.
    """
    if name not in FREE_FORM_GROUPS:
        near = difflib.get_close_matches(name, FREE_FORM_GROUPS, n=2, cutoff=0.5)
        hint = f" Did you mean {' or '.join(map(repr, near))}?" if near else ""
        raise ValueError(
            f"unknown free-form group {name!r}.{hint} The groups are: "
            f"{', '.join(FREE_FORM_GROUPS)}."
        )
    if count < 1:
        raise ValueError(f"`count` must be at least 1; got {count}.")
    if seed < 0:
        raise ValueError(f"`seed` must be 0 or more; got {seed}.")
    group = FREE_FORM_GROUPS[name]
    holes = []
    for index in range(count):
        source = np.random.SeedSequence(seed, spawn_key=(group.number, index))
        rng = np.random.Generator(np.random.PCG64(source))
        holes.append(draw_free_form(group, height, width, rng))
    return np.stack(holes)


def draw_free_form(
    group: FreeFormGroup, height: int, width: int, rng: np.random.Generator
) -> np.ndarray:
    """Draw one hole of a group from a generator of the caller's.

    Args:
        group: One of `FREE_FORM_GROUPS`.
        height: Rows, at least 8.
        width: Columns, at least 8.
        rng: Source of all choices, of 64 bits at a time (`default_rng` is).

    Returns:
        `known`, bool `[H, W]`.

    Raises:
        ValueError: The image is too small for the group, or `rng` draws fewer bits.
    """
    return brush_strokes(
        height,
        width,
        rng,
        above=group.above,
        up_to=group.up_to,
        touches_border=group.touches_border,
    )


def brush_strokes(
    height: int,
    width: int,
    rng: np.random.Generator,
    *,
    above: float,
    up_to: float,
    touches_border: bool,
) -> np.ndarray:
    """Leave out brush strokes, as many as make a hole of a given share.

    Whole strokes are added; one that would make the hole too large is dropped.

    Args:
        height: Rows, at least 8.
        width: Columns, at least 8.
        rng: Source of all choices, of 64 bits at a time (`default_rng` is).
        above: The hole's share of the image is larger than this; 0 or more.
        up_to: And not larger than this; below 1.
        touches_border: Whether the hole reaches the image's outermost pixels. If not,
            `BORDER` of each side stays clear at either end, rounded up to whole pixels,
            and no stroke is cut.

    Returns:
        `known`, bool `[H, W]`.

    Raises:
        ValueError: A number is out of range, the area that may be painted is smaller
            than the hole is to be, or `MAX_STROKES` strokes made no such hole.
    """
    _check_request(height, width, rng, above, up_to)
    margins = None
    if not touches_border:
        margins = math.ceil(BORDER * height), math.ceil(BORDER * width)
        _check_room(height, width, margins, above)
    goal = above + AIM * (up_to - above) * uniform(rng)
    hole = np.zeros((height, width), dtype=bool)
    for _ in range(MAX_STROKES):
        painted = hole.copy()
        paint_stroke(painted, rng, margins=margins)
        if painted.mean() > up_to:
            continue
        hole = painted
        if hole.mean() > goal:
            if _touches_border(hole) == touches_border:
                validate_known(~hole)
                return ~hole
            hole = np.zeros((height, width), dtype=bool)
    raise ValueError(
        f"{MAX_STROKES} brush strokes on {height} x {width} pixels made no hole with a "
        f"share in ({above:g}, {up_to:g}]. Ask for a larger image or a wider range."
    )


def _touches_border(hole: np.ndarray) -> bool:
    return bool(hole[[0, -1]].any() or hole[:, [0, -1]].any())


def _check_request(
    height: int, width: int, rng: np.random.Generator, above: float, up_to: float
) -> None:
    if min(height, width) < 8:
        raise ValueError(
            f"`height` and `width` must be at least 8; got {height} x {width}. "
            "A smaller image has no room for strokes."
        )
    if not 0.0 <= above < up_to < 1.0:
        raise ValueError(
            "`above` and `up_to` must be shares, 0 <= above < up_to < 1; got "
            f"{above} and {up_to}. The smallest published group has 0.01 and 0.1."
        )
    if isinstance(rng.bit_generator, np.random.MT19937):
        raise ValueError(
            "`rng` must draw 64 bits at a time, and MT19937 draws 32. Use "
            "`np.random.default_rng(seed)`."
        )


def _check_room(
    height: int, width: int, margins: tuple[int, int], above: float
) -> None:
    room = (height - 2 * margins[0]) * (width - 2 * margins[1]) / (height * width)
    if room <= above:
        raise ValueError(
            f"clear of the border, {height} x {width} pixels leave a share of "
            f"{room:.2f} to paint, and the hole is to be larger than {above:g}. "
            "Let it touch the border, or ask for a smaller one."
        )
