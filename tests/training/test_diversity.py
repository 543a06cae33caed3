"""The figure that tells collapse, against all pairs counted one by one."""

import itertools

import numpy as np
import pytest

from semantic_inpaint.training.diversity import (
    CollapseError,
    CollapseWatch,
    relative_diversity,
)


def by_pairs(images):
    squares = [np.sum((a - b) ** 2) for a, b in itertools.combinations(images, 2)]
    return np.sqrt(np.mean(squares))


def test_it_is_the_ratio_of_the_distances_between_all_pairs():
    rng = np.random.default_rng(0)
    samples, images = rng.random((5, 4, 4, 3)), rng.random((7, 4, 4, 3)) * 2.0
    expected = by_pairs(samples) / by_pairs(images)
    assert relative_diversity(samples, images) == pytest.approx(expected, rel=1e-12)


def test_one_sample_many_times_has_none():
    images = np.random.default_rng(0).random((6, 4, 4, 3))
    assert relative_diversity(np.repeat(images[:1], 8, axis=0), images) < 1e-12
    assert relative_diversity(images, images) == pytest.approx(1.0)


def test_a_watch_cries_when_half_of_what_was_reached_is_lost():
    images = np.random.default_rng(0).random((8, 4, 4, 3))
    watch = CollapseWatch(images)
    for scale in (0.1, 0.3, 0.8, 0.5, 0.41):
        assert watch.measure(scale * images) == pytest.approx(scale)
    with pytest.raises(CollapseError, match=r"0\.39 of what faces do, after 0\.80"):
        watch.measure(0.39 * images)


def test_a_generator_that_has_made_nothing_yet_has_not_collapsed():
    images = np.random.default_rng(0).random((8, 4, 4, 3))
    watch = CollapseWatch(images)
    for scale in (0.3, 0.01, 0.2):
        watch.measure(scale * images)
