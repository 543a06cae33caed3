"""The blend as a fixed linear map, for those who must differentiate through it.

For one hole the blended image is linear in the generated one: the hole keeps x_g and
adds what `H` carries in from the rim, where x_g and the observation y differ,

    x_hole = x_g_hole + H (y - x_g)_rim,    H = -(D_h^T D_h)^-1 D_h^T D_k.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from semantic_inpaint.blending.direct import cached_solver
from semantic_inpaint.blending.gradients import check_operator
from semantic_inpaint.blending.paste import check_hole_patterns


class Extension(NamedTuple):
    """How the differences at the rim of each image's hole extend into it.

    Images with fewer pixels than others are padded: rows and columns of zeros in
    `matrix`, and pixel 0 in `hole` and `rim`, to which they then add nothing.

    Attributes:
        matrix: float32 `[B, n, r]`, H.
        hole: int32 `[B, n]`, places of the missing pixels, in C order.
        rim: int32 `[B, r]`, places of the known pixels within reach of the hole.
    """

    matrix: np.ndarray
    hole: np.ndarray
    rim: np.ndarray


def boundary_extension(known: np.ndarray, *, operator: str = "gradient") -> Extension:
    """Write the blends of a batch of hole patterns as dense matrices.

    Each distinct pattern is solved once, with the factorisation that `poisson_blend`
    uses. The matrices take 4 n r bytes for each image: at 64x64 half a megabyte for
    the centre or the left half, and with 70% random pixels missing, where nearly every
    known pixel is on the rim, up to 14 megabytes.

    Args:
        known: bool `[B, H, W]`, True where the pixel is observed; at least one True
            in each image.
        operator: D of the blend, one of `OPERATORS`.

    Returns:
        The extension of each image; n and r are those of the largest, and 1 or more.

    Raises:
        TypeError: `known` is not bool.
        ValueError: It has not three axes or has no image, an image has no known pixel,
            or `operator` is unknown.
    """
    check_operator(operator)
    known = _checked(known)
    groups: dict[bytes, list[int]] = {}
    for row, pattern in enumerate(known):
        groups.setdefault(np.packbits(pattern).tobytes(), []).append(row)

    parts = [
        (rows, *cached_solver(known[rows[0]], operator).extension())
        for rows in groups.values()
    ]
    count = max(1, *(len(hole) for _, _, hole, _ in parts))
    reach = max(1, *(len(rim) for _, _, _, rim in parts))
    found = Extension(
        matrix=np.zeros((len(known), count, reach), np.float32),
        hole=np.zeros((len(known), count), np.int32),
        rim=np.zeros((len(known), reach), np.int32),
    )
    for rows, matrix, hole, rim in parts:
        found.matrix[rows, : len(hole), : len(rim)] = matrix
        found.hole[rows, : len(hole)] = hole
        found.rim[rows, : len(rim)] = rim
    return found


def _checked(known: np.ndarray) -> np.ndarray:
    known = np.asarray(known)
    if known.dtype != np.bool_:
        raise TypeError(
            f"`known` must be bool (True = observed); got {known.dtype}. "
            "Compare first, for example `known = values > 0.5`."
        )
    if known.ndim != 3 or not len(known):
        raise ValueError(
            f"`known` must be [B, H, W] with one image or more; got {known.shape}. "
            "For a single pattern add a batch axis: `known[None]`."
        )
    check_hole_patterns(known)
    return known
