import itertools

import numpy as np
import pytest

from semantic_inpaint.metrics import hole_diversity, oracle_choice, uncertainty_map


@pytest.fixture
def answers():
    rng = np.random.default_rng(5)
    completed = rng.random((3, 4, 6, 5, 3), dtype=np.float32)
    known = rng.random((3, 6, 5)) < 0.6
    return completed, known


def test_uncertainty_is_the_deviation_written_out(answers):
    completed, _ = answers
    found = uncertainty_map(completed)
    assert found.shape == (3, 6, 5)
    for place in itertools.product(range(3), range(6), range(5)):
        image, row, column = place
        values = completed[image, :, row, column].astype(np.float64)
        squares = ((values - values.mean(axis=0)) ** 2).sum() / (4 * 3)
        # Both in float64.
        np.testing.assert_allclose(found[place], squares**0.5, rtol=1e-12)


def test_uncertainty_of_answers_that_agree_is_zero():
    assert not uncertainty_map(np.full((2, 3, 4, 4, 3), 0.3, np.float32)).any()


def test_uncertainty_of_black_and_white_is_half_the_range():
    completed = np.zeros((1, 2, 2, 2, 3), np.float32)
    completed[0, 1, 0, 0] = 1.0
    np.testing.assert_array_equal(uncertainty_map(completed)[0], [[0.5, 0], [0, 0]])


def test_diversity_is_the_mean_over_pairs_written_out(answers):
    completed, known = answers
    found = hole_diversity(completed, known)
    for image in range(3):
        hole = ~known[image]
        distances = []
        for one, other in itertools.combinations(completed[image].astype(float), 2):
            total = sum(
                ((one[place] - other[place]) ** 2).sum()
                for place in zip(*np.nonzero(hole), strict=True)
            )
            distances.append((total / (3 * hole.sum())) ** 0.5)
        # Both in float64.
        np.testing.assert_allclose(found[image], np.mean(distances), rtol=1e-12)


def test_diversity_reads_the_hole_alone(answers):
    completed, known = answers
    before = hole_diversity(completed, known)
    completed[:, 0][known] = 0.0
    np.testing.assert_array_equal(hole_diversity(completed, known), before)


def test_diversity_does_not_grow_with_the_number_of_equal_answers(answers):
    completed, known = answers
    pair = completed[:, :2]
    # Of six pairs four differ.
    doubled = np.concatenate([pair, pair], axis=1)
    np.testing.assert_allclose(
        hole_diversity(doubled, known), hole_diversity(pair, known) * 4 / 6, rtol=1e-12
    )


def test_the_oracle_chooses_the_planted_answer_and_reads_the_hole_alone(answers):
    completed, known = answers
    planted = np.array([2, 0, 3])
    images = completed[np.arange(3), planted].copy()
    # Known pixels of the planted answers are the farthest from those of the images.
    completed[np.arange(3), planted] = np.where(
        known[..., None], np.round(1 - images), images
    )
    np.testing.assert_array_equal(oracle_choice(completed, images, known), planted)


def test_one_answer_has_no_variety_but_an_oracle(answers):
    completed, known = answers
    single = completed[:, :1]
    for metric in (uncertainty_map, lambda x: hole_diversity(x, known)):
        with pytest.raises(ValueError, match="S of 2 or more"):
            metric(single)
    assert oracle_choice(single, single[:, 0], known).tolist() == [0, 0, 0]


def test_what_is_no_image_or_has_no_hole_is_named(answers):
    completed, known = answers
    with pytest.raises(TypeError, match="floating-point array; got uint8"):
        uncertainty_map(np.zeros((1, 2, 4, 4, 3), np.uint8))
    with pytest.raises(ValueError, match=r"got \(4, 6, 5, 3\)"):
        uncertainty_map(completed[0])
    with pytest.raises(TypeError, match="`known` must be a boolean"):
        hole_diversity(completed, known.astype(float))
    with pytest.raises(ValueError, match=r"`known` must have shape .* got \(2, 6, 5\)"):
        hole_diversity(completed, known[:2])
    known[1] = True
    with pytest.raises(ValueError, match=r"image\(s\) \[1\] have no hole"):
        hole_diversity(completed, known)
    completed[2, 0, 0, 0, 0] = np.nan
    with pytest.raises(ValueError, match=r"infinite values in image\(s\) \[2\]"):
        uncertainty_map(completed)
