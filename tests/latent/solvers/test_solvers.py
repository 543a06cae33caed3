"""What holds of every solver, and what of each alone."""

import dataclasses
import types

import numpy as np
import pytest
from keras import ops
from scipy import optimize

from semantic_inpaint.latent.objective import Objective, semantic_target
from semantic_inpaint.latent.options import METHODS, SearchOptions
from semantic_inpaint.latent.search import search_latent
from semantic_inpaint.latent.unmasked import SquaredObjective

pytestmark = pytest.mark.both_backends

# Enough for each method to settle on 8 coordinates.
OPTIONS = {
    "adam": SearchOptions(num_steps=400, learning_rate=0.05, schedule="cosine"),
    "nesterov": SearchOptions(
        num_steps=800, learning_rate=2e-3, schedule="cosine", method="nesterov"
    ),
    "lbfgs": SearchOptions(num_steps=60, method="lbfgs"),
    "gauss-newton": SearchOptions(num_steps=40, method="gauss-newton"),
}
COUNT = 4


class Quadratic:
    """Half of sum(scale * (z - target)^2), badly scaled, and as residuals."""

    prior = types.SimpleNamespace(support=1.0)
    scale = np.geomspace(0.05, 5.0, 6).astype(np.float32)

    def __call__(self, codes, target):
        return 0.5 * ops.sum(self.scale * ops.square(codes - target), axis=1)

    def residuals(self, codes, target):
        difference = codes - target
        return difference, self.scale * ops.ones_like(difference)


QUADRATIC = Quadratic()


def draw(scale=0.9, seed=0):
    rng = np.random.default_rng(seed)
    start = rng.uniform(-1, 1, (COUNT, 6)).astype(np.float32)
    return start, rng.uniform(-scale, scale, (COUNT, 6)).astype(np.float32)


@pytest.fixture
def planted(tiny_prior):
    """Codes, their images as targets, and starts near them."""
    rng = np.random.default_rng(5)
    codes = rng.uniform(-0.8, 0.8, (COUNT, 8)).astype(np.float32)
    images = 2 * tiny_prior.generate(codes) - 1
    start = codes + rng.uniform(-0.15, 0.15, codes.shape).astype(np.float32)
    return codes, start, semantic_target(images, np.ones((COUNT, 16, 16), np.float32))


def loss_in_float64(objective, target, row):
    one = type(target)(*(None if x is None else x[row : row + 1] for x in target))

    def loss(code):
        return float(
            ops.convert_to_numpy(objective(code[None].astype(np.float32), one))[0]
        )

    return loss


@pytest.mark.parametrize("method", METHODS)
def test_a_planted_code_is_recovered_from_its_image_by_absolute_differences(
    tiny_prior, planted, method
):
    codes, start, target = planted
    solution = search_latent(
        Objective(tiny_prior, prior_weight=0.0), start, target, OPTIONS[method]
    )
    # Absolute values have a corner at the code: steps do not shrink as they near it.
    np.testing.assert_allclose(solution.z, codes, atol=5e-3)


@pytest.mark.slow_on_jax
@pytest.mark.parametrize("method", METHODS)
def test_the_loss_is_that_of_scipy_within_bounds(tiny_prior, planted, method):
    _, start, target = planted
    rng = np.random.default_rng(6)
    noisy = target._replace(
        images=target.images
        + rng.normal(0, 0.1, target.images.shape).astype(np.float32)
    )
    objective = SquaredObjective(tiny_prior)
    solution = search_latent(objective, start, noisy, OPTIONS[method])
    for row in range(COUNT):
        image = noisy.images[row].ravel()

        def residual(code, image=image):
            generated = tiny_prior.generator(code[None].astype("float32"))
            return (ops.convert_to_numpy(generated).ravel() - image).astype(float)

        oracle = optimize.least_squares(
            residual, start[row], bounds=(-1, 1), diff_step=1e-3
        )
        # Numerical derivatives of float32 images end the oracle a little early.
        assert solution.loss[row] <= 2 * oracle.cost * (1 + 1e-3)


@pytest.mark.parametrize("method", METHODS)
def test_a_minimum_beyond_the_bounds_is_found_on_them(method):
    start, target = draw(scale=2.0)
    options = dataclasses.replace(OPTIONS[method], num_steps=800)
    if method == "nesterov":
        options = dataclasses.replace(options, learning_rate=0.1)
    solution = search_latent(QUADRATIC, start, target, options)
    # Each coordinate has a parabola of its own, so the nearest point is the clipped.
    np.testing.assert_allclose(solution.z, np.clip(target, -1, 1), atol=2e-3)
    oracle = [
        optimize.minimize(
            lambda z, t=t: 0.5 * np.sum(QUADRATIC.scale * (z - t) ** 2),
            s,
            method="L-BFGS-B",
            bounds=[(-1, 1)] * 6,
        ).fun
        for s, t in zip(start, target, strict=True)
    ]
    np.testing.assert_allclose(solution.loss, oracle, rtol=1e-4, atol=1e-6)


@pytest.mark.slow_on_jax
@pytest.mark.parametrize("method", METHODS)
def test_the_best_loss_is_that_of_the_best_code(tiny_prior, planted, method):
    _, start, target = planted
    objective = Objective(tiny_prior, prior_weight=0.0)
    options = dataclasses.replace(OPTIONS[method], num_steps=5)
    solution = search_latent(objective, start, target, options)
    assert solution.trace.shape == (COUNT, 6)
    np.testing.assert_array_equal(solution.loss, solution.trace.min(axis=1))
    for row in range(COUNT):
        loss = loss_in_float64(objective, target, row)(solution.z[row])
        # float32 sums of 768 terms in another batch, each up to rounding of 1.
        assert loss == pytest.approx(solution.loss[row], rel=1e-5, abs=1e-5)


@pytest.mark.slow_on_jax
@pytest.mark.parametrize("method", ["lbfgs", "gauss-newton"])
def test_a_step_that_descends_nowhere_is_not_taken(method):
    _, target = draw()
    options = SearchOptions(num_steps=4, method=method)
    solution = search_latent(QUADRATIC, target, target, options)
    np.testing.assert_array_equal(solution.z, target)
    np.testing.assert_array_equal(solution.trace, 0)


@pytest.mark.slow_on_jax
@pytest.mark.parametrize("method", ["lbfgs", "gauss-newton"])
def test_the_loss_never_rises(tiny_prior, planted, method):
    _, start, target = planted
    options = dataclasses.replace(OPTIONS[method], num_steps=15)
    solution = search_latent(
        Objective(tiny_prior, prior_weight=0.0), start, target, options
    )
    # The same code evaluated with and without its gradient: rounding.
    assert np.all(np.diff(solution.trace, axis=1) <= 1e-5 * solution.trace[:, :-1])


def test_nesterov_equals_its_recursion_written_out():
    start, target = draw()
    options = SearchOptions(num_steps=20, learning_rate=0.05, method="nesterov")
    z, v, losses = start.astype(np.float64), 0.0, []
    for _ in range(20):
        losses.append(0.5 * (QUADRATIC.scale * (z - target) ** 2).sum(axis=1))
        old = v
        v = 0.9 * v - 0.05 * QUADRATIC.scale * (z - target)
        z = np.clip(z - 0.9 * old + 1.9 * v, -1, 1)
    solution = search_latent(QUADRATIC, start, target, options)
    # 20 float32 steps.
    np.testing.assert_allclose(solution.trace[:, :-1].T, losses, rtol=1e-4, atol=1e-6)


def test_newton_steps_end_on_a_quadratic_at_once():
    start, target = draw()
    for method, steps in (("gauss-newton", 12), ("lbfgs", 25)):
        options = SearchOptions(num_steps=steps, method=method)
        solution = search_latent(QUADRATIC, start, target, options)
        fallen = solution.loss / solution.trace[:, 0]
        assert fallen.max() < 1e-5, method


def test_gauss_newton_refuses_what_has_no_residuals(tiny_prior, planted):
    _, start, target = planted
    options = SearchOptions(num_steps=2, method="gauss-newton")
    with pytest.raises(ValueError, match=r"`prior_weight` is 0\.1\. Set it to 0"):
        search_latent(Objective(tiny_prior, 0.1), start, target, options)

    class Plain:
        prior = QUADRATIC.prior

    with pytest.raises(ValueError, match="with `residuals`; got Plain"):
        search_latent(Plain(), start, target, options)
