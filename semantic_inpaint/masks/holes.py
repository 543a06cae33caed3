"""The hole shapes of Malesevic et al., section 3.3, at any image size.

Every function returns `known`, bool `[H, W]`: True where the pixel is observed. The
random ones draw from the generator that they are given and from nothing else.
"""

import numpy as np

from semantic_inpaint.masks.validation import validate_known


def random_square(
    height: int,
    width: int,
    rng: np.random.Generator,
    *,
    hole_fraction: float = 0.25,
) -> np.ndarray:
    """Leave out a square at a random place (patterns 1 and 2; the paper: 25% and 50%).

    Each side is rounded to whole pixels, so that a square image gets a square hole; in
    any other image the hole has the proportions of the image. Every place that lies
    wholly inside the image is equally likely.

    Args:
        height: Rows, at least 2.
        width: Columns, at least 2.
        rng: Source of the position.
        hole_fraction: Share of the image area to leave out, in (0, 1).

    Returns:
        `known`, bool `[H, W]`.

    Raises:
        ValueError: A size or `hole_fraction` is out of range, or leaves no pixel.
    """
    _check_size(height, width)
    _check_fraction("hole_fraction", hole_fraction)
    rows = max(1, round(height * hole_fraction**0.5))
    columns = max(1, round(width * hole_fraction**0.5))
    top = int(rng.integers(height - rows + 1))
    left = int(rng.integers(width - columns + 1))
    known = np.ones((height, width), dtype=bool)
    known[top : top + rows, left : left + columns] = False
    validate_known(known)
    return known


def stripes(
    height: int,
    width: int,
    *,
    stripe_fraction: float = 0.25,
    center: tuple[float, float] = (0.5, 0.5),
) -> np.ndarray:
    """Leave out one vertical and one horizontal stripe (pattern 3).

    The paper states neither the width nor the place of the stripes. The default, a
    quarter of the side through the middle (16 of 64 pixels), is our choice; it leaves
    out 43.75% of the image.

    Args:
        height: Rows, at least 2.
        width: Columns, at least 2.
        stripe_fraction: Thickness of a stripe as a share of the side that it cuts,
            in (0, 1); at least one pixel.
        center: Row and column, each as a share of the side in [0, 1], on which the
            horizontal and the vertical stripe are centred; a stripe that would stick
            out is moved inside.

    Returns:
        `known`, bool `[H, W]`.

    Raises:
        ValueError: A size, `stripe_fraction` or `center` is out of range, or the
            stripes leave no pixel.
    """
    _check_size(height, width)
    _check_fraction("stripe_fraction", stripe_fraction)
    if len(center) != 2 or not all(0.0 <= share <= 1.0 for share in center):
        raise ValueError(
            f"`center` must be (row, column) shares in [0, 1]; got {center}. "
            "Use (0.5, 0.5) for the middle of the image."
        )
    known = np.ones((height, width), dtype=bool)
    known[_stripe(height, stripe_fraction, center[0]), :] = False
    known[:, _stripe(width, stripe_fraction, center[1])] = False
    validate_known(known)
    return known


def left_half(height: int, width: int, *, hole_fraction: float = 0.5) -> np.ndarray:
    """Leave out the left side (pattern 4; the paper: roughly 50%).

    Args:
        height: Rows, at least 2.
        width: Columns, at least 2.
        hole_fraction: Share of the columns to leave out, in (0, 1).

    Returns:
        `known`, bool `[H, W]`.

    Raises:
        ValueError: A size or `hole_fraction` is out of range, or leaves no pixel.
    """
    _check_size(height, width)
    _check_fraction("hole_fraction", hole_fraction)
    known = np.ones((height, width), dtype=bool)
    known[:, : max(1, round(width * hole_fraction))] = False
    validate_known(known)
    return known


def center_hole(height: int, width: int, *, hole_fraction: float = 0.25) -> np.ndarray:
    """Leave out a centred rectangle (pattern 5; the paper: 25%).

    The rectangle has the proportions of the image; its width is then chosen so that
    the area is right to within half a column of the hole (at 64 x 64: 32 x 32, exact).

    Args:
        height: Rows, at least 2.
        width: Columns, at least 2.
        hole_fraction: Share of the image area to leave out, in (0, 1).

    Returns:
        `known`, bool `[H, W]`.

    Raises:
        ValueError: A size or `hole_fraction` is out of range, or leaves no pixel.
    """
    _check_size(height, width)
    _check_fraction("hole_fraction", hole_fraction)
    rows = max(1, round(height * hole_fraction**0.5))
    columns = min(width, max(1, round(hole_fraction * height * width / rows)))
    top, left = (height - rows) // 2, (width - columns) // 2
    known = np.ones((height, width), dtype=bool)
    known[top : top + rows, left : left + columns] = False
    validate_known(known)
    return known


def random_pixels(
    height: int,
    width: int,
    rng: np.random.Generator,
    *,
    hole_fraction: float = 0.7,
) -> np.ndarray:
    """Leave out single pixels at random (pattern 6; the paper: 70%).

    Args:
        height: Rows, at least 2.
        width: Columns, at least 2.
        rng: Source of the choice; each set of pixels is equally likely.
        hole_fraction: Share of the pixels to leave out, in (0, 1). Their number is
            exactly `round(hole_fraction * height * width)`.

    Returns:
        `known`, bool `[H, W]`.

    Raises:
        ValueError: A size or `hole_fraction` is out of range, or leaves no pixel.
    """
    _check_size(height, width)
    _check_fraction("hole_fraction", hole_fraction)
    count = round(hole_fraction * height * width)
    known = np.ones(height * width, dtype=bool)
    known[np.argsort(rng.random(height * width), kind="stable")[:count]] = False
    known = known.reshape(height, width)
    validate_known(known)
    return known


def _stripe(length: int, fraction: float, center: float) -> slice:
    """Give the pixels of one side that a stripe covers."""
    thickness = max(1, round(length * fraction))
    start = round(length * center - thickness / 2)
    start = min(max(start, 0), length - thickness)
    return slice(start, start + thickness)


def _check_size(height: int, width: int) -> None:
    if height < 2 or width < 2:
        raise ValueError(
            f"`height` and `width` must be at least 2; got {height} x {width}. "
            "A smaller image has no room for both a hole and known pixels."
        )


def _check_fraction(name: str, value: float) -> None:
    if not 0.0 < value < 1.0:
        raise ValueError(
            f"`{name}` must be in (0, 1); got {value}. It is a share, not a percentage."
        )
