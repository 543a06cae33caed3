"""Discrete differentiation operators D of the blending problem, as sparse matrices.

An operator acts on one channel of an image, its rows laid end to end (C order).
The stencil of a pixel never leaves the image and never runs on into the next row.
"""

import difflib

import numpy as np
from scipy import sparse

OPERATORS = ("gradient", "log", "log-printed", "paste")
"""Names of the operators that `difference_operator` builds."""


def difference_operator(height: int, width: int, operator: str) -> sparse.csr_array:
    """Build the operator D of `min ||D x - D x_g||^2` for a `height` x `width` image.

    * `gradient`: differences to the right and the lower neighbour, one row for each
      pair inside the image. Its normal equations are the 5-point Poisson equation
      with natural (Neumann) conditions at the image border (Yeh et al. 2017).
    * `log`: the 3x3 kernel of ones with -8 in the centre (Malesevic et al.,
      section 3.2, with the centre that makes it a derivative). Its normal
      equations are of fourth order, like the biharmonic equation.
    * `log-printed`: the same kernel with the centre -9 that the paper prints. It
      sums to -1: it responds to the brightness itself and is not a derivative.
    * `paste`: the identity, which leaves the generated pixels as they are: no blend.

    Border rule of the two kernels: neighbours outside the image are left out and
    the centre is reduced by their number (edge replication; the 8-neighbour graph
    Laplacian, minus the identity for `log-printed`). A "valid" convolution would
    have no row centred on a border pixel: a hole that takes a stretch of the border
    can then have more unknowns than equations, and the problem is singular.

    Args:
        height: Rows of the image, at least 1.
        width: Columns of the image, at least 1.
        operator: One of `OPERATORS`.

    Returns:
        float64 `[R, height * width]`: one row per neighbouring pair for `gradient`,
        one per pixel for the others.

    Raises:
        ValueError: `operator` is unknown, or a side is less than 1.
    """
    check_operator(operator)
    if height < 1 or width < 1:
        raise ValueError(
            f"`height` and `width` must be at least 1; got {height} x {width}. "
            "Give the size of the image."
        )
    if operator == "gradient":
        return _gradient(height, width)
    identity = sparse.eye_array(height * width, format="csr")
    if operator == "paste":
        return sparse.csr_array(identity)
    laplacian = _laplacian(height, width)
    if operator == "log":
        return laplacian
    return sparse.csr_array(laplacian - identity)


def check_operator(operator: str) -> None:
    """Raise `ValueError`, with the nearest name, unless `operator` is known."""
    if operator not in OPERATORS:
        nearest = difflib.get_close_matches(str(operator), OPERATORS, n=1, cutoff=0.0)
        raise ValueError(
            f"`operator` must be one of {', '.join(OPERATORS)}; got {operator!r}. "
            f"Did you mean {nearest[0]!r}?"
        )


def _gradient(height: int, width: int) -> sparse.csr_array:
    """One row `x[second] - x[first]` per horizontal and vertical pair."""
    index = _pixel_index(height, width)
    first = np.concatenate([index[:, :-1].ravel(), index[:-1, :].ravel()])
    second = np.concatenate([index[:, 1:].ravel(), index[1:, :].ravel()])
    row = np.arange(first.size, dtype=np.int32)
    one = np.ones(first.size)
    return sparse.csr_array(
        (
            np.concatenate([-one, one]),
            (np.concatenate([row, row]), np.concatenate([first, second])),
        ),
        shape=(first.size, height * width),
    )


def _laplacian(height: int, width: int) -> sparse.csr_array:
    """Sum of the neighbours inside the image minus their number times the centre."""
    index = _pixel_index(height, width)
    pairs = [
        (index[:, :-1], index[:, 1:]),
        (index[:-1, :], index[1:, :]),
        (index[:-1, :-1], index[1:, 1:]),
        (index[:-1, 1:], index[1:, :-1]),
    ]
    first = np.concatenate([one.ravel() for one, _ in pairs])
    second = np.concatenate([other.ravel() for _, other in pairs])
    row, column = np.concatenate([first, second]), np.concatenate([second, first])
    size = height * width
    degree = np.bincount(row, minlength=size).astype(float)
    adjacency = sparse.csr_array((np.ones(row.size), (row, column)), shape=(size, size))
    return sparse.csr_array(adjacency - sparse.diags_array(degree, format="csr"))


def _pixel_index(height: int, width: int) -> np.ndarray:
    """Flat index of each pixel, int32 as the sparse solver wants it, `[H, W]`."""
    return np.arange(height * width, dtype=np.int32).reshape(height, width)
