import dataclasses
import types
from typing import NamedTuple

import numpy as np
import pytest
from keras import ops

from semantic_inpaint.latent.engine import make_engine
from semantic_inpaint.latent.objective import Objective, semantic_target
from semantic_inpaint.latent.options import METHODS, SearchOptions
from semantic_inpaint.latent.search import search_latent
from semantic_inpaint.latent.solvers.record import Rows

pytestmark = pytest.mark.both_backends

COUNT = 7
# Some of the images settle long before others.
OPTIONS = {
    "adam": SearchOptions(num_steps=240, learning_rate=0.05, tolerance=0.05),
    "nesterov": SearchOptions(
        num_steps=240, learning_rate=2e-3, method="nesterov", tolerance=0.05
    ),
    "lbfgs": SearchOptions(num_steps=60, method="lbfgs", tolerance=1e-2),
    "gauss-newton": SearchOptions(num_steps=40, method="gauss-newton", tolerance=1e-3),
}


class Goal(NamedTuple):
    """A target of several arrays, one of which is not there."""

    center: np.ndarray
    scale: np.ndarray
    nothing: None = None


class Parabola:
    """Each image has its own minimum and its own scale, so its own number of steps."""

    prior = types.SimpleNamespace(support=1.0)

    def __call__(self, codes, target):
        squares = ops.square(codes - target.center)
        return ops.sum(squares * target.scale, axis=1)

    def residuals(self, codes, target):
        difference = codes - target.center
        return difference, 2.0 * target.scale * ops.ones_like(difference)


PARABOLA = Parabola()


@pytest.fixture(scope="module")
def case():
    rng = np.random.default_rng(4)
    start = rng.uniform(-1, 1, (COUNT, 6)).astype(np.float32)
    center = rng.uniform(-0.9, 0.9, (COUNT, 6)).astype(np.float32)
    scale = rng.uniform(0.1, 9.0, (COUNT, 6)).astype(np.float32)
    # One begins at its goal, and ends as soon as the window allows.
    center[2] = start[2]
    return start, Goal(center, scale)


def rows_of(target, rows):
    return type(target)(*(None if x is None else x[rows] for x in target))


def leaves_of(nest):
    if isinstance(nest, tuple):
        return [leaf for part in nest for leaf in leaves_of(part)]
    return [nest]


def assert_same(found, expected, rows=slice(None)):
    np.testing.assert_array_equal(found.num_steps, expected.num_steps[rows])
    # No matrix product, so each row is computed by itself: nothing but the order in
    # which vector units take a sum can differ.
    np.testing.assert_allclose(found.z, expected.z[rows], atol=1e-5)
    np.testing.assert_allclose(found.trace, expected.trace[rows], rtol=1e-4, atol=1e-6)


@pytest.mark.slow_on_jax
@pytest.mark.parametrize("method", METHODS)
def test_an_image_has_one_result_alone_in_a_batch_in_any_order_and_slot(case, method):
    start, target = case
    options = OPTIONS[method]
    whole = search_latent(PARABOLA, start, target, options)
    assert len(set(whole.num_steps)) > 1
    order = np.array([6, 2, 0, 5, 1, 4, 3])
    shuffled = search_latent(
        PARABOLA, start[order], rows_of(target, order), options, slots=3
    )
    assert_same(shuffled, whole, order)
    for slots in (1, 2, 5):
        assert_same(search_latent(PARABOLA, start, target, options, slots=slots), whole)
    alone = search_latent(PARABOLA, start[4:5], rows_of(target, [4]), options)
    assert_same(alone, whole, [4])


@pytest.mark.slow_on_jax
@pytest.mark.parametrize("method", METHODS)
def test_images_of_a_network_have_the_same_codes_in_fewer_slots(tiny_prior, method):
    rng = np.random.default_rng(8)
    codes = rng.uniform(-0.8, 0.8, (5, 8)).astype(np.float32)
    images = 2 * tiny_prior.generate(codes) - 1
    # Not quite in the prior's range: the loss would come down to rounding otherwise.
    images += rng.uniform(-0.05, 0.05, images.shape).astype(np.float32)
    target = semantic_target(images, np.ones((5, 16, 16), np.float32))
    start = codes + rng.uniform(-0.1, 0.1, codes.shape).astype(np.float32)
    options = dataclasses.replace(OPTIONS[method], num_steps=8, tolerance=0.0)
    objective = Objective(tiny_prior, prior_weight=0.0)
    whole = search_latent(objective, start, target, options)
    parts = search_latent(objective, start, target, options, slots=2)
    # Matrix products of other shapes round otherwise, and absolute values pass each
    # difference on whole where a residual changes its sign.
    np.testing.assert_allclose(parts.z, whole.z, atol=2e-3)
    np.testing.assert_allclose(parts.loss, whole.loss, rtol=1e-2)


@pytest.mark.parametrize("method", METHODS)
def test_a_search_that_ended_stands_still_while_others_go_on(case, method):
    start, target = case
    engine = make_engine(PARABOLA, OPTIONS[method])
    rows = Rows(target, np.zeros((COUNT, 2), np.uint32))
    state = engine.solver.init(ops.convert_to_tensor(start))
    snapshots = {}
    for _ in range(60):
        state = engine.run(state, rows, np.int32(4))
        ended = ops.convert_to_numpy(engine.ended(state))
        now = [ops.convert_to_numpy(x) for x in leaves_of(state)]
        for row in np.flatnonzero(ended):
            before = snapshots.setdefault(row, [x[row] for x in now])
            for old, new in zip(before, now, strict=True):
                np.testing.assert_array_equal(new[row], old)
    assert len(snapshots) == COUNT


def test_every_array_of_a_state_has_a_row_for_each_image(case):
    start, _ = case
    for options in OPTIONS.values():
        state = make_engine(PARABOLA, options).solver.init(ops.convert_to_tensor(start))
        assert {leaf.shape[0] for leaf in leaves_of(state)} == {COUNT}


def test_the_trace_of_a_short_search_ends_with_its_last_loss(case):
    start, target = case
    options = OPTIONS["adam"]
    short = search_latent(PARABOLA, start, target, options)
    long = search_latent(
        PARABOLA, start, target, dataclasses.replace(options, tolerance=0.0)
    )
    assert short.trace.shape == long.trace.shape == (COUNT, 241)
    assert long.num_steps.tolist() == [240] * COUNT
    assert short.num_steps[2] == 26  # a whole window, and the step that saw it
    for row, steps in enumerate(short.num_steps):
        np.testing.assert_allclose(
            short.trace[row, : steps + 1], long.trace[row, : steps + 1], rtol=1e-5
        )
        assert np.all(short.trace[row, steps:] == short.trace[row, steps])
    ended = short.num_steps < 240
    assert ended.any()
    assert {short.status[row] for row in np.flatnonzero(ended)} == {"converged"}


@pytest.mark.slow_on_jax
@pytest.mark.parametrize("tolerance", [0.0, 0.05])
@pytest.mark.parametrize("slots", [None, 3])
def test_progress_adds_up_to_the_steps_of_each_filling(case, slots, tolerance):
    start, target = case
    options = dataclasses.replace(OPTIONS["adam"], num_steps=60, tolerance=tolerance)
    told = []
    search_latent(
        PARABOLA, start, target, options, slots=slots, progress=told.append, chunk=20
    )
    assert sum(told) == 60 * (1 if slots is None else 3)
    assert min(told) >= 0


def test_a_loss_that_is_not_a_number_frees_its_slot(case):
    start, target = case
    target = target._replace(scale=target.scale.copy())
    target.scale[1] = np.nan
    found = search_latent(PARABOLA, start, target, OPTIONS["adam"], slots=2)
    assert found.num_steps[1] == 26
    assert found.status[1] == "nonfinite"
    assert found.status.count("nonfinite") == 1


def test_calls_that_cannot_be_followed_are_refused(case):
    start, target = case
    with pytest.raises(ValueError, match="`slots` must be 1 or more"):
        search_latent(PARABOLA, start, target, OPTIONS["adam"], slots=0)
    with pytest.raises(ValueError, match="each of the 7 images"):
        search_latent(PARABOLA, start, target, OPTIONS["adam"], indices=np.arange(6))
    with pytest.raises(ValueError, match="no codes"):
        search_latent(PARABOLA, start[:0], rows_of(target, []), OPTIONS["adam"])
