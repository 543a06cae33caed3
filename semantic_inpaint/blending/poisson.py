"""Poisson blending as the paper states it: a convex program, solved through cvxpy.

The independent reference for `direct.py`, and the fair comparison for its speed.
"""

import numpy as np
from scipy import sparse

from semantic_inpaint.blending.gradients import difference_operator
from semantic_inpaint.blending.paste import check_hole_patterns, compose


def solve_cvxpy(
    generated: np.ndarray,
    observed: np.ndarray,
    known: np.ndarray,
    *,
    operator: str = "gradient",
) -> np.ndarray:
    """Minimise `||D x - D x_g||^2` subject to `x = y` on the known pixels.

    Malesevic et al., eq. 6; one program per image with all its channels, given to
    Clarabel. Without inequalities its interior-point method is one Newton step, so
    that the result is exact to about 1e-10 at the default tolerances; a first-order
    solver such as SCS would stop at 1e-4.

    Args:
        generated: float `[B, H, W, C]`, `x_g`, finite.
        observed: `[B, H, W, C]` of the same dtype, `y`, finite on the known pixels.
        known: bool `[H, W]`, True where the pixel is observed, for all images.
        operator: D, one of `gradients.OPERATORS`.

    Returns:
        The dtype of `generated`, `[B, H, W, C]`; known pixels bit-exact.

    Raises:
        ValueError: `operator` is unknown, or no pixel is known.
        RuntimeError: The solver did not reach the optimum.
    """
    check_hole_patterns(known)
    difference = difference_operator(*known.shape, operator)
    blended = compose(generated, observed, known)
    for image, base in zip(blended, generated, strict=True):
        given = image[known].astype(np.float64)
        source = base.reshape(known.size, -1).astype(np.float64)
        solution = _solve_one(difference, source, given, np.flatnonzero(known))
        image[~known] = solution.reshape(base.shape)[~known]
    return blended


def require_optimal(status: str) -> None:
    """Raise `RuntimeError`, with the solver's word for it, unless it is "optimal"."""
    if status != "optimal":
        raise RuntimeError(
            f"cvxpy did not solve the blending problem: its status is {status!r}, "
            "expected 'optimal'. Look for extreme pixel values, or use "
            'solver="direct".'
        )


def _solve_one(
    difference: sparse.csr_array,
    source: np.ndarray,
    given: np.ndarray,
    known_index: np.ndarray,
) -> np.ndarray:
    """Solve the program of one image: source `[N, C]`, given `[K, C]` -> `[N, C]`."""
    # Loading cvxpy takes seconds; only those who ask for it wait.
    import cvxpy

    x = cvxpy.Variable(source.shape)
    mismatch = cvxpy.sum_squares(difference @ x - difference @ source)
    problem = cvxpy.Problem(cvxpy.Minimize(mismatch), [x[known_index] == given])
    try:
        problem.solve(solver=cvxpy.CLARABEL)
    except cvxpy.SolverError as error:
        raise RuntimeError(str(error)) from error
    require_optimal(problem.status)
    return x.value
