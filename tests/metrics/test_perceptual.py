import itertools

import numpy as np
import pytest

from semantic_inpaint.metrics import perceptual_distance

SHAPES = ((2, 5, 4, 3), (2, 3, 2, 6))


def planted(seed=0):
    rng = np.random.default_rng(seed)
    first, second = ([rng.normal(size=shape) for shape in SHAPES] for _ in range(2))
    return first, second, [rng.random(shape[-1]) for shape in SHAPES]


def test_the_distance_equals_the_formula_written_out_pixel_by_pixel():
    first, second, importances = planted()
    expected = np.zeros(2)
    for image, (a, b, w) in itertools.product(
        range(2), zip(first, second, importances, strict=True)
    ):
        for row, column in np.ndindex(a.shape[1:3]):
            x, y = a[image, row, column], b[image, row, column]
            x, y = x / np.sqrt(x @ x), y / np.sqrt(y @ y)
            squares = sum(w[c] * (x[c] - y[c]) ** 2 for c in range(len(w)))
            expected[image] += squares / (a.shape[1] * a.shape[2])
    found = perceptual_distance(first, second, importances)
    assert found.dtype == np.float64
    # The length is kept from 0 by 1e-10.
    np.testing.assert_allclose(found, expected, rtol=1e-8)


def test_opposite_vectors_are_4_apart_and_orthogonal_ones_2():
    x = np.array([[1.0, 0.0], [1.0, 0.0]]).reshape(2, 1, 1, 2)
    y = np.array([[-3.0, 0.0], [0.0, 5.0]]).reshape(2, 1, 1, 2)
    np.testing.assert_allclose(
        perceptual_distance([x, x], [y, y], [np.ones(2), np.full(2, 0.5)]),
        [4 + 2, 2 + 1],
        rtol=1e-9,
    )


def test_equal_activations_have_no_distance_and_their_length_does_not_matter():
    first, second, importances = planted()
    longer = [3.0 * activation for activation in first]
    assert (perceptual_distance(first, first, importances) == 0).all()
    np.testing.assert_allclose(
        perceptual_distance(longer, second, importances),
        perceptual_distance(first, second, importances),
        rtol=1e-8,
    )


def test_activations_of_nothing_are_compared_as_nothing():
    silent = [np.zeros((1, 2, 2, 3))]
    other = [np.ones((1, 2, 2, 3))]
    assert perceptual_distance(silent, silent, [np.ones(3)]) == 0
    np.testing.assert_allclose(
        perceptual_distance(silent, other, [np.ones(3)]), [1.0], rtol=1e-9
    )


def test_wrong_input_is_refused():
    first, second, importances = planted()
    with pytest.raises(ValueError, match=r"as many layers.*got 2, 1 and 2"):
        perceptual_distance(first, second[:1], importances)
    with pytest.raises(ValueError, match="one or more; got 0, 0 and 0"):
        perceptual_distance([], [], [])
    with pytest.raises(ValueError, match="layer 0 must have activations"):
        perceptual_distance(first, second[::-1], importances)
    with pytest.raises(ValueError, match="layer 0 must have activations"):
        perceptual_distance(first, second, importances[::-1])
    with pytest.raises(ValueError, match="layer 1 has an importance below 0"):
        perceptual_distance(first, second, [importances[0], -importances[1]])
    second[1][0, 0, 0, 0] = np.nan
    with pytest.raises(ValueError, match="layer 1 has activations that are not finite"):
        perceptual_distance(first, second, importances)
