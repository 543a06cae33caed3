from typing import NamedTuple

import numpy as np
import pytest
from keras import ops

from semantic_inpaint.latent.candidates import (
    CandidateOptions,
    candidate_starts,
    rung_steps,
    search_candidates,
)
from semantic_inpaint.latent.options import SearchOptions
from semantic_inpaint.latent.search import search_latent
from semantic_inpaint.latent.starts import best_of_pool, draw_pool
from semantic_inpaint.models.prior import GenerativePrior

pytestmark = pytest.mark.both_backends

# Codes alone are asked of it, no images.
PRIOR = GenerativePrior(None, None, latent_dim=4, image_size=0)
OPTIONS = SearchOptions(num_steps=70, learning_rate=0.05, schedule="cosine")


class Goal(NamedTuple):
    """A target of several arrays, one of which is not there."""

    near: np.ndarray
    nothing: None = None


class TwoBasins:
    """Each coordinate has a deep minimum and, beyond a hill, one that is less deep."""

    prior = PRIOR

    def __call__(self, codes, target):
        low = ops.square(codes - target.near)
        other = ops.square(codes + target.near) + 0.2
        return ops.sum(ops.minimum(low, other), axis=1)


class LogOfFirst:
    """Not a number where a code's first coordinate is negative."""

    prior = PRIOR

    def __call__(self, codes, target):
        return ops.log(codes[:, 0]) + 0.0 * ops.sum(target.near, axis=1)


BASINS = TwoBasins()


def loss_of(codes, near):
    low, other = (codes - near) ** 2, (codes + near) ** 2 + 0.2
    return np.minimum(low, other).sum(axis=-1)


@pytest.fixture(scope="module")
def goal():
    rng = np.random.default_rng(3)
    side = rng.choice([-1, 1], (5, 4))
    return Goal((side * rng.uniform(0.5, 0.8, (5, 4))).astype(np.float32))


def rows_of(goal, rows):
    return Goal(goal.near[rows])


@pytest.fixture(scope="module")
def starts():
    return np.random.default_rng(9).uniform(-1, 1, (5, 6, 4)).astype(np.float32)


def test_a_pool_is_of_its_image_and_begins_with_smaller_ones():
    pool = draw_pool(PRIOR, np.array([8, 2]), pool=50, seed=3, stream=1)
    assert pool.dtype == np.float32
    small = draw_pool(PRIOR, np.array([2]), pool=3, seed=3, stream=1)
    np.testing.assert_array_equal(small[0], pool[1, :3])
    half = draw_pool(PRIOR, np.array([2]), pool=3, seed=3, stream=1, start_scale=0.5)
    np.testing.assert_array_equal(half, small / 2)
    # 200 numbers between the bounds.
    assert 0.9 < np.abs(pool).max(axis=(1, 2)).min() <= np.abs(pool).max() <= 1


@pytest.mark.parametrize("distribution", ["uniform", "normal"])
def test_the_first_of_a_pool_is_the_code_of_the_prior_and_no_two_are_alike(
    distribution,
):
    drawn = {"seed": 3, "stream": 1, "distribution": distribution}
    indices = np.array([4, 0])
    pool = draw_pool(PRIOR, indices, pool=40, **drawn)
    np.testing.assert_array_equal(pool[:, 0], PRIOR.codes_for(indices, **drawn))
    assert len(np.unique(pool.reshape(-1, 4), axis=0)) == 80


# More codes than slots for an image, several images in the slots, and neither.
@pytest.mark.parametrize("slots", [7, 100, 64])
def test_the_best_of_a_pool_are_those_of_least_loss(goal, slots):
    indices = np.arange(5) + 3
    z, loss = best_of_pool(BASINS, goal, indices, pool=31, keep=4, seed=1, slots=slots)
    pool = draw_pool(PRIOR, indices, pool=31, seed=1)
    brute = loss_of(pool, goal.near[:, None])
    order = np.argsort(brute, axis=1)[:, :4]
    np.testing.assert_array_equal(z, np.take_along_axis(pool, order[..., None], 1))
    np.testing.assert_allclose(loss, np.sort(brute)[:, :4], rtol=1e-5)


def test_more_than_the_pool_cannot_be_kept(goal):
    with pytest.raises(ValueError, match="`keep` must be 1 to `pool`, 3; got 4"):
        best_of_pool(BASINS, goal, np.arange(5), pool=3, keep=4, seed=0)


def test_a_given_code_is_the_first_of_the_candidates(goal):
    given, indices = 0.3 * goal.near, np.arange(5)
    options = CandidateOptions(pool=20, restarts=3, halvings=1)
    codes = candidate_starts(BASINS, goal, indices, options, seed=2, given=given)
    best, _ = best_of_pool(BASINS, goal, indices, pool=20, keep=2, seed=2)
    np.testing.assert_array_equal(codes[:, 0], given)
    np.testing.assert_array_equal(codes[:, 1:], best)
    one = CandidateOptions(pool=20)
    alone = candidate_starts(BASINS, goal, indices, one, seed=2, given=given)
    np.testing.assert_array_equal(alone, given[:, None])
    drawn = candidate_starts(
        BASINS, goal, indices, CandidateOptions(restarts=4), seed=2
    )
    np.testing.assert_array_equal(drawn, draw_pool(PRIOR, indices, pool=4, seed=2))


def test_rungs_share_all_steps_and_cost_the_same():
    assert rung_steps(150, 0) == (150,)
    assert rung_steps(70, 2) == (10, 20, 40)
    for num_steps in range(15, 60):
        steps = rung_steps(num_steps, 3)
        assert sum(steps) == num_steps
        assert min(steps) >= 1
    with pytest.raises(ValueError, match="2 halvings need 7 steps or more; got 6"):
        rung_steps(6, 2)


def test_one_start_is_the_search_itself(goal, starts):
    found = search_candidates(BASINS, starts[:, :1], goal, OPTIONS, seed=4)
    plain = search_latent(BASINS, starts[:, 0], goal, OPTIONS, seed=4)
    np.testing.assert_array_equal(found.z[:, 0], plain.z)
    np.testing.assert_array_equal(found.solution.z, plain.z)
    np.testing.assert_array_equal(found.solution.trace, plain.trace)
    np.testing.assert_array_equal(found.solution.num_steps, plain.num_steps)
    assert found.solution.status == plain.status


def test_without_halving_every_start_is_searched_to_the_end(goal, starts):
    found = search_candidates(BASINS, starts, goal, OPTIONS)
    alone = [search_latent(BASINS, starts[:, i], goal, OPTIONS) for i in range(6)]
    losses = np.stack([solution.loss for solution in alone], axis=1)
    order = np.argsort(losses, axis=1)
    np.testing.assert_allclose(found.loss, np.sort(losses), atol=1e-6)
    np.testing.assert_array_equal(found.origin[:, 0], order[:, 0])
    assert found.z.shape == (5, 6, 4)


@pytest.mark.slow_on_jax
def test_halving_equals_the_race_run_by_hand(goal, starts):
    found = search_candidates(BASINS, starts, goal, OPTIONS, halvings=2)
    for image in range(5):
        running = [(i, code) for i, code in enumerate(starts[image])]
        for num_steps, keep in ((10, 3), (20, 2), (40, 2)):
            options = SearchOptions(
                num_steps=num_steps, learning_rate=0.05, schedule="cosine"
            )
            ends = [
                (
                    origin,
                    search_latent(BASINS, code[None], rows_of(goal, [image]), options),
                )
                for origin, code in running
            ]
            ends.sort(key=lambda end: end[1].loss[0])
            running = [(origin, solution.z[0]) for origin, solution in ends[:keep]]
        assert found.origin[image].tolist() == [origin for origin, _ in running]
        # Vector units take sums in another order.
        codes = np.stack([code for _, code in running])
        np.testing.assert_allclose(found.z[image], codes, atol=1e-4)
    assert found.solution.trace.shape == (5, 71)
    assert set(found.solution.num_steps) == {70}


@pytest.mark.slow_on_jax
def test_the_trace_of_the_winner_begins_at_its_start_and_ends_at_its_loss(goal, starts):
    found = search_candidates(BASINS, starts, goal, OPTIONS, halvings=3)
    assert found.z.shape == (5, 1, 4)
    solution = found.solution
    begin = starts[np.arange(5), found.origin[:, 0]]
    np.testing.assert_allclose(
        solution.trace[:, 0], loss_of(begin, goal.near), rtol=1e-5
    )
    np.testing.assert_array_equal(solution.trace.min(axis=1), solution.loss)


def test_a_race_finds_the_deep_basin_where_a_single_search_does_not(goal):
    # The first start is in the shallow basin of every coordinate.
    starts = np.stack([-goal.near, -0.8 * goal.near, 0.2 * goal.near], axis=1)
    single = search_latent(BASINS, starts[:, 0], goal, OPTIONS)
    assert single.loss.min() > 0.7
    found = search_candidates(BASINS, starts, goal, OPTIONS, halvings=2)
    assert found.origin.tolist() == [[2]] * 5
    np.testing.assert_allclose(found.solution.z, goal.near, atol=1e-3)


# Noise makes the result depend on the draws, which must be the image's own.
@pytest.mark.slow_on_jax
@pytest.mark.parametrize("noise", [0.0, 0.05])
def test_an_image_has_one_result_whatever_its_batch_and_slots(goal, starts, noise):
    options = SearchOptions(num_steps=28, learning_rate=0.05, noise=noise)
    indices = np.array([6, 1, 9, 0, 4])

    def search(rows, slots=None):
        return search_candidates(
            BASINS,
            starts[rows],
            rows_of(goal, rows),
            options,
            halvings=2,
            slots=slots,
            indices=indices[rows],
            seed=3,
        )

    whole = search(np.arange(5))
    for rows, slots in (([3], None), ([4, 0, 2], 5), (np.arange(5), 1)):
        part = search(np.array(rows), slots)
        np.testing.assert_array_equal(part.origin, whole.origin[rows])
        np.testing.assert_allclose(part.z, whole.z[rows], atol=1e-4)


def test_a_candidate_without_a_loss_loses_and_is_told_of_only_where_all_are():
    starts = np.full((2, 2, 4), -0.5, np.float32)
    starts[0, 1] = 0.5
    found = search_candidates(
        LogOfFirst(),
        starts,
        Goal(np.zeros((2, 4), np.float32)),
        SearchOptions(num_steps=4),
    )
    assert found.origin[0].tolist() == [1, 0]
    assert found.solution.status == ("max_steps", "nonfinite")
    assert np.isposinf(found.loss[0, 1])
    assert np.isfinite(found.z).all()


@pytest.mark.slow_on_jax
# Work that the steps do not divide, in slots that the candidates do not fill.
@pytest.mark.parametrize(("slots", "fillings"), [(None, 1), (7, 1), (2, 3)])
def test_progress_adds_up_to_what_one_start_would_count(goal, starts, slots, fillings):
    steps = []
    options = SearchOptions(num_steps=23, learning_rate=0.05)
    search_candidates(
        BASINS, starts, goal, options, halvings=2, slots=slots, progress=steps.append
    )
    assert sum(steps) == 23 * fillings
    assert min(steps) >= 0


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"pool": 0}, "`pool` must be 1 or more; got 0"),
        ({"restarts": 0}, "`restarts` must be 1 to 256; got 0"),
        ({"restarts": 5, "halvings": 4}, "`halvings` must be 0 to 3"),
        ({"halvings": 1}, "when one of 1 `restarts` is left; got 1"),
    ],
)
def test_options_out_of_range_are_refused(values, message):
    with pytest.raises(ValueError, match=message):
        CandidateOptions(**values)
