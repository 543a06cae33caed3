import types

import numpy as np
import pytest
from keras import ops

from semantic_inpaint.latent.langevin import (
    LangevinOptions,
    reflected,
    sample_around,
)

pytestmark = pytest.mark.both_backends

OPTIONS = LangevinOptions(num_steps=300, burn_in=150, step_size=0.05)
LEAPS = LangevinOptions(num_steps=80, burn_in=50, num_leaps=4, step_size=0.05)


class Gaussian:
    """Its posterior at T is a Gaussian of covariance T * inverse(precision)."""

    prior = types.SimpleNamespace(support=1.0)
    precision = np.array([[3.0, 1.0, 0.0], [1.0, 2.0, 0.0], [0.0, 0.0, 6.0]], "float32")

    def __call__(self, codes, target):
        offset = codes - target
        return 0.5 * ops.sum(offset * (offset @ self.precision), axis=1)


class Slope(Gaussian):
    """Its posterior is exponential, cut off at the bounds."""

    def __call__(self, codes, target):
        return ops.sum(target * codes, axis=1)


class OnlyPositive(Gaussian):
    """No number where the first coordinate is negative."""

    def __call__(self, codes, target):
        return ops.sum(ops.square(codes - target), axis=1) + 0.0 * ops.log(codes[:, 0])


GAUSSIAN, SLOPE, ONLY_POSITIVE = Gaussian(), Slope(), OnlyPositive()
CENTERS = np.array([[0.1, -0.2, 0.3], [0.0, 0.0, -0.1]], np.float32)


@pytest.mark.parametrize("options", [OPTIONS, LEAPS], ids=["langevin", "hamiltonian"])
def test_samples_have_the_mean_and_covariance_of_the_gaussian(options):
    count, temperature = 1500, np.array([0.02, 0.01], np.float32)
    found = sample_around(
        GAUSSIAN,
        CENTERS,
        CENTERS,
        num_samples=count,
        temperature=temperature,
        options=options,
        slots=3000,
    )
    assert found.z.shape == (2, count, 3)
    for z, center, t in zip(found.z, CENTERS, temperature, strict=True):
        covariance = t * np.linalg.inv(Gaussian.precision)
        spread = np.sqrt(np.diag(covariance))
        # Chains are independent: five standard errors of each moment.
        np.testing.assert_allclose(
            (z.mean(axis=0) - center) / spread, 0, atol=5 / count**0.5
        )
        found_covariance = np.cov(z.T) / np.outer(spread, spread)
        expected = covariance / np.outer(spread, spread)
        np.testing.assert_allclose(
            found_covariance, expected, atol=5 * (2 / count) ** 0.5
        )
    # The mean of half a chi-square of three degrees.
    excess = found.loss.mean(axis=1) / temperature
    np.testing.assert_allclose(excess, 1.5, atol=5 * (1.5 / count) ** 0.5)


@pytest.mark.slow_on_jax
def test_the_step_size_is_adapted_to_the_wanted_acceptance_from_any_start():
    for step_size in (1e-4, 5.0):
        options = LangevinOptions(num_steps=400, burn_in=300, step_size=step_size)
        found = sample_around(
            GAUSSIAN,
            CENTERS,
            CENTERS,
            num_samples=64,
            temperature=0.01,
            options=options,
        )
        # Each chain has a step size of its own, frozen where its noise left it.
        np.testing.assert_allclose(found.acceptance, 0.574, atol=0.06)


@pytest.mark.parametrize("slope", [0.0, 1.5, 40.0])
def test_the_bounds_of_the_support_do_not_distort_the_density(slope):
    count = 2000
    slopes = np.full((1, 2), slope, np.float32)
    found = sample_around(
        SLOPE,
        np.full((1, 2), -1, np.float32),
        slopes,
        num_samples=count,
        temperature=1.0,
        options=OPTIONS,
        slots=count,
    )
    assert np.abs(found.z).max() <= 1
    # Of exp(-slope * z) on [-1, 1], by quadrature.
    grid = np.linspace(-1, 1, 200001)
    weight = np.exp(-slope * (grid + 1))
    mean = (weight * grid).sum() / weight.sum()
    deviation = ((weight * (grid - mean) ** 2).sum() / weight.sum()) ** 0.5
    error = 5 * deviation / count**0.5
    np.testing.assert_allclose(found.z[0].mean(axis=0), mean, atol=error)
    # A heavier tail than the Gaussian's: twice its standard error of a deviation.
    np.testing.assert_allclose(
        found.z[0].std(axis=0), deviation, rtol=5 * (2 / count) ** 0.5
    )


def test_a_sample_depends_on_its_image_and_number_alone():
    def sample(rows, num_samples=3, slots=64, seed=5):
        return sample_around(
            GAUSSIAN,
            CENTERS[rows],
            CENTERS[rows],
            num_samples=num_samples,
            temperature=0.01,
            options=LangevinOptions(num_steps=20, burn_in=10),
            slots=slots,
            indices=np.array([7, 4])[rows],
            seed=seed,
        )

    whole = sample([0, 1])
    # Another order in which vector units take a sum; twenty steps carry it on.
    close = {"atol": 1e-5}
    np.testing.assert_allclose(sample([1, 0]).z, whole.z[[1, 0]], **close)
    np.testing.assert_allclose(sample([1]).z, whole.z[1:], **close)
    np.testing.assert_allclose(sample([0, 1], slots=4).z, whole.z, **close)
    np.testing.assert_allclose(sample([0, 1], 2).z, whole.z[:, :2], **close)
    assert not np.any(np.isclose(sample([0, 1], seed=6).z, whole.z))
    assert not np.any(np.isclose(whole.z[:, 0], whole.z[:, 1]))


def test_a_region_where_the_loss_is_no_number_is_never_entered():
    begin = np.array([[0.05, 0.0, 0.0], [-0.5, 0.0, 0.0]], np.float32)
    found = sample_around(
        ONLY_POSITIVE,
        begin,
        np.zeros((2, 3), np.float32),
        num_samples=20,
        temperature=0.1,
        options=OPTIONS,
    )
    assert found.z[0, :, 0].min() > 0
    assert found.acceptance[0] > 0.3
    # Where the start is no number, the chain stays.
    np.testing.assert_array_equal(found.z[1], np.tile(begin[1], (20, 1)))
    assert found.acceptance[1] == 0


def test_mirrors_fold_as_a_step_by_step_walk_does():
    z = np.linspace(-7.3, 7.9, 41).astype(np.float32)[None]
    expected, sign = z.copy()[0], np.ones(41)
    for i in range(41):
        while abs(expected[i]) > 1:
            expected[i] = np.sign(expected[i]) * 2 - expected[i]
            sign[i] = -sign[i]
    folded, turned = (ops.convert_to_numpy(x)[0] for x in reflected(z, 1.0))
    np.testing.assert_allclose(folded, expected, atol=2e-6)
    np.testing.assert_array_equal(turned, sign)


def test_progress_counts_the_steps_of_each_filling():
    steps = []
    sample_around(
        GAUSSIAN,
        CENTERS,
        CENTERS,
        num_samples=3,
        temperature=0.01,
        options=LangevinOptions(num_steps=4, burn_in=2),
        slots=4,
        progress=steps.append,
    )
    assert steps == [4, 4]


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"num_samples": 0}, "`num_samples` must be 1 to 4096; got 0"),
        ({"slots": 0}, "`slots` must be 1 or more; got 0"),
        ({"temperature": 0.0}, "`temperature` must be positive"),
        ({"temperature": np.ones(3)}, "one for each of the 2 images"),
        ({"indices": np.arange(3)}, "`indices` must number each of the 2 images"),
    ],
)
def test_what_cannot_be_sampled_is_named(change, message):
    arguments = {"num_samples": 2, "temperature": 1.0, **change}
    with pytest.raises(ValueError, match=message):
        sample_around(GAUSSIAN, CENTERS, CENTERS, **arguments)


@pytest.mark.parametrize(
    "values", [{"burn_in": 200}, {"num_leaps": 0}, {"step_size": 0.0}]
)
def test_options_out_of_range_are_refused(values):
    with pytest.raises(ValueError, match=next(iter(values))):
        LangevinOptions(**values)
