import types

import numpy as np
import pytest
from keras import ops

from semantic_inpaint.latent.search import SearchOptions, search_latent

pytestmark = pytest.mark.both_backends


class Quadratic:
    """A loss with a known minimum, in place of the networks."""

    prior = types.SimpleNamespace(support=1.0)

    def __call__(self, codes, target):
        return ops.sum(ops.square(codes - target), axis=1)


class LogOfFirst(Quadratic):
    """Not a number where a code's first coordinate is negative."""

    def __call__(self, codes, target):
        return ops.log(codes[:, 0]) + 0.0 * ops.sum(target, axis=1)


QUADRATIC = Quadratic()
OPTIONS = SearchOptions(num_steps=300, learning_rate=0.05, schedule="cosine")


def draw(count=4, seed=0):
    rng = np.random.default_rng(seed)
    start = rng.uniform(-1, 1, (count, 6)).astype(np.float32)
    target = rng.uniform(-0.9, 0.9, (count, 6)).astype(np.float32)
    return start, target


def test_a_planted_minimum_is_found_and_called_converged():
    start, target = draw()
    solution = search_latent(QUADRATIC, start, target, OPTIONS)
    np.testing.assert_allclose(solution.z, target, atol=1e-3)
    assert set(solution.status) == {"converged"}
    assert solution.num_steps.tolist() == [300] * 4
    assert solution.trace.shape == (4, 301)


def test_codes_stay_in_the_support_where_the_minimum_is_outside():
    start, target = draw()
    solution = search_latent(QUADRATIC, start, target * 3, OPTIONS)
    np.testing.assert_allclose(solution.z, np.clip(target * 3, -1, 1), atol=1e-3)
    assert set(solution.status) == {"converged"}


def test_a_search_that_still_falls_is_not_called_converged():
    start, target = draw()
    options = SearchOptions(num_steps=20, learning_rate=0.003)
    solution = search_latent(QUADRATIC, start, target, options)
    assert set(solution.status) == {"max_steps"}


def test_a_start_outside_the_support_is_brought_into_it():
    start, target = draw()
    solution = search_latent(QUADRATIC, 3 * start, target, SearchOptions(num_steps=1))
    assert np.abs(solution.z).max() <= 1


def test_steps_equal_adam_written_out_in_float64():
    start, target = draw()
    options = SearchOptions(num_steps=25, learning_rate=0.1)
    z, m, v = start.astype(np.float64), 0.0, 0.0
    losses = []
    for step in range(1, 26):
        losses.append(((z - target) ** 2).sum(axis=1))
        gradient = 2 * (z - target)
        m = 0.5 * m + 0.5 * gradient
        v = 0.9 * v + 0.1 * gradient**2
        z = z - 0.1 * (m / (1 - 0.5**step)) / (np.sqrt(v / (1 - 0.9**step)) + 1e-8)
        z = np.clip(z, -1, 1)
    losses.append(((z - target) ** 2).sum(axis=1))
    solution = search_latent(QUADRATIC, start, target, options)
    # 25 float32 steps.
    np.testing.assert_allclose(solution.trace.T, losses, rtol=1e-3, atol=1e-5)


def test_the_best_iterate_is_kept_not_the_last():
    start, target = draw()
    # A rate that overshoots for ever.
    options = SearchOptions(num_steps=40, learning_rate=0.7)
    solution = search_latent(QUADRATIC, start, target, options)
    np.testing.assert_array_equal(solution.loss, solution.trace.min(axis=1))
    assert np.all(solution.loss < solution.trace[:, -1])
    found = ((solution.z - target) ** 2).sum(axis=1)
    np.testing.assert_allclose(found, solution.loss, rtol=1e-5)


def test_the_start_counts_when_no_step_improves_on_it():
    _, target = draw()
    options = SearchOptions(num_steps=3, learning_rate=0.5)
    solution = search_latent(QUADRATIC, target, target, options)
    np.testing.assert_array_equal(solution.z, target)
    np.testing.assert_array_equal(solution.loss, 0)


def test_an_image_does_not_depend_on_its_neighbours():
    start, target = draw(count=5)
    together = search_latent(QUADRATIC, start, target, OPTIONS)
    for row in range(5):
        alone = search_latent(
            QUADRATIC, start[row : row + 1], target[row : row + 1], OPTIONS
        )
        np.testing.assert_array_equal(alone.z[0], together.z[row])


def test_progress_in_chunks_changes_nothing():
    start, target = draw()
    options = SearchOptions(num_steps=23, learning_rate=0.05, schedule="cosine")
    whole = search_latent(QUADRATIC, start, target, options)
    steps = []
    parts = search_latent(
        QUADRATIC, start, target, options, progress=steps.append, chunk=10
    )
    assert steps == [10, 10, 3]
    np.testing.assert_array_equal(whole.trace, parts.trace)
    np.testing.assert_array_equal(whole.z, parts.z)


def test_a_loss_that_is_not_a_number_is_told_of_its_image_alone():
    start = np.array([[0.5], [-0.5]], np.float32)
    solution = search_latent(
        LogOfFirst(), start, np.zeros_like(start), SearchOptions(num_steps=5)
    )
    assert solution.status == ("max_steps", "nonfinite")
    assert np.isfinite(solution.z).all()
    assert solution.z[0, 0] < 0.5


def test_betas_that_cannot_average_are_refused():
    with pytest.raises(ValueError, match="betas"):
        SearchOptions(beta_1=1.0)
