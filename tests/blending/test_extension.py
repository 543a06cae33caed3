"""The blend as a matrix against the blend itself."""

import numpy as np
import pytest

from semantic_inpaint.blending import OPERATORS, poisson_blend
from semantic_inpaint.blending.direct import PoissonSolver, _solver_of_pattern
from semantic_inpaint.blending.extension import boundary_extension
from tests.blending.hole_patterns import NAMES, hole_patterns


def blended_by_matrix(generated, observed, known, extension):
    """Apply each matrix with an index at a time; padding takes part."""
    count, channels = len(known), generated.shape[-1]
    blended = np.where(known[..., None], observed, generated).astype(np.float64)
    offset = (observed - generated).reshape(count, -1, channels)
    for row, pixels in enumerate(blended.reshape(count, -1, channels)):
        carried = extension.matrix[row] @ offset[row, extension.rim[row]]
        np.add.at(pixels, extension.hole[row], carried)
    return blended


@pytest.fixture(scope="module")
def pair():
    return np.random.default_rng(0).random((2, 6, 32, 32, 3), dtype=np.float32)


@pytest.mark.parametrize("operator", OPERATORS)
def test_a_batch_of_all_six_patterns_is_blended_as_one_by_one(pair, operator):
    generated, observed = pair
    known = np.stack([hole_patterns(32)[name] for name in NAMES])
    extension = boundary_extension(known, operator=operator)
    np.testing.assert_allclose(
        blended_by_matrix(generated, observed, known, extension),
        poisson_blend(generated, observed, known, operator=operator),
        # float32 rounds each row of H, whose absolute values sum to 1 for the
        # gradient and to some dozens for the kernels, to 6e-8 of it.
        atol=1e-5,
    )


def test_the_extension_of_the_gradient_blend_averages_the_rim():
    known = np.stack([hole_patterns(16)[name] for name in NAMES])
    matrix = boundary_extension(known).matrix
    # A discrete harmonic function is a mean of its boundary values.
    assert matrix.min() >= -1e-7
    in_hole = np.arange(matrix.shape[1]) < (~known).sum(axis=(1, 2))[:, None]
    np.testing.assert_allclose(matrix.sum(axis=2), in_hole, atol=1e-5)


def test_a_hole_of_one_pixel_takes_the_mean_of_its_neighbours():
    known = np.ones((1, 5, 5), bool)
    known[0, 2, 2] = False
    matrix, hole, rim = boundary_extension(known)
    assert hole.tolist() == [[12]]
    assert rim.tolist() == [[7, 11, 13, 17]]
    np.testing.assert_allclose(matrix, np.full((1, 1, 4), 0.25), atol=1e-7)


def test_padding_adds_nothing_to_the_pixel_that_it_names(pair):
    generated, observed = pair[:, :2]
    known = np.ones((2, 32, 32), bool)
    known[0, :, 1:] = False
    known[1, 30:, 30:] = False
    extension = boundary_extension(known)
    assert extension.matrix.shape == (2, 32 * 31, 32)
    alone = boundary_extension(known[1:])
    count, reach = alone.matrix.shape[1:]
    assert not extension.matrix[1, count:].any()
    assert not extension.matrix[1, :, reach:].any()
    assert not extension.hole[1, count:].any()
    assert not extension.rim[1, reach:].any()
    blended = blended_by_matrix(generated, observed, known, extension)
    assert np.array_equal(blended[1, 0, 0], observed[1, 0, 0].astype(np.float64))


def test_an_image_without_a_hole_stays_as_it_is(pair):
    generated, observed = pair[:, :1]
    known = np.ones((1, 32, 32), bool)
    extension = boundary_extension(known)
    assert extension.matrix.shape == (1, 1, 1)
    blended = blended_by_matrix(generated, observed, known, extension)
    np.testing.assert_array_equal(blended, observed)


def test_each_distinct_pattern_is_solved_once():
    first, second = (hole_patterns(24)[name] for name in ("centre", "left"))
    before = _solver_of_pattern.cache_info()
    extension = boundary_extension(np.stack([first, second, first, first]))
    after = _solver_of_pattern.cache_info()
    assert after.hits + after.misses - before.hits - before.misses == 2
    np.testing.assert_array_equal(extension.matrix[0], extension.matrix[3])
    assert extension.matrix.dtype == np.float32
    assert {extension.hole.dtype, extension.rim.dtype} == {np.dtype(np.int32)}


def test_a_solver_answers_as_before_after_its_matrix_was_asked_for(pair):
    generated, observed = pair[:, :1]
    known = hole_patterns(32)["random"]
    solver = PoissonSolver(known, "log")
    before = solver.solve(generated, observed)
    matrix, hole, rim = solver.extension()
    for array in (matrix, hole, rim):
        array[...] = 0
    np.testing.assert_array_equal(solver.solve(generated, observed), before)


@pytest.mark.parametrize(
    ("known", "error", "message"),
    [
        (np.ones((1, 4, 4)), TypeError, "must be bool"),
        (np.ones((4, 4), bool), ValueError, r"got \(4, 4\)"),
        (np.ones((0, 4, 4), bool), ValueError, "one image or more"),
        (np.zeros((1, 4, 4), bool), ValueError, "no observed pixel"),
    ],
)
def test_patterns_that_cannot_be_blended_are_refused(known, error, message):
    with pytest.raises(error, match=message):
        boundary_extension(known)


def test_an_unknown_operator_is_named():
    with pytest.raises(ValueError, match="'laplace'"):
        boundary_extension(np.ones((1, 4, 4), bool), operator="laplace")
