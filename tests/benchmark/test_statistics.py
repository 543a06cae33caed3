import itertools
import types

import numpy as np
import pytest
from scipy import stats

from semantic_inpaint.benchmark.statistics import (
    holm,
    mean_intervals,
    paired_p_value,
    pooled_gain_interval,
    resampled_means,
)


def scipy_interval(data, statistic, draws, *, confidence=0.95, paired=False):
    """SciPy's interval from draws that were made already."""
    made = types.SimpleNamespace(bootstrap_distribution=draws)
    found = stats.bootstrap(
        data,
        statistic,
        n_resamples=0,
        bootstrap_result=made,
        confidence_level=confidence,
        method="BCa",
        paired=paired,
    )
    return found.confidence_interval


@pytest.mark.parametrize("confidence", [0.8, 0.95])
def test_intervals_of_means_are_those_of_scipy_from_the_same_draws(confidence):
    values = np.random.default_rng(0).lognormal(size=(37, 3))
    options = {"num_resamples": 999, "seed": 4}
    mean, low, high = mean_intervals(values, confidence=confidence, **options)
    draws = resampled_means(values, **options)
    np.testing.assert_allclose(mean, values.mean(axis=0), rtol=1e-13)
    for m in range(3):
        expected = scipy_interval(
            (values[:, m],), np.mean, draws[:, m], confidence=confidence
        )
        # The same formula, summed in another order.
        np.testing.assert_allclose([low[m], high[m]], expected, rtol=1e-9)


def test_the_interval_of_a_pooled_gain_is_that_of_scipy_from_the_same_draws():
    rng = np.random.default_rng(1)
    before = rng.lognormal(6.0, 0.5, size=40)
    after = before * rng.lognormal(-0.2, 0.1, size=40)

    def gain(before, after, axis=-1):
        return 10 * np.log10(np.mean(before, axis=axis) / np.mean(after, axis=axis))

    options = {"num_resamples": 800, "seed": 2}
    found = pooled_gain_interval(before, after, **options)
    means = resampled_means(np.stack([before, after], axis=1), **options)
    draws = 10 * np.log10(means[:, 0] / means[:, 1])
    expected = scipy_interval((before, after), gain, draws, paired=True)
    np.testing.assert_allclose(found, [gain(before, after), *expected], rtol=1e-9)


def test_draws_are_means_of_images_drawn_with_replacement():
    # Powers of a base above the number of draws: each sum tells how often each was
    # drawn.
    values = 10.0 ** np.arange(5)[:, None]
    sums = np.round(resampled_means(values, num_resamples=2000, seed=0)[:, 0] * 5)
    counts = np.array([[int(s) // 10**i % 10 for i in range(5)] for s in sums])
    assert (counts.sum(axis=1) == 5).all()
    # Binomial(5, 1/5) each; 2,000 draws leave a standard error of 0.02.
    np.testing.assert_allclose(counts.mean(axis=0), 1.0, atol=0.08)
    np.testing.assert_allclose(counts.var(axis=0), 0.8, atol=0.12)


def test_intervals_hold_the_truth_as_often_as_they_promise():
    rng = np.random.default_rng(3)
    trials = rng.lognormal(0.0, 0.5, size=(60, 400))
    _, low, high = mean_intervals(trials, num_resamples=1000)
    held = ((low <= np.exp(0.125)) & (np.exp(0.125) <= high)).mean()
    # 400 trials of 95%: a standard error of 1.1%; small samples of a skewed law
    # lose a little.
    assert 0.90 < held < 0.985


def test_the_same_seed_gives_the_same_interval_and_another_another():
    values = np.random.default_rng(0).normal(size=(20, 1))
    first, again = (mean_intervals(values, seed=1) for _ in range(2))
    np.testing.assert_array_equal(first, again)
    assert mean_intervals(values, seed=2)[1] != first[1]


def test_a_column_has_the_same_interval_beside_any_other():
    values = np.random.default_rng(0).normal(size=(20, 3))
    together = mean_intervals(values)
    for m in range(3):
        alone = mean_intervals(values[:, m : m + 1])
        # Matrix products of another shape may round otherwise.
        np.testing.assert_allclose(
            np.ravel(alone), [part[m] for part in together], rtol=1e-9
        )


def test_constant_values_have_an_interval_of_no_width():
    found = mean_intervals(np.full((7, 1), 0.1))
    np.testing.assert_allclose(np.ravel(found), 0.1, rtol=1e-15)


def test_what_has_no_interval_says_so():
    mean, low, high = mean_intervals(np.array([[1.0, 2.0], [np.inf, 4.0]]))
    assert (mean[0], mean[1]) == (np.inf, 3.0)
    assert np.isnan([low[0], high[0]]).all() and low[1] < 3.0 < high[1]
    assert np.isnan(mean_intervals(np.ones((1, 1)))[1:]).all()
    assert np.isnan(pooled_gain_interval(np.zeros(3), np.ones(3))).all()
    gain, *ends = pooled_gain_interval(np.array([10.0]), np.array([1.0]))
    assert gain == 10.0 and np.isnan(ends).all()


def test_the_paired_test_is_that_of_scipy():
    rng = np.random.default_rng(5)
    before = rng.normal(size=30)
    after = before + rng.normal(0.2, 0.5, size=30)
    expected = stats.ttest_rel(after, before).pvalue
    np.testing.assert_allclose(paired_p_value(after - before), expected, rtol=1e-12)


def test_the_paired_test_of_constant_differences_is_certain():
    assert paired_p_value(np.zeros(4)) == 1.0
    assert paired_p_value(np.full(4, 0.5)) == 0.0
    assert np.isnan(paired_p_value(np.array([1.0])))
    assert np.isnan(paired_p_value(np.array([1.0, np.inf])))


def test_holm_is_the_closed_test_of_bonferroni():
    p_values = np.random.default_rng(6).random(5) * 0.1
    corrected = holm(p_values)
    for i in range(5):
        # A hypothesis falls with every intersection that it is part of.
        subsets = itertools.chain.from_iterable(
            itertools.combinations(range(5), size) for size in range(1, 6)
        )
        closed = max(
            min(1.0, len(subset) * p_values[list(subset)].min())
            for subset in subsets
            if i in subset
        )
        np.testing.assert_allclose(corrected[i], closed, rtol=1e-12)


def test_holm_does_not_count_tests_that_were_not_made():
    corrected = holm(np.array([0.01, np.nan, 0.04]))
    np.testing.assert_allclose(corrected, [0.02, np.nan, 0.04])


@pytest.mark.parametrize(
    ("values", "options", "message"),
    [
        (np.ones(3), {}, r"shape \[N, M\].* got \(3,\)"),
        (np.ones((0, 2)), {}, r"got \(0, 2\)"),
        (np.ones((3, 1)), {"confidence": 95}, "`confidence` must be .* got 95"),
        (np.ones((3, 1)), {"num_resamples": 0}, "`num_resamples` must be .* got 0"),
    ],
)
def test_bad_input_is_named(values, options, message):
    with pytest.raises(ValueError, match=message):
        mean_intervals(values, **options)


def test_pairs_that_do_not_match_are_named():
    with pytest.raises(ValueError, match=r"the same images; got shapes \(2,\) and"):
        pooled_gain_interval(np.ones(2), np.ones(3))
