"""Gradient-domain blending of generated pixels into an image; NumPy and SciPy only."""

import numpy as np
from numpy.typing import ArrayLike

from semantic_inpaint.blending.direct import cached_solver
from semantic_inpaint.blending.gradients import OPERATORS, check_operator
from semantic_inpaint.blending.paste import (
    check_hole_patterns,
    check_inputs,
    compose,
    paste,
)
from semantic_inpaint.blending.poisson import solve_cvxpy

__all__ = ["OPERATORS", "SOLVERS", "paste", "poisson_blend"]

SOLVERS = ("direct", "cvxpy")
"""Names of the solvers of `poisson_blend`."""


def poisson_blend(
    generated: ArrayLike,
    observed: ArrayLike,
    known: ArrayLike,
    *,
    operator: str = "gradient",
    solver: str = "direct",
) -> np.ndarray:
    """Fill the hole so that its derivatives are those of the generated image.

    Solves, for each image and channel,

        minimise ||D x - D x_g||^2  subject to  x = y on the known pixels

    (Malesevic et al., eq. 6; Yeh et al. 2017 with `gradient`). Images
    with the same hole share one factorisation, and so do later calls.

    The result is not clipped: the correction carried in from the rim of the hole may
    lift a pixel over the range of the images. The caller clips.

    Args:
        generated: float `[B, H, W, C]`, `x_g`, in any range; finite.
        observed: `[B, H, W, C]` of the same dtype and range, `y`; finite on the known
            pixels. What stands in the hole is never used and may be NaN.
        known: bool `[B, H, W]`, True where the pixel is observed; at least one True
            in each image.
        operator: D: `gradient` (the Poisson equation), `log` (the 3x3 kernel of the
            paper with the centre -8), `log-printed` (centre -9, as printed) or `paste`
            (the identity: the generated pixels as they are).
        solver: `direct` (sparse factorisation) or `cvxpy` (the convex program as
            stated; some hundred times slower, the reference in the tests).

    Returns:
        The dtype of `generated`, `[B, H, W, C]`; the hole is computed in float64, the
        known pixels are those of `observed`, bit-exact.

    Raises:
        TypeError: An image is not floating point, the two dtypes differ, or `known`
            is not bool.
        ValueError: The shapes do not fit, a pixel that is used is not finite, an
            image has no known pixel, or `operator` or `solver` is unknown.
        RuntimeError: cvxpy did not reach the optimum.
    """
    check_operator(operator)
    if solver not in SOLVERS:
        raise ValueError(
            f"`solver` must be one of {', '.join(SOLVERS)}; got {solver!r}. "
            "Use 'direct' unless you want the slow reference."
        )
    generated, observed, known = check_inputs(generated, observed, known)
    check_hole_patterns(known)

    # One group of images for each hole pattern.
    groups: dict[bytes, list[int]] = {}
    for index, pattern in enumerate(known):
        groups.setdefault(np.packbits(pattern).tobytes(), []).append(index)

    blended = compose(generated, observed, known)
    for rows in groups.values():
        pattern = known[rows[0]]
        if solver == "direct":
            prepared = cached_solver(pattern, operator)
            for row in rows:
                prepared.fill(blended[row], generated[row])
        else:
            blended[rows] = solve_cvxpy(
                generated[rows], observed[rows], pattern, operator=operator
            )
    return blended
