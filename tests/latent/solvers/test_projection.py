import dataclasses
import types

import numpy as np
import pytest
from keras import ops

from semantic_inpaint.latent.options import FIRST_ORDER, PROJECTIONS, SearchOptions
from semantic_inpaint.latent.search import search_latent

pytestmark = pytest.mark.both_backends

SUPPORT = 1.5


class Quadratic:
    prior = types.SimpleNamespace(support=SUPPORT)

    def __call__(self, codes, target):
        return ops.sum(ops.square(codes - target), axis=1)


class Watched(Quadratic):
    """Not a number for codes outside the support."""

    def __call__(self, codes, target):
        outside = ops.max(ops.abs(codes), axis=1) > SUPPORT
        return ops.where(outside, np.nan, super().__call__(codes, target))


QUADRATIC = Quadratic()


def draw(reach, count=4):
    rng = np.random.default_rng(0)
    start = rng.uniform(-SUPPORT, SUPPORT, (count, 6)).astype(np.float32)
    return start, rng.uniform(-reach, reach, (count, 6)).astype(np.float32)


def options_of(method, projection, **changes):
    first = SearchOptions(
        num_steps=300,
        learning_rate=0.1 if method == "adam" else 0.02,
        schedule="cosine",
        method=method,
        projection=projection,
    )
    return dataclasses.replace(first, **changes)


@pytest.mark.slow_on_jax
@pytest.mark.parametrize("noise", [0.0, 0.5])
@pytest.mark.parametrize("projection", [p for p in PROJECTIONS if p != "none"])
@pytest.mark.parametrize("method", FIRST_ORDER)
def test_only_codes_in_the_support_are_ever_looked_at(method, projection, noise):
    start, target = draw(reach=3 * SUPPORT)
    options = options_of(method, projection, noise=noise, num_steps=40)
    solution = search_latent(Watched(), start, target, options)
    assert np.isfinite(solution.trace).all()
    assert np.abs(solution.z).max() <= SUPPORT


@pytest.mark.parametrize("projection", PROJECTIONS)
@pytest.mark.parametrize("method", FIRST_ORDER)
def test_a_minimum_inside_is_found_whatever_the_projection(method, projection):
    start, target = draw(reach=0.8 * SUPPORT)
    # Not from the bounds: there tanh is flat, and momentum carries over them.
    solution = search_latent(
        QUADRATIC, 0.5 * start, target, options_of(method, projection)
    )
    np.testing.assert_allclose(solution.z, target, atol=5e-3)


@pytest.mark.parametrize("method", FIRST_ORDER)
def test_without_a_projection_a_minimum_beyond_the_support_is_reached(method):
    start, target = draw(reach=3 * SUPPORT)
    assert np.abs(target).max() > 2 * SUPPORT
    solution = search_latent(QUADRATIC, start, target, options_of(method, "none"))
    np.testing.assert_allclose(solution.z, target, atol=5e-3)


def test_without_a_projection_noise_is_not_clipped_either():
    start, target = draw(reach=1.0)
    options = options_of("adam", "none", noise=9.0, num_steps=2, learning_rate=1e-6)
    solution = search_latent(Watched(), start, target, options)
    assert not np.isfinite(solution.trace[:, 0]).any()


def test_tanh_begins_where_it_was_told_to():
    start, target = draw(reach=1.0)
    options = options_of("adam", "tanh", num_steps=1)
    solution = search_latent(QUADRATIC, 0.9 * start, target, options)
    expected = ((0.9 * start - target) ** 2).sum(axis=1)
    # Through arctanh and tanh in float32.
    np.testing.assert_allclose(solution.trace[:, 0], expected, rtol=1e-4)


def test_a_coordinate_that_leaves_is_redrawn_and_the_others_are_not():
    start = np.zeros((200, 2), np.float32)
    # One step of Adam has the length of its rate: the first coordinate leaves.
    start[:, 0] = SUPPORT - 0.05
    target = np.float32([9.0, 9.0]) + 0 * start
    options = SearchOptions(num_steps=1, learning_rate=0.1, projection="stochastic")
    # The end is nearer to the target for some, the start for the others; what it
    # looked at last is told by the loss alone.
    last = search_latent(QUADRATIC, start, target, options).trace[:, 1]
    first = 9.0 - np.sqrt(last - (9.0 - 0.1) ** 2)
    assert np.all(np.abs(first) <= SUPPORT)
    # Uniform: mean and variance within five standard errors of 200 draws.
    assert abs(first.mean()) < 5 * SUPPORT / 600**0.5
    assert first.var() == pytest.approx(SUPPORT**2 / 3, rel=5 * (4 / 5 / 200) ** 0.5)


@pytest.mark.parametrize(
    "changes", [{"projection": "stochastic"}, {"projection": "clip", "noise": 0.3}]
)
def test_draws_are_those_of_the_seed_and_of_the_number_of_the_image(changes):
    start, target = draw(reach=3 * SUPPORT)
    options = options_of("adam", **{"projection": "clip", **changes}, num_steps=60)
    numbers = np.array([7, 3, 11, 5])

    def search(rows=slice(None), seed=2, numbers=numbers):
        return search_latent(
            QUADRATIC,
            start[rows],
            target[rows],
            options,
            indices=numbers[rows],
            seed=seed,
        ).trace

    whole = search()
    np.testing.assert_array_equal(whole, search())
    # A batch of another size is summed in another order.
    np.testing.assert_allclose(whole[[2, 0]], search([2, 0]), rtol=1e-5)
    for other in (search(seed=3), search(numbers=numbers + 1)):
        assert np.abs(whole - other).max(axis=1).min() > 1e-2


def test_noise_ends_after_three_quarters_of_the_steps():
    start, target = draw(reach=1.0)
    options = options_of("adam", "clip", num_steps=40, learning_rate=1e-9)
    still = search_latent(QUADRATIC, start, target, options).trace
    noisy = search_latent(
        QUADRATIC, start, target, dataclasses.replace(options, noise=0.2)
    ).trace
    # With so small a rate the codes stand: what differs is the noise.
    differs = np.abs(noisy - still).max(axis=0) > 1e-3
    assert differs[:20].all()
    assert not differs[30:].any()
