import numpy as np
import pytest
from keras import ops

from semantic_inpaint.backend import value_and_grad
from semantic_inpaint.latent.objective import (
    RESIDUAL_FLOORS,
    Objective,
    refinement_target,
    semantic_target,
)
from semantic_inpaint.latent.weights import importance_weights
from semantic_inpaint.masks import make_known

pytestmark = pytest.mark.both_backends


@pytest.fixture
def case(tiny_prior):
    rng = np.random.default_rng(1)
    images = rng.uniform(-1, 1, (3, 16, 16, 3)).astype(np.float32)
    known = make_known("random-square", 3, 16, 16)
    codes = tiny_prior.codes_for(np.arange(3), seed=2)
    generated = ops.convert_to_numpy(tiny_prior.generator(codes, training=False))
    logits = ops.convert_to_numpy(tiny_prior.discriminator(generated, training=False))
    perception = np.log1p(-1 / (1 + np.exp(-logits[:, 0].astype(np.float64))))
    return images, known, codes, generated.astype(np.float64), perception


DIVISORS = {
    "sum": lambda weights: 1.0,
    "mean": lambda weights: 3 * 16 * 16,
    "normalized": lambda weights: 3 * weights.sum(axis=(1, 2)),
}


@pytest.mark.parametrize("reduction", DIVISORS)
def test_stage_one_equals_equation_three(tiny_prior, case, reduction):
    images, known, codes, generated, perception = case
    weights = importance_weights(known)
    content = (weights[..., None] * np.abs(generated - images)).sum(axis=(1, 2, 3))
    expected = content / DIVISORS[reduction](weights) + 0.7 * perception
    loss = Objective(tiny_prior, 0.7)(
        codes, semantic_target(images, weights, reduction=reduction)
    )
    # float32 sums of some hundred terms; the two losses may cancel.
    np.testing.assert_allclose(
        ops.convert_to_numpy(loss), expected, rtol=1e-5, atol=1e-6
    )


@pytest.mark.parametrize("reduction", DIVISORS)
def test_stage_two_equals_equation_nine(tiny_prior, case, reduction):
    images, known, codes, generated, perception = case
    mu = np.array([0.66, 0.33, 0.2])
    distance = np.abs(generated - images).sum(axis=3)
    content = (known * distance).sum(axis=(1, 2)) + mu * (~known * distance).sum(
        axis=(1, 2)
    )
    weights = np.where(known, 1.0, mu[:, None, None])
    expected = content / DIVISORS[reduction](weights) + 0.7 * perception
    loss = Objective(tiny_prior, 0.7, refine=True)(
        codes, refinement_target(images, known, mu, reduction=reduction)
    )
    np.testing.assert_allclose(
        ops.convert_to_numpy(loss), expected, rtol=1e-5, atol=1e-6
    )


def test_without_weight_the_discriminator_is_not_evaluated(tiny_prior, case):
    images, known, codes, *_ = case

    class Untouchable:
        def __getattr__(self, name):
            if name == "discriminator":
                raise AttributeError("the discriminator was asked for")
            return getattr(tiny_prior, name)

    target = semantic_target(images, importance_weights(known))
    loss = Objective(Untouchable(), 0.0)(codes, target)
    assert ops.shape(loss) == (3,)
    with pytest.raises(AttributeError, match="asked for"):
        Objective(Untouchable(), 0.1)(codes, target)


@pytest.mark.parametrize("refine", [False, True])
def test_an_anchor_adds_its_squared_distance_whatever_the_scale(
    tiny_prior, case, refine
):
    images, known, codes, *_ = case
    anchor = tiny_prior.codes_for(np.arange(3), seed=9)
    distance = np.sum((codes.astype(np.float64) - anchor) ** 2, axis=1)
    for reduction in DIVISORS:
        options = {"reduction": reduction, "anchor": anchor}
        target = (
            refinement_target(images, known, np.full(3, 0.5), **options)
            if refine
            else semantic_target(images, importance_weights(known), **options)
        )
        free, held = (
            ops.convert_to_numpy(
                Objective(tiny_prior, 0.1, refine=refine, anchor_weight=weight)(
                    codes, target
                )
            )
            for weight in (0.0, 2.5)
        )
        # The difference of float32 losses of up to some thousand.
        np.testing.assert_allclose(held - free, 2.5 * distance, rtol=1e-3, atol=1e-3)


def test_without_weight_the_anchor_is_not_looked_at(tiny_prior, case):
    images, known, codes, *_ = case
    target = semantic_target(images, importance_weights(known))
    assert target.anchor is None
    assert ops.shape(Objective(tiny_prior)(codes, target)) == (3,)


@pytest.mark.parametrize("refine", [False, True])
@pytest.mark.parametrize("reduction", DIVISORS)
def test_residuals_have_the_gradient_of_the_loss(tiny_prior, case, refine, reduction):
    images, known, codes, *_ = case
    options = {
        "reduction": reduction,
        "anchor": tiny_prior.codes_for(np.arange(3), seed=9),
    }
    target = (
        refinement_target(images, known, np.full(3, 0.4), **options)
        if refine
        else semantic_target(images, importance_weights(known), **options)
    )
    # No difference is left below the floor of the residuals.
    generated = ops.convert_to_numpy(tiny_prior.generator(codes, training=False))
    apart = np.where(generated > target.images, 0.2, -0.2).astype(np.float32)
    target = target._replace(images=target.images - apart)
    objective = Objective(tiny_prior, 0.0, refine=refine, anchor_weight=0.3)
    codes = ops.convert_to_tensor(codes)

    def half_squares(z):
        residual, weight = objective.residuals(z, target)
        held = ops.convert_to_numpy(objective.residuals(codes, target)[1])
        assert residual.shape == weight.shape == (3, 16 * 16 * 3 + 8)
        return 0.5 * ops.sum(held * ops.square(residual)), ()

    expected, found = (
        ops.convert_to_numpy(value_and_grad(function, codes)[2][0])
        for function in (lambda z: (ops.sum(objective(z, target)), ()), half_squares)
    )
    # float32 sums of 768 terms, some of which cancel.
    np.testing.assert_allclose(
        found, expected, rtol=1e-3, atol=1e-4 * np.abs(expected).max()
    )


def test_weights_of_small_residuals_are_bounded(tiny_prior, case):
    _, known, codes, generated, _ = case
    everything = np.ones(known.shape, np.float32)
    target = semantic_target(generated.astype(np.float32), everything)
    residual, weight = Objective(tiny_prior, 0.0).residuals(codes, target)
    assert np.abs(ops.convert_to_numpy(residual)).max() < 1e-5
    expected = 1 / RESIDUAL_FLOORS["absolute"]
    np.testing.assert_allclose(ops.convert_to_numpy(weight), expected)


def test_a_prior_loss_has_no_residuals(tiny_prior, case):
    images, known, codes, *_ = case
    target = semantic_target(images, importance_weights(known))
    with pytest.raises(ValueError, match=r"`prior_weight` must be 0, got 0\.1"):
        Objective(tiny_prior, 0.1).residuals(codes, target)


def test_an_unknown_reduction_is_named(case):
    images, known, *_ = case
    with pytest.raises(ValueError, match=r"sum, mean, normalized; got 'total'"):
        semantic_target(images, importance_weights(known), reduction="total")
