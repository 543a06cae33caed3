"""Looking on at a search."""

import dataclasses
import types

import numpy as np
import pytest
from keras import ops

from semantic_inpaint.latent.objective import Objective, semantic_target
from semantic_inpaint.latent.options import METHODS, SearchOptions
from semantic_inpaint.latent.search import search_latent

pytestmark = [pytest.mark.both_backends, pytest.mark.slow_on_jax]

NUM_STEPS, CHUNK = 30, 7


class Distance:
    """The squared distance from the target; both are codes."""

    prior = types.SimpleNamespace(support=1.0)

    def __call__(self, codes, target):
        return ops.sum(ops.square(codes - target), axis=1)

    def residuals(self, codes, target):
        return codes - target, 2.0 * ops.ones_like(codes)


DISTANCE = Distance()


class Seen:
    """Everything that was shown, by image: its steps and codes, in order."""

    def __init__(self, count):
        self.steps = [[] for _ in range(count)]
        self.codes = [[] for _ in range(count)]
        self.most_at_once = 0

    def __call__(self, rows, steps, codes):
        assert len(rows) == len(steps) == len(codes)
        self.most_at_once = max(self.most_at_once, len(rows))
        for row, step, code in zip(rows, steps, codes, strict=True):
            self.steps[row].append(int(step))
            self.codes[row].append(code)


def draw(count=5):
    rng = np.random.default_rng(2)
    start = rng.uniform(-1, 1, (count, 4)).astype(np.float32)
    return start, rng.uniform(-0.9, 0.9, (count, 4)).astype(np.float32)


def options_for(method, **others):
    return SearchOptions(
        num_steps=NUM_STEPS, learning_rate=0.05, method=method, **others
    )


@pytest.mark.parametrize("slots", [None, 2])
@pytest.mark.parametrize("method", METHODS)
def test_each_image_is_shown_from_its_start_to_its_end(method, slots):
    start, target = draw()
    seen = Seen(len(start))
    found = search_latent(
        DISTANCE,
        start,
        target,
        options_for(method),
        slots=slots,
        watch=seen,
        chunk=CHUNK,
    )
    assert seen.most_at_once == (slots or 5)
    for row in range(5):
        assert seen.steps[row] == [0, 7, 14, 21, 28, 30]
        np.testing.assert_array_equal(seen.codes[row][0], start[row])
        # The loss of a code is that of its step in the trace: they belong together.
        losses = [((code - target[row]) ** 2).sum() for code in seen.codes[row]]
        expected = found.trace[row, seen.steps[row]]
        np.testing.assert_allclose(losses, expected, rtol=1e-4, atol=1e-7)


@pytest.mark.parametrize("tolerance", [0.0, 0.05])
@pytest.mark.parametrize("projection", ["clip", "stochastic", "tanh"])
def test_to_look_on_changes_no_bit(projection, tolerance):
    start, target = draw()
    options = options_for("adam", projection=projection, tolerance=tolerance, noise=0.1)
    alone, watched = (
        search_latent(DISTANCE, start, 2 * target, options, slots=3, watch=watch)
        for watch in (None, Seen(len(start)))
    )
    for field in dataclasses.fields(alone):
        np.testing.assert_array_equal(
            getattr(alone, field.name), getattr(watched, field.name)
        )


def test_to_look_on_changes_no_bit_of_a_network_s_codes(tiny_prior):
    rng = np.random.default_rng(5)
    codes = rng.uniform(-0.8, 0.8, (3, 8)).astype(np.float32)
    target = semantic_target(
        2 * tiny_prior.generate(codes) - 1, np.ones((3, 16, 16), np.float32)
    )
    objective = Objective(tiny_prior, prior_weight=0.003)
    options = SearchOptions(num_steps=6, learning_rate=0.05)
    alone, watched = (
        search_latent(objective, -codes, target, options, watch=watch, chunk=2)
        for watch in (None, Seen(3))
    )
    np.testing.assert_array_equal(alone.z, watched.z)
    np.testing.assert_array_equal(alone.trace, watched.trace)


def test_who_ends_early_is_shown_its_last_code_once():
    start, target = draw()
    start[1] = target[1]
    seen = Seen(len(start))
    options = SearchOptions(num_steps=200, learning_rate=0.05, tolerance=0.05)
    found = search_latent(DISTANCE, start, target, options, slots=2, watch=seen)
    assert found.num_steps[1] < 200
    for row in range(5):
        assert seen.steps[row][0] == 0
        assert seen.steps[row][-1] == found.num_steps[row]
        assert len(set(seen.steps[row])) == len(seen.steps[row])


def test_codes_are_shown_within_the_support_and_as_copies():
    start, target = draw()
    kept = []
    search_latent(
        DISTANCE,
        start,
        3 * target,
        options_for("adam"),
        watch=lambda *shown: kept.append(shown),
        chunk=CHUNK,
    )
    assert max(np.abs(codes).max() for *_, codes in kept) <= 1.0
    # What was shown first is not overwritten by what came later.
    assert not np.array_equal(kept[0][2], kept[-1][2])
    assert kept[0][1].tolist() == [0] * 5
