"""Closed forms, brute force and planted answers for the realism of single vectors."""

import numpy as np
import pytest
from scipy.spatial.distance import cdist

from semantic_inpaint.metrics import precision_recall, realism_scores, vectors


def normal(count, width, *, seed, mean=0.0):
    return mean + np.random.default_rng(seed).normal(size=(count, width))


def realism_by_loops(real, generated, neighbours):
    radii = np.sort(cdist(real, real), axis=1)[:, neighbours]
    kept = [i for i in range(len(real)) if radii[i] <= np.median(radii)]
    return [
        max(radii[i] / np.linalg.norm(g - real[i]) for i in kept) for g in generated
    ]


def test_on_a_line_of_equal_steps_it_is_the_step_over_the_distance():
    # With k = 1 every radius is 1, so that all balls count.
    real = np.arange(5.0)[:, None]
    generated = np.array([[1.5], [1.75], [5.0], [8.0], [-9.0]])
    found = realism_scores(real, generated, neighbours=1)
    assert found.dtype == np.float64
    np.testing.assert_allclose(found, [2.0, 4.0, 1.0, 1 / 4, 1 / 9], rtol=1e-12)


def test_balls_above_the_median_do_not_count():
    # Radii 1, 1, 1, 1, 96: the lone vector's ball would hold the generated one.
    real = np.array([[0.0], [1.0], [2.0], [3.0], [99.0]])
    assert realism_scores(real, [[90.0]], neighbours=1) == pytest.approx([1 / 87])
    # With an even number the median lies between: radii 1, 1, 4, 4 keep the first two.
    real = np.array([[0.0], [1.0], [5.0], [9.0]])
    assert realism_scores(real, [[6.0]], neighbours=1) == pytest.approx([1 / 5])


@pytest.mark.parametrize("block_entries", [1 << 22, 64])
@pytest.mark.parametrize("neighbours", [1, 3, 29])
def test_it_equals_brute_force_in_blocks_of_any_size(
    monkeypatch, block_entries, neighbours
):
    monkeypatch.setattr(vectors, "BLOCK_ENTRIES", block_entries)
    real, generated = normal(30, 3, seed=0), normal(25, 3, seed=1, mean=0.7)
    found = realism_scores(real, generated, neighbours=neighbours)
    expected = realism_by_loops(real, generated, neighbours)
    np.testing.assert_allclose(found, expected, rtol=1e-10)


def test_three_neighbours_are_asked_unless_told_otherwise():
    real, generated = normal(30, 3, seed=0), normal(5, 3, seed=1)
    expected = realism_scores(real, generated, neighbours=3)
    np.testing.assert_array_equal(realism_scores(real, generated), expected)


def test_a_planted_outlier_is_low_and_what_is_like_the_real_is_above_one():
    real = normal(400, 4, seed=0)
    apart = cdist(real, real) + np.diag(np.full(400, np.inf))
    # Half way from the vectors that lie densest to their nearest: the third is no
    # nearer than the first, so a ball of theirs is at least twice as far.
    densest = np.argsort(np.sort(apart, axis=1)[:, 2])[:50]
    generated = (real[densest] + real[apart[densest].argmin(axis=1)]) / 2
    generated[17] = 20.0
    found = realism_scores(real, generated)
    assert found[17] < 0.05
    assert np.delete(found, 17).min() >= 2.0 - 1e-9


def test_it_is_one_or_more_just_inside_the_balls_that_are_left():
    real, generated = normal(60, 3, seed=0), normal(200, 3, seed=1, mean=0.8)
    radii = np.sort(cdist(real, real), axis=1)[:, 3]
    kept = radii <= np.median(radii)
    inside = (cdist(real[kept], generated) <= radii[kept, None]).any(axis=0)
    realistic = realism_scores(real, generated) >= 1.0
    np.testing.assert_array_equal(realistic, inside)
    assert 0.1 < realistic.mean() < 0.9
    # Precision counts the pruned balls as well.
    assert realistic.mean() <= precision_recall(real, generated).precision


def test_it_knows_no_scale_and_no_place():
    real, generated = normal(40, 5, seed=0), normal(9, 5, seed=1)
    moved = realism_scores(7.0 * real + 3.0, 7.0 * generated + 3.0)
    np.testing.assert_allclose(moved, realism_scores(real, generated), rtol=1e-9)


def test_a_vector_s_score_is_its_own():
    real, generated = normal(40, 5, seed=0), normal(9, 5, seed=1)
    found = realism_scores(real, generated)
    # One row or nine: another order of the sums in the product.
    np.testing.assert_allclose(realism_scores(real, generated[4:5]), found[4:5])


def test_a_copy_is_infinitely_real_even_where_the_ball_has_no_radius():
    # Far from the origin, where the expanded square of a distance is least exact.
    real = 1e3 + normal(12, 6, seed=0)
    radii = np.sort(cdist(real, real), axis=1)[:, 3]
    assert realism_scores(real, real[[radii.argmin()]]).tolist() == [np.inf]
    same = np.ones((5, 2))
    found = realism_scores(same, np.array([[1.0, 1.0], [1.0, 2.0]]))
    assert found.tolist() == [np.inf, 0.0]


@pytest.mark.parametrize(
    ("real", "generated", "neighbours", "message"),
    [
        ((6, 3), (6, 2), 3, r"one D; got \(6, 3\) and \(6, 2\)"),
        ((6, 3), (6,), 3, r"one D; got \(6, 3\) and \(6,\)"),
        ((3, 3), (6, 3), 3, "need 4 and 1 vectors or more; got 3 and 6"),
        ((6, 3), (0, 3), 3, "need 4 and 1 vectors or more; got 6 and 0"),
        ((6, 3), (6, 3), 0, "`neighbours` must be 1 or more; got 0"),
    ],
)
def test_what_cannot_be_judged_is_named(real, generated, neighbours, message):
    with pytest.raises(ValueError, match=message):
        realism_scores(np.ones(real), np.ones(generated), neighbours=neighbours)


def test_values_that_are_not_finite_are_refused():
    with pytest.raises(ValueError, match="not finite"):
        realism_scores(np.ones((6, 2)), np.full((2, 2), np.nan))
