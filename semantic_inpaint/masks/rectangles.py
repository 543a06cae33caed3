"""The hole of Lundgren et al. (2018): two rectangles, one in each part of the image."""

import numpy as np

from semantic_inpaint.masks.validation import validate_known

Box = tuple[float, float, float, float]

LEFT_BOX: Box = (0.25, 0.0625, 0.5625, 0.25)
"""Top, left, bottom and right of the hole in the left third, as shares of the sides."""
RIGHT_BOX: Box = (0.375, 0.5, 0.75, 0.8125)
"""The same of the hole in the right two thirds."""


def two_rectangles(
    height: int, width: int, *, first: Box = LEFT_BOX, second: Box = RIGHT_BOX
) -> np.ndarray:
    """Leave out two rectangles (Lundgren, Bolin & Jersch 2018, section 3).

    The paper trains with one mask: a hole in the left third of the image, another in
    the right two thirds, each before a discriminator of its own. It gives no sizes;
    the defaults are our choice and leave out 17.6%, little enough for partial
    convolutions to reach every pixel.

    Args:
        height: Rows, at least 2.
        width: Columns, at least 2.
        first: Top, left, bottom and right edge of a rectangle as shares of the sides,
            in [0, 1], rounded to whole pixels; at least one pixel is left out.
        second: The same of the other one.

    Returns:
        `known`, bool `[H, W]`: True where the pixel is observed.

    Raises:
        ValueError: A size is under 2, a box is no rectangle inside the image, or no
            pixel stays known.
    """
    if height < 2 or width < 2:
        raise ValueError(
            f"`height` and `width` must be at least 2; got {height} x {width}. "
            "A smaller image has no room for both a hole and known pixels."
        )
    known = np.ones((height, width), dtype=bool)
    for name, box in (("first", first), ("second", second)):
        _check_box(name, box)
        top, left, bottom, right = box
        known[_pixels(height, top, bottom), _pixels(width, left, right)] = False
    validate_known(known)
    return known


def _pixels(length: int, start: float, end: float) -> slice:
    first = min(round(length * start), length - 1)
    return slice(first, max(first + 1, round(length * end)))


def _check_box(name: str, box: Box) -> None:
    inside = len(box) == 4 and all(0.0 <= share <= 1.0 for share in box)
    if not inside or box[0] >= box[2] or box[1] >= box[3]:
        raise ValueError(
            f"`{name}` must be (top, left, bottom, right) shares in [0, 1], the first "
            f"two below the last two; got {box}."
        )
