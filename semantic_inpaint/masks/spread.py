"""The hole of super-resolution: all that lies between the pixels of a smaller image."""

import numpy as np

from semantic_inpaint.masks.validation import validate_known


def spread_pixels(height: int, width: int, factor: int) -> np.ndarray:
    """Put the pixels of a smaller image apart, and leave out what is between.

    Pixel (x, y) comes to (K x + floor(K / 2), K y + floor(K / 2)) with the factor K
    (Liu et al. 2018, section 5.2).

    Args:
        height: Rows.
        width: Columns.
        factor: K, at least 2; at most both sizes.

    Returns:
        `known`, bool `[H, W]`: True where the pixel is observed.

    Raises:
        ValueError: A factor that leaves out nothing, or everything.
    """
    if not 2 <= factor <= min(height, width):
        raise ValueError(
            f"`factor` must be at least 2 and at most the smaller side "
            f"({min(height, width)}); got {factor}."
        )
    known = np.zeros((height, width), dtype=bool)
    known[factor // 2 :: factor, factor // 2 :: factor] = True
    validate_known(known)
    return known
