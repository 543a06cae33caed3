"""Bad input is refused at the border, with a word on how to mend it."""

import numpy as np
import pytest

from semantic_inpaint.blending import paste, poisson_blend
from semantic_inpaint.blending.direct import PoissonSolver
from semantic_inpaint.blending.gradients import difference_operator
from semantic_inpaint.blending.poisson import require_optimal, solve_cvxpy


def case(dtype=np.float32):
    known = np.ones((2, 8, 8), dtype=bool)
    known[:, 2:5, 2:5] = False
    return np.zeros((2, 8, 8, 3), dtype), np.ones((2, 8, 8, 3), dtype), known


@pytest.mark.parametrize("blend", [paste, poisson_blend])
@pytest.mark.parametrize(
    ("change", "error", "words"),
    [
        (lambda g, o, k: (g[0], o[0], k[0]), ValueError, "add a batch axis"),
        (lambda g, o, k: (g, o[:1], k), ValueError, r"\(1, 8, 8, 3\)"),
        (lambda g, o, k: (g, o, k[0]), ValueError, "broadcast_to"),
        (lambda g, o, k: (g.astype(np.uint8), o, k), TypeError, "/ 255"),
        (lambda g, o, k: (g, o.astype(np.float64), k), TypeError, "float64"),
        (lambda g, o, k: (g, o, k.astype(np.uint8)), TypeError, "must be bool"),
    ],
)
def test_shapes_and_types_are_checked(blend, change, error, words):
    with pytest.raises(error, match=words):
        blend(*change(*case()))


@pytest.mark.parametrize("blend", [paste, poisson_blend])
@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_values_that_are_not_finite_are_refused_where_they_are_used(blend, value):
    generated, observed, known = case()
    observed[1, 0, 0, 0] = value
    with pytest.raises(ValueError, match=r"`observed` .* known pixels.*\[1\]"):
        blend(generated, observed, known)
    generated[0, 3, 3, 0] = value
    with pytest.raises(ValueError, match=r"`generated` must be finite;.*\[0\]"):
        blend(generated, observed, known)


@pytest.mark.parametrize("solver", ["direct", "cvxpy"])
def test_an_image_without_known_pixels_has_no_boundary_values(solver):
    generated, observed, known = case()
    known[1] = False
    with pytest.raises(ValueError, match=r"no observed pixel in image\(s\) \[1\]"):
        poisson_blend(generated, observed, known, solver=solver)
    with pytest.raises(ValueError, match="no observed pixel"):
        PoissonSolver(known[1])
    with pytest.raises(ValueError, match="no observed pixel"):
        solve_cvxpy(generated, observed, known[1])


def test_a_misspelt_operator_or_solver_gets_the_nearest_name():
    with pytest.raises(ValueError, match="Did you mean 'gradient'"):
        poisson_blend(*case(), operator="gradients")
    with pytest.raises(ValueError, match="Did you mean 'log-printed'"):
        difference_operator(4, 4, "log_printed")
    with pytest.raises(ValueError, match="direct, cvxpy"):
        poisson_blend(*case(), solver="pyamg")


def test_a_solver_refuses_images_of_another_size():
    generated, observed, known = case()
    solver = PoissonSolver(known[0])
    with pytest.raises(ValueError, match=r"\[B, 8, 8, C\]"):
        solver.solve(generated[:, :6], observed[:, :6])


def test_an_operator_needs_at_least_one_pixel():
    with pytest.raises(ValueError, match="0 x 4"):
        difference_operator(0, 4, "log")


@pytest.mark.parametrize("status", ["optimal_inaccurate", "user_limit", "unbounded"])
def test_anything_but_an_optimum_of_cvxpy_is_an_error(status):
    with pytest.raises(RuntimeError, match=status):
        require_optimal(status)


def test_pixel_values_beyond_the_solver_are_an_error_not_a_picture():
    generated, observed, known = case(np.float64)
    with (
        pytest.warns(UserWarning, match="inaccurate"),
        pytest.raises(RuntimeError, match="its status is"),
    ):
        solve_cvxpy(generated, observed * 1e200, known[0])
