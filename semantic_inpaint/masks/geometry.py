"""Which square of a picture is used, and how a hole follows it to another size.

Here rather than with the images, so that masks, the layer below, obey the same rule.
"""

import numpy as np

_CELEBA_ALIGNED_SHAPE = (218, 178)
_CELEBA_CROP = 108


def centred_box(height: int, width: int) -> tuple[int, int, int]:
    """Place the square that is kept of a picture.

    Of 178 x 218 pixels (CelebA's aligned faces) it is the centred 108 x 108, as in the
    papers; of any other size the largest centred square.

    Args:
        height: Rows of the picture.
        width: Columns of the picture.

    Returns:
        Top row, left column and side of the square.
    """
    is_aligned = (height, width) == _CELEBA_ALIGNED_SHAPE
    side = _CELEBA_CROP if is_aligned else min(height, width)
    return (height - side) // 2, (width - side) // 2, side


def describe_fitting(height: int, width: int, size: int) -> str:
    """Say in a few words how a picture becomes `size` x `size`, empty if it is.

    Args:
        height: Rows of the picture.
        width: Columns of the picture.
        size: Side of the result.

    Returns:
        The crop to `centred_box` and the resize, as far as there is one.
    """
    side = centred_box(height, width)[2]
    steps = []
    if height != width:
        steps.append(f"cropped from {width} x {height} to the centred {side} x {side}")
    if side != size:
        verb = "reduced" if side > size else "enlarged"
        steps.append(f"{verb} from {side} x {side} to {size} x {size}")
    return ", ".join(steps)


def fit_hole(hole: np.ndarray, size: int) -> np.ndarray:
    """Crop a hole to `centred_box` and bring it to another size.

    When it is reduced, a new pixel is missing where any part of it is: thin strokes
    survive, and no known pixel has taken in anything of the hole's area. When it is
    enlarged, the nearest pixel counts.

    Args:
        hole: bool `[H, W]`, True where the pixel is missing.
        size: Side of the result.

    Returns:
        bool `[size, size]`.
    """
    top, left, side = centred_box(*hole.shape)
    hole = hole[top : top + side, left : left + side]
    cells = np.arange(size)
    if side <= size:
        nearest = (2 * cells + 1) * side // (2 * size)
        return hole[nearest[:, None], nearest]
    # In whole numbers, as rounding could lose or gain a row: new pixel i covers
    # [i, i + 1) * side / size; a sum over a block is a difference of running sums.
    first, behind = cells * side // size, -(-(cells + 1) * side // size)
    sums = np.zeros((side + 1, side + 1), dtype=np.int64)
    sums[1:, 1:] = hole.cumsum(axis=0, dtype=np.int64).cumsum(axis=1)
    rows = sums[behind] - sums[first]
    return rows[:, behind] > rows[:, first]
