"""Differentiable augmentation, against the same changes made by hand in NumPy."""

import numpy as np
import pytest
from keras import ops

from semantic_inpaint import backend
from semantic_inpaint.training.augmentation import NUM_DRAWS, augment

pytestmark = pytest.mark.both_backends

SIDE = 16


def pictures(count=4):
    rng = np.random.default_rng(0)
    return rng.uniform(-1, 1, (count, SIDE, SIDE, 3)).astype(np.float32)


def draws(count=4, **columns):
    """Draws that change nothing, but for the columns named."""
    names = ("brightness", "saturation", "contrast", "down", "right", "top", "left")
    found = np.full((count, NUM_DRAWS), 0.5, np.float32)
    for name, value in columns.items():
        found[:, names.index(name)] = value
    return found


def changed(images, numbers, *policy):
    tensors = (ops.convert_to_tensor(x) for x in (images, numbers))
    return ops.convert_to_numpy(augment(*tensors, policy))


def test_the_middle_of_every_draw_leaves_colours_and_place_alone():
    images = pictures()
    found = changed(images, draws(), "color", "translation")
    np.testing.assert_allclose(found, images, atol=1e-6)  # Float32 rounding.


def test_brightness_adds_up_to_a_half():
    found = changed(pictures(), draws(brightness=1.0), "color")
    np.testing.assert_allclose(found, pictures() + 0.5, atol=1e-6)


def test_no_saturation_leaves_grey():
    found = changed(pictures(), draws(saturation=0.0), "color")
    grey = pictures().mean(axis=3, keepdims=True)
    np.testing.assert_allclose(found, np.broadcast_to(grey, found.shape), atol=1e-6)


def test_contrast_shrinks_towards_the_mean_of_each_image():
    found = changed(pictures(), draws(contrast=0.0), "color")
    mean = pictures().mean(axis=(1, 2, 3), keepdims=True)
    np.testing.assert_allclose(found, mean + 0.5 * (pictures() - mean), atol=1e-6)


@pytest.mark.parametrize(("draw", "offset"), [(0.0, -2), (0.5, 0), (0.999, 2)])
def test_a_shift_moves_rows_and_columns_and_brings_zeros(draw, offset):
    images = pictures()
    for column, axis in (("down", 1), ("right", 2)):
        found = changed(images, draws(**{column: draw}), "translation")
        expected = np.roll(images, offset, axis=axis)
        empty = slice(0, offset) if offset > 0 else slice(SIDE + offset, SIDE)
        if offset:
            expected[(slice(None),) * axis + (empty,)] = 0.0
        np.testing.assert_array_equal(found, expected)


def test_a_cutout_zeroes_a_square_of_half_the_side_and_nothing_else():
    images = pictures()
    found = changed(images, draws(), "cutout")
    expected = images.copy()
    expected[:, 4:12, 4:12] = 0.0
    np.testing.assert_array_equal(found, expected)


def test_a_cutout_at_the_corner_is_cut_off_there():
    found = changed(pictures(), draws(top=0.0, left=0.0), "cutout")
    assert (found[:, :4, :4] == 0).all()
    np.testing.assert_array_equal(found[:, 4:], pictures()[:, 4:])


def test_the_change_of_an_image_depends_on_its_own_draws_alone():
    policy = ("color", "translation", "cutout")
    rng = np.random.default_rng(1)
    numbers = rng.random((4, NUM_DRAWS), dtype=np.float32)
    together = changed(pictures(), numbers, *policy)
    alone = changed(pictures()[2:3], numbers[2:3], *policy)
    np.testing.assert_allclose(together[2:3], alone, atol=1e-6)
    assert np.abs(together - pictures()).max() > 0.1


def test_gradients_reach_the_pixels_through_every_change():
    numbers = draws(saturation=0.75, contrast=0.25, down=0.999, top=0.0, left=0.0)

    def total(images):
        policy = ("color", "translation", "cutout")
        return ops.sum(ops.square(augment(images, numbers, policy))), None

    images = ops.convert_to_tensor(pictures())
    _, _, (slope,) = backend.value_and_grad(total, images)
    slope = ops.convert_to_numpy(slope)
    place = (1, 9, 9, 0)
    step = np.zeros_like(pictures())
    step[place] = 1e-2
    difference = (
        float(total(ops.convert_to_tensor(pictures() + step))[0])
        - float(total(ops.convert_to_tensor(pictures() - step))[0])
    ) / 2e-2
    # The total is quadratic: central differences are exact but for float32 sums.
    assert slope[place] == pytest.approx(difference, abs=0.05)
    assert abs(slope[place]) > 0.1
