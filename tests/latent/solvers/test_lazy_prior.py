"""A discriminator that is asked in every k-th step of an image alone."""

import dataclasses
import types
from typing import NamedTuple

import numpy as np
import pytest
from keras import ops

from semantic_inpaint.latent.objective import Objective, semantic_target
from semantic_inpaint.latent.options import FIRST_ORDER, SearchOptions
from semantic_inpaint.latent.search import search_latent

pytestmark = [pytest.mark.both_backends, pytest.mark.slow_on_jax]

RATE = 0.02


class Goal(NamedTuple):
    """Where the content draws each image, and its prior, and how strongly."""

    center: np.ndarray
    pull: np.ndarray
    scale: np.ndarray


@dataclasses.dataclass(frozen=True)
class Tug:
    """A parabola for the content and a plane for the prior."""

    prior_weight: float = 1.0
    prior_interval: int = 1

    prior = types.SimpleNamespace(support=1.0)

    def __call__(self, codes, target):
        return sum(self.terms(codes, target).values())

    def terms(self, codes, target):
        parabola = target.scale[:, None] * ops.square(codes - target.center)
        terms = {"content": 0.5 * ops.sum(parabola, axis=1)}
        if self.prior_weight != 0:
            terms["prior"] = self.prior_weight * self.judge(codes, target)
        return terms

    def judge(self, codes, target):
        return ops.sum(target.pull * codes, axis=1)

    def without_prior(self):
        return dataclasses.replace(self, prior_weight=0.0)


def draw(count=5, size=4):
    rng = np.random.default_rng(3)
    start, center = rng.uniform(-0.9, 0.9, (2, count, size)).astype(np.float32)
    pull = rng.uniform(-0.3, 0.3, (count, size)).astype(np.float32)
    scale = np.geomspace(0.5, 9, count).astype(np.float32)
    return start, Goal(center, pull, scale)


def nesterov(start, target, interval, num_steps):
    """The recursion written out: codes, and the losses that are told."""
    z, v, codes, told = start.astype(np.float64), 0.0, [], []
    for step in range(num_steps):
        due = step % interval == 0
        slope = target.scale[:, None] * (z - target.center)
        slope = slope + due * interval * target.pull
        loss = 0.5 * target.scale * ((z - target.center) ** 2).sum(axis=1)
        told.append(loss + (target.pull * z).sum(axis=1) if due else told[-1])
        codes.append(z)
        old, v = v, 0.9 * v - RATE * slope
        z = np.clip(z - 0.9 * old + 1.9 * v, -1, 1)
    return np.array(codes), np.array(told).T, z


@pytest.mark.parametrize("interval", [1, 2, 5])
def test_the_steps_are_those_of_the_recursion_written_out(interval):
    start, target = draw()
    options = SearchOptions(
        num_steps=13, learning_rate=RATE, method="nesterov", result="last"
    )
    solution = search_latent(Tug(prior_interval=interval), start, target, options)
    _, told, last = nesterov(start, target, interval, 13)
    # 13 float32 steps.
    np.testing.assert_allclose(solution.z, last, atol=1e-5)
    np.testing.assert_allclose(solution.trace[:, :-1], told, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("method", FIRST_ORDER)
def test_the_best_code_is_one_where_the_prior_was_asked_and_its_loss_is_whole(method):
    start, target = draw()
    options = SearchOptions(num_steps=30, learning_rate=RATE, method=method)
    objective = Tug(prior_interval=4)
    solution = search_latent(objective, start, target, options)
    whole = ops.convert_to_numpy(objective(solution.z, target))
    np.testing.assert_allclose(solution.loss, whole, rtol=1e-5, atol=1e-6)
    asked = solution.trace[:, [*range(0, 30, 4), 30]]
    np.testing.assert_array_equal(solution.loss, asked.min(axis=1))
    # Between two questions the trace stands still.
    np.testing.assert_array_equal(
        solution.trace[:, 4:8], solution.trace[:, 4:5] + 0 * solution.trace[:, 4:8]
    )


class Fragile(Tug):
    """A prior with a value and a slope only where it is to be asked.

    With a weight too small to change the course by itself.
    """

    reach = 2e-3

    def judge(self, codes, target):
        # Near every place given, else the root of a negative number.
        distance = ops.square(codes[:, None] - target.pull)
        nearest = ops.min(ops.sum(distance, axis=-1), axis=1)
        return -ops.sqrt(self.reach**2 - nearest)


@pytest.mark.parametrize("interval", [3, 4])
def test_between_its_steps_the_prior_is_not_evaluated(interval):
    start, target = draw()
    still = target._replace(pull=0 * target.pull)
    options = SearchOptions(num_steps=12, learning_rate=RATE, method="nesterov")
    codes, _, last = nesterov(start, still, interval, 12)
    # The places that are asked about, and the end, whose whole loss is told.
    places = np.concatenate([codes[::interval], last[None]]).swapaxes(0, 1)
    target = target._replace(pull=places.astype(np.float32))
    # Apart by more than the reach, so that no other step is near one of them.
    apart = np.linalg.norm(np.diff(np.concatenate([codes, last[None]]), axis=0), axis=2)
    assert apart.min() > 2 * Fragile.reach
    lazy = search_latent(Fragile(1e-4, interval), start, target, options)
    assert np.isfinite(lazy.trace).all()
    eager = search_latent(Fragile(1e-4), start, target, options)
    # A masked loss, of which nothing is used, would still have passed this slope on.
    assert not np.isfinite(eager.trace[:, 1]).any()


@pytest.mark.parametrize("method", FIRST_ORDER)
def test_a_result_does_not_depend_on_slots_whatever_the_interval(method):
    start, target = draw(count=7)
    # In chunks of 25 steps: images that enter later count from other remainders.
    options = SearchOptions(
        num_steps=120, learning_rate=RATE, method=method, tolerance=0.05
    )
    for interval in (4, 7):
        objective = Tug(prior_interval=interval)
        whole = search_latent(objective, start, target, options)
        assert len(set(whole.num_steps)) > 1
        for slots in (2, 3):
            parts = search_latent(objective, start, target, options, slots=slots)
            np.testing.assert_array_equal(parts.num_steps, whole.num_steps)
            # Vector units may take a sum in another order.
            np.testing.assert_allclose(parts.z, whole.z, atol=1e-5)
            np.testing.assert_allclose(parts.trace, whole.trace, rtol=1e-4, atol=1e-5)


def test_in_a_network_the_lazy_search_ends_near_the_eager_one(tiny_prior):
    codes = tiny_prior.codes_for(np.arange(3), seed=1)
    images = 2 * tiny_prior.generate(codes) - 1
    weights = np.ones((3, 16, 16), np.float32)
    target = semantic_target(images, weights, reduction="mean")
    options = SearchOptions(num_steps=60, learning_rate=0.02, schedule="cosine")
    losses = {}
    for interval in (1, 4):
        objective = Objective(tiny_prior, 0.01, prior_interval=interval)
        solution = search_latent(objective, 0.5 * codes, target, options)
        whole = ops.convert_to_numpy(Objective(tiny_prior, 0.01)(solution.z, target))
        # Of one code, in the loop and out of it.
        np.testing.assert_allclose(solution.loss, whole, rtol=1e-3, atol=1e-4)
        losses[interval] = solution.loss, solution.trace[:, 0]
    fall = losses[1][1] - losses[1][0]
    assert np.all(np.abs(losses[4][0] - losses[1][0]) < 0.2 * fall)


def test_without_a_prior_loss_the_interval_changes_nothing():
    start, target = draw()
    options = SearchOptions(num_steps=9, learning_rate=RATE)
    plain, lazy = (
        search_latent(Tug(0.0, interval), start, target, options).trace
        for interval in (1, 4)
    )
    np.testing.assert_array_equal(lazy, plain)


def test_what_cannot_be_lazy_is_refused():
    start, target = draw()
    for method in ("lbfgs", "gauss-newton"):
        options = SearchOptions(num_steps=2, method=method)
        with pytest.raises(ValueError, match="`prior_interval` 4 is for adam and"):
            search_latent(Tug(prior_interval=4), start, target, options)
    options = SearchOptions(tolerance=0.1)
    with pytest.raises(ValueError, match="`prior_interval` is 26, but `tolerance`"):
        search_latent(Tug(prior_interval=26), start, target, options)
