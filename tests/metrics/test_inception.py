import numpy as np
import pytest
from scipy.special import softmax
from scipy.stats import entropy

from semantic_inpaint.metrics import inception_score

# So sure of a class that the softmax is 1 to the last bit.
SURE = 1000.0


def test_sure_and_evenly_spread_classes_score_their_number():
    score = inception_score(SURE * np.tile(np.eye(7), (3, 1)), splits=1)
    assert score.mean == pytest.approx(7.0, rel=1e-12)
    assert score.standard_deviation == 0.0


def test_images_of_one_class_or_of_no_clear_class_score_1():
    one_class = np.zeros((20, 5))
    one_class[:, 2] = SURE
    unclear = np.zeros((20, 5))
    for logits in (one_class, unclear):
        assert inception_score(logits).mean == pytest.approx(1.0, rel=1e-12)


def test_the_score_is_the_exponential_of_the_mutual_information():
    # Of class and image: H(mean p) - mean H(p), by another library.
    logits = 3.0 * np.random.default_rng(0).normal(size=(57, 40))
    given = softmax(logits, axis=1)
    expected = np.exp(entropy(given.mean(axis=0)) - entropy(given, axis=1).mean())
    assert inception_score(logits, splits=1).mean == pytest.approx(expected, rel=1e-10)
    # Measured by torch-fidelity 0.4.0 on these logits, one split.
    assert inception_score(logits, splits=1).mean == pytest.approx(
        6.190334235928478, rel=1e-12
    )


def test_parts_are_dealt_by_the_seed_and_averaged():
    logits = np.random.default_rng(1).normal(size=(23, 6))
    order = np.random.default_rng(4).permutation(23)
    parts = [
        inception_score(logits[rows], splits=1).mean
        for rows in (order[:8], order[8:16], order[16:])
    ]
    found = inception_score(logits, splits=3, seed=4)
    assert found.mean == pytest.approx(np.mean(parts), rel=1e-12)
    assert found.standard_deviation == pytest.approx(np.std(parts), rel=1e-9)
    assert inception_score(logits, splits=3, seed=5) != found


def test_a_constant_added_to_the_logits_of_an_image_changes_nothing():
    logits = np.random.default_rng(2).normal(size=(12, 6))
    moved = logits + np.linspace(-900, 900, 12)[:, None]
    assert inception_score(moved, splits=2).mean == pytest.approx(
        inception_score(logits, splits=2).mean, rel=1e-10
    )


def test_wrong_input_is_refused():
    logits = np.zeros((4, 3))
    for wrong in (logits[0], logits[:0], logits + np.nan):
        with pytest.raises(ValueError, match=r"`logits` must be \[N, K\], finite"):
            inception_score(wrong)
    for splits in (0, 5):
        with pytest.raises(ValueError, match=r"`splits` must be in \[1, 4\]"):
            inception_score(logits, splits=splits)
