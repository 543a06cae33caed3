import numpy as np
import pytest

from semantic_inpaint.masks import center_hole
from semantic_inpaint.problem import (
    HOLE_VALUE,
    InpaintingProblem,
    InpaintingResult,
    concatenate_results,
)


def images(count=2):
    return np.random.default_rng(0).random((count, 8, 8, 3), dtype=np.float32)


def known(count=2):
    return np.repeat(center_hole(8, 8)[None], count, axis=0)


def test_the_hole_is_overwritten_and_the_caller_s_arrays_are_not():
    given = images()
    given[~known()] = np.nan
    kept = given.copy()
    problem = InpaintingProblem(given, known())
    assert np.all(problem.images[problem.hole] == HOLE_VALUE)
    assert np.array_equal(problem.images[problem.known], given[known()])
    np.testing.assert_array_equal(given, kept)


def test_a_problem_cannot_be_changed():
    problem = InpaintingProblem(images(), known())
    with pytest.raises(ValueError, match="read-only"):
        problem.images[0] = 0


def test_the_numbers_are_a_copy_and_not_negative():
    numbers = np.array([5, 7])
    assert InpaintingProblem(images(), known(), numbers).indices.tolist() == [5, 7]
    numbers[0] = 1  # still the caller's own
    with pytest.raises(ValueError, match="0 or more"):
        InpaintingProblem(images(), known(), [-1, 0])


def test_parts_keep_the_numbers_of_their_images():
    problem = InpaintingProblem(images(5), known(5))
    assert problem.take([3, 1]).indices.tolist() == [3, 1]
    assert problem.take(slice(1, 4)).take([2]).indices.tolist() == [3]


def with_nan(array):
    array[1, 0, 0, 0] = np.nan
    return array


@pytest.mark.parametrize(
    ("given", "pixels", "error", "message"),
    [
        ((255 * images()).astype(np.uint8), known(), TypeError, "Divide 8-bit"),
        (images(), known().astype(float), TypeError, "True = observed"),
        (images()[0], known(), ValueError, r"\[B, H, W, 3\]"),
        (images()[..., :1], known(), ValueError, r"\[B, H, W, 3\]"),
        (images(), known()[:, :4], ValueError, r"got \[2, 4, 8\]"),
        (images(), np.ones_like(known()), ValueError, "no missing pixel"),
        (images(), np.zeros_like(known()), ValueError, "no known pixel"),
        (with_nan(images()), known(), ValueError, "image 1 .* NaN"),
        (images() * 255, known(), ValueError, r"expected \[0, 1\]"),
    ],
)
def test_bad_input_is_refused_in_clear_words(given, pixels, error, message):
    with pytest.raises(error, match=message):
        InpaintingProblem(given, pixels)


def test_results_are_joined_in_order():
    parts = [
        InpaintingResult(
            completed=np.full((n, 2, 2, 3), value),
            generated=np.zeros((n, 2, 2, 3)),
            stages={"masked": np.full((n, 2, 2, 3), value)},
            status=("converged",) * n,
            stats={"loss": np.full(n, value)},
        )
        for n, value in ((2, 0.1), (1, 0.9))
    ]
    whole = concatenate_results(parts)
    assert len(whole) == 3
    assert whole.stats["loss"].tolist() == [0.1, 0.1, 0.9]
    assert whole.stages["masked"][2, 0, 0, 0] == 0.9
    assert len(whole.status) == 3
    with pytest.raises(ValueError, match="no results"):
        concatenate_results([])
