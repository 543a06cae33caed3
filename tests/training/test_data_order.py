"""Which images, flips and codes a step sees: a function of the seed and the step."""

import dataclasses

import numpy as np
import pytest

from semantic_inpaint.training.loop import TrainingData, draw_batch
from tests.training.tiny_runs import MICRO

pytestmark = pytest.mark.both_backends

PLAIN = dataclasses.replace(MICRO, flip=False)


def numbered_images(count=10):
    """Images that say their number in the left half and 0 in the right."""
    images = np.zeros((count, 8, 8, 3), np.uint8)
    images[:, :, :4] = np.arange(1, count + 1)[:, None, None, None]
    return TrainingData(images, np.arange(count), "none", (0,))


def numbers(images):
    return images.max(axis=(1, 2, 3)).astype(int) - 1


def steps_of(recipe, data, count):
    return np.concatenate(
        [numbers(draw_batch(recipe, data, step)[0]) for step in range(count)]
    )


def test_every_epoch_shows_every_image_once_in_another_order():
    # Batches of four from ten images: every other epoch begins within a batch.
    seen = steps_of(PLAIN, numbered_images(), 10).reshape(4, 10)
    for epoch in seen:
        assert sorted(epoch) == list(range(10))
    assert len({tuple(epoch) for epoch in seen}) == 4


def test_a_step_needs_none_of_those_before_it():
    data = numbered_images()
    forwards = [draw_batch(MICRO, data, step) for step in range(6)]
    for step in reversed(range(6)):
        images, codes = draw_batch(MICRO, data, step)
        np.testing.assert_array_equal(images, forwards[step][0])
        np.testing.assert_array_equal(codes, forwards[step][1])


def test_the_seed_changes_order_and_codes():
    data, other = numbered_images(), dataclasses.replace(PLAIN, seed=1)
    assert (steps_of(PLAIN, data, 5) != steps_of(other, data, 5)).any()
    codes = [draw_batch(r, data, s)[1] for r in (PLAIN, other) for s in (0, 1)]
    assert len({array.tobytes() for array in codes}) == 4


def test_only_the_chosen_rows_are_shown():
    data = numbered_images()
    data = dataclasses.replace(data, indices=np.array([1, 3, 4, 8, 9]))
    assert sorted(steps_of(PLAIN, data, 5)) == sorted([1, 3, 4, 8, 9] * 4)


def test_flips_mirror_half_of_the_images_and_change_nothing_else():
    data = numbered_images()
    mirrored = 0
    for step in range(100):
        plain, codes = draw_batch(PLAIN, data, step)
        images, same_codes = draw_batch(MICRO, data, step)
        np.testing.assert_array_equal(codes, same_codes)
        assert images.dtype == np.uint8
        for image, original in zip(images, plain, strict=True):
            turned = not np.array_equal(image, original)
            expected = original[:, ::-1] if turned else original
            np.testing.assert_array_equal(image, expected)
            mirrored += turned
    # 400 throws of a coin: within four standard errors of the half.
    assert abs(mirrored - 200) < 4 * 10


def test_codes_are_uniform():
    data = numbered_images()
    codes = np.concatenate([draw_batch(MICRO, data, step)[1] for step in range(200)])
    assert codes.shape == (800, 3)
    assert codes.dtype == np.float32
    assert np.abs(codes).max() <= 1.0
    # Mean and spread of 2400 draws: within five standard errors.
    assert abs(codes.mean()) < 5 * 3**-0.5 / 2400**0.5
    assert codes.std() == pytest.approx(3**-0.5, rel=0.05)
