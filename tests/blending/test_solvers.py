"""The direct solver against cvxpy, against dense least squares, and its operators."""

import numpy as np
import pytest

from semantic_inpaint.blending import OPERATORS, poisson_blend
from semantic_inpaint.blending.direct import PoissonSolver, cached_solver
from semantic_inpaint.blending.gradients import difference_operator
from semantic_inpaint.blending.poisson import solve_cvxpy
from tests.blending.hole_patterns import NAMES, hole_patterns


def pair(side, seed=0):
    """A generated and an observed image without anything in common."""
    return np.random.default_rng(seed).random((2, 1, side, side, 3))


@pytest.mark.parametrize("operator", OPERATORS)
@pytest.mark.parametrize("name", NAMES)
def test_direct_equals_cvxpy_at_16(name, operator):
    generated, observed = pair(16)
    known = hole_patterns(16)[name]
    np.testing.assert_allclose(
        PoissonSolver(known, operator).solve(generated, observed),
        solve_cvxpy(generated, observed, known, operator=operator),
        atol=1e-6,  # the promise of the interior-point solver; 1e-12 is usual
    )


def test_direct_equals_cvxpy_at_64():
    generated, observed = pair(64)
    known = hole_patterns(64)["left"][None]
    np.testing.assert_allclose(
        poisson_blend(generated, observed, known),
        poisson_blend(generated, observed, known, solver="cvxpy"),
        atol=1e-6,
    )


def dense_operator(side, operator):
    """The operators pixel by pixel, from their description."""
    pixels = [(r, c) for r in range(side) for c in range(side)]
    rows = []
    for r, c in pixels:
        if operator == "gradient":
            for other in ((r, c + 1), (r + 1, c)):
                if other in pixels:
                    row = np.zeros((side, side))
                    row[r, c], row[other] = -1, 1
                    rows.append(row)
        elif operator == "paste":
            row = np.zeros((side, side))
            row[r, c] = 1
            rows.append(row)
        else:
            row = np.zeros((side, side))
            row[max(r - 1, 0) : r + 2, max(c - 1, 0) : c + 2] = 1
            row[r, c] = 0
            row[r, c] = -row.sum() - (operator == "log-printed")
            rows.append(row)
    return np.reshape(rows, (-1, side * side))


@pytest.mark.parametrize("operator", OPERATORS)
@pytest.mark.parametrize("name", NAMES)
def test_direct_equals_dense_least_squares_on_the_hole(name, operator):
    generated, observed = pair(8, seed=1)
    known = hole_patterns(8)[name].ravel()
    dense = dense_operator(8, operator)
    source, target = generated.reshape(64, 3), observed.reshape(64, 3)
    right = dense @ source - dense[:, known] @ target[known]
    expected = np.linalg.lstsq(dense[:, ~known], right, rcond=None)[0]
    blended = PoissonSolver(known.reshape(8, 8), operator).solve(generated, observed)
    # lstsq sees D_h, we D_h^T D_h: round-off times a condition of at most 1e4.
    np.testing.assert_allclose(
        blended.reshape(64, 3)[~known], expected, rtol=0, atol=1e-10
    )


@pytest.mark.parametrize("operator", ["gradient", "log"])
@pytest.mark.parametrize("shape", [(7, 5), (1, 6), (6, 1), (1, 1)])
def test_a_derivative_of_a_constant_is_zero_everywhere(shape, operator):
    difference = difference_operator(*shape, operator)
    assert not (difference @ np.ones(shape[0] * shape[1])).any()


def test_the_printed_kernel_turns_a_constant_into_its_negative():
    difference = difference_operator(7, 5, "log-printed")
    assert np.array_equal(difference @ np.ones(35), -np.ones(35))


@pytest.mark.parametrize(("operator", "centre"), [("log", -8), ("log-printed", -9)])
def test_inside_the_image_the_kernel_is_ones_round_the_centre(operator, centre):
    row = difference_operator(5, 5, operator)[[12]].toarray().reshape(5, 5)
    expected = np.zeros((5, 5))
    expected[1:4, 1:4] = 1
    expected[2, 2] = centre
    assert np.array_equal(row, expected)


def test_the_printed_kernel_gives_another_picture():
    generated, observed = pair(16)
    known = hole_patterns(16)["centre"]
    log, printed = (
        PoissonSolver(known, operator).solve(generated, observed)
        for operator in ("log", "log-printed")
    )
    assert np.abs(log - printed).max() > 0.05


def test_a_valid_convolution_would_be_singular_for_a_hole_at_the_border():
    known = hole_patterns(8)["left"]
    inside = np.zeros((8, 8), dtype=bool)
    inside[1:-1, 1:-1] = True
    valid = dense_operator(8, "log")[inside.ravel()][:, ~known.ravel()]
    ours = dense_operator(8, "log")[:, ~known.ravel()]
    assert np.linalg.matrix_rank(valid) < (~known).sum()
    assert np.linalg.matrix_rank(ours) == (~known).sum()


def test_a_pattern_is_factorised_once_for_each_operator():
    known = hole_patterns(16)["centre"]
    first = cached_solver(known, "gradient")
    assert cached_solver(known.copy(), "gradient") is first
    assert cached_solver(known, "log") is not first
    assert cached_solver(known.reshape(8, 32), "gradient") is not first


def test_a_factorisation_does_not_follow_later_changes_of_its_pattern():
    generated, observed = pair(8)
    known = hole_patterns(8)["left"].copy()
    solver = PoissonSolver(known)
    before = solver.solve(generated, observed)
    known[:] = True
    assert np.array_equal(solver.solve(generated, observed), before)


def test_very_large_holes_are_solved_but_not_kept():
    known = np.zeros((129, 129), dtype=bool)
    known[0] = True
    assert cached_solver(known, "gradient") is not cached_solver(known, "gradient")
    image = pair(129)[0]
    blended = poisson_blend(image + 1, image, known[None])
    # The correction is carried over 128 rows; the condition number is about 1e4.
    np.testing.assert_allclose(blended, image, atol=1e-9)


def test_the_order_in_memory_does_not_matter():
    generated, observed = pair(8)
    solver = PoissonSolver(hole_patterns(8)["left"])
    strided = solver.solve(np.asfortranarray(generated), np.asfortranarray(observed))
    assert np.array_equal(strided, solver.solve(generated, observed))
