"""The terms of Liu et al. (2018) against sums written out pixel by pixel."""

import numpy as np
import pytest
from keras import ops

from semantic_inpaint import backend
from semantic_inpaint.losses.pconv import (
    gram_matrix,
    hole_loss,
    hole_variation,
    perceptual_loss,
    style_loss,
    valid_loss,
)
from tests.reference import pconv_losses as by_hand

pytestmark = pytest.mark.both_backends

SHAPE = (3, 7, 6, 3)


def image_batch(seed):
    return np.random.default_rng(seed).uniform(-1, 1, SHAPE).astype(np.float32)


def known_pixels():
    """Known pixels as 0 and 1: a hole at the corner and one inside, all, none."""
    known = np.ones((*SHAPE[:3], 1), np.float32)
    known[0, :2, :1] = 0.0
    known[0, 4, 3] = 0.0
    known[2] = 0.0
    return known


def map_batch(seed):
    """Maps of two layers, signed, so that no absolute value is idle."""
    rng = np.random.default_rng(seed)
    shapes = ((3, 5, 4, 3), (3, 2, 3, 7))
    return [rng.normal(size=shape).astype(np.float32) for shape in shapes]


def value(loss, *arrays):
    found = ops.convert_to_numpy(loss(*arrays))
    assert found.shape == (3,)
    return found


def test_the_errors_of_known_pixels_and_hole_are_averaged_over_the_whole_image():
    a, b, known = image_batch(0), image_batch(1), known_pixels()
    expected = [
        by_hand.pixel_terms(*row, hidden[..., 0])
        for *row, hidden in zip(a, b, known, strict=True)
    ]
    valid, hole = value(valid_loss, a, b, known), value(hole_loss, a, b, known)
    np.testing.assert_allclose(np.stack([valid, hole], 1), expected, rtol=1e-5)
    # Nothing is missing of the second image, everything of the third.
    assert (hole[1], valid[2]) == (0.0, 0.0)


def test_the_gram_matrix_is_the_normalised_product_of_channels():
    maps = map_batch(2)[1]
    expected = [by_hand.gram(row) for row in maps]
    np.testing.assert_allclose(gram_matrix(maps), expected, rtol=1e-5, atol=1e-7)
    # Two places, two channels: (1 * 1 + 3 * 3) / 4 and so on.
    planted = np.float32([[[[1, 2], [3, 4]]]])
    np.testing.assert_array_equal(gram_matrix(planted), [[[2.5, 3.5], [3.5, 5.0]]])


@pytest.mark.parametrize(
    ("loss", "oracle"),
    [(perceptual_loss, by_hand.perceptual), (style_loss, by_hand.style)],
)
def test_distances_of_maps_are_their_formulas(loss, oracle):
    maps, targets = map_batch(3), map_batch(4)
    found = value(loss, maps, targets)
    for i in range(3):
        expected = oracle([m[i] for m in maps], [t[i] for t in targets])
        assert found[i] == pytest.approx(expected, rel=1e-5)
    np.testing.assert_array_equal(value(loss, targets, targets), np.zeros(3))


def test_style_does_not_see_where_things_are_but_the_perceptual_distance_does():
    maps = map_batch(3)
    moved = [m[:, ::-1] for m in maps]
    # Sums in another order.
    np.testing.assert_allclose(value(style_loss, moved, maps), 0.0, atol=1e-6)
    assert (value(perceptual_loss, moved, maps) > 0.1).all()


def test_maps_in_half_precision_are_summed_in_single():
    maps = [ops.cast(m, "bfloat16") for m in map_batch(5)]
    rounded = [ops.convert_to_numpy(ops.cast(m, "float32")) for m in maps]
    for loss in (perceptual_loss, style_loss):
        half = value(loss, maps, [2.0 * m for m in maps])
        np.testing.assert_allclose(
            half, value(loss, rounded, [2.0 * m for m in rounded]), rtol=1e-5
        )


def test_variation_counts_neighbours_in_the_grown_hole_alone():
    images, known = image_batch(6), known_pixels()
    found = value(hole_variation, images, known)
    expected = [
        by_hand.variation(*row) for row in zip(images, known[..., 0], strict=True)
    ]
    np.testing.assert_allclose(found, expected, rtol=1e-5)
    assert found[1] == 0.0

    # Of a hole of one pixel, all that counts lies in the 3x3 round it.
    one = np.ones((3, 7, 6, 1), np.float32)
    one[:, 3, 2] = 0.0
    outside = images.copy()
    outside[:, 2:5, 1:4] = 0.5
    np.testing.assert_array_equal(value(hole_variation, outside, one), np.zeros(3))


@pytest.mark.parametrize("loss", [valid_loss, hole_loss])
def test_an_image_has_one_value_and_a_gradient_of_its_own(loss):
    a, b, known = image_batch(0), image_batch(1), known_pixels()
    poisoned = a.copy()
    poisoned[1] = np.nan
    _, _, (gradient,) = backend.value_and_grad(
        lambda x: (ops.sum(loss(x, b, known)), ()), ops.convert_to_tensor(poisoned)
    )
    gradient = ops.convert_to_numpy(gradient)
    assert np.isfinite(gradient[[0, 2]]).all()
    # The slope of a mean of absolute values, where they are counted.
    counted = known if loss is valid_loss else 1.0 - known
    expected = counted * np.sign(a - b) / a[0].size
    np.testing.assert_allclose(gradient[[0, 2]], expected[[0, 2]], rtol=1e-6)
