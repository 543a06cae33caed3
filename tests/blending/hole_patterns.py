"""The six hole shapes of Malesevic et al., section 3.3, built by hand."""

import numpy as np


def hole_patterns(side):
    """Name -> known `[side, side]`; all but the centre touch the image border."""
    half, quarter, stripe = side // 2, side // 4, 3 * side // 8
    patterns = {
        name: np.ones((side, side), dtype=bool)
        for name in ("centre", "left", "stripes", "corner square", "border square")
    }
    patterns["centre"][quarter:-quarter, quarter:-quarter] = False
    patterns["left"][:, :half] = False
    patterns["stripes"][stripe:-stripe] = False
    patterns["stripes"][:, stripe:-stripe] = False
    patterns["corner square"][:half, half:] = False  # 25 %
    big = round(side * 0.5**0.5)
    patterns["border square"][1 : 1 + big, -big:] = False  # 50 %
    rng = np.random.default_rng(70)
    patterns["random"] = rng.random((side, side)) >= 0.7
    return patterns


NAMES = tuple(hole_patterns(8))
