"""The terms of an objective, its distances, and what the discriminator sees."""

import dataclasses

import numpy as np
import pytest
from keras import ops

from semantic_inpaint.backend import value_and_grad
from semantic_inpaint.latent.objective import (
    Objective,
    refinement_target,
    semantic_target,
    total_of,
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


@pytest.mark.slow_on_jax
@pytest.mark.parametrize("distance", ["squared", "smooth", "rounded"])
@pytest.mark.parametrize("refine", [False, True])
def test_other_distances_have_residuals_whatever_their_size(
    tiny_prior, case, refine, distance
):
    images, known, codes, *_ = case
    target = (
        refinement_target(images, known, np.full(3, 0.4), reduction="mean")
        if refine
        else semantic_target(images, importance_weights(known), reduction="mean")
    )
    objective = Objective(tiny_prior, 0.0, refine=refine, distance=distance)
    codes = ops.convert_to_tensor(codes)

    def half_squares(z):
        residual, _ = objective.residuals(z, target)
        held = ops.convert_to_numpy(objective.residuals(codes, target)[1])
        return 0.5 * ops.sum(held * ops.square(residual)), ()

    expected, found = (
        ops.convert_to_numpy(value_and_grad(function, codes)[2][0])
        for function in (lambda z: (ops.sum(objective(z, target)), ()), half_squares)
    )
    # float32 sums of 768 terms, some of which cancel.
    np.testing.assert_allclose(
        found, expected, rtol=1e-3, atol=1e-4 * np.abs(expected).max()
    )


DISTANCES = {
    "absolute": np.abs,
    "squared": np.square,
    "rounded": lambda d: np.where(np.abs(d) < 0.1, 5 * d**2, np.abs(d) - 0.05),
    "smooth": lambda d: np.where(np.abs(d) < 1, d**2 / 2, np.abs(d) - 0.5),
}


@pytest.mark.parametrize("distance", DISTANCES)
@pytest.mark.parametrize("kind", ["saturating", "non-saturating"])
def test_the_terms_are_their_formulas_and_add_up_to_the_loss(
    tiny_prior, case, distance, kind
):
    images, known, codes, generated, perception = case
    # -log D is log(1 - D) less the logit.
    logits = ops.convert_to_numpy(
        tiny_prior.discriminator(generated.astype(np.float32), training=False)
    )[:, 0]
    asked = perception if kind == "saturating" else -perception - logits
    differences = DISTANCES[distance](generated - images)
    weights, mu = importance_weights(known), np.array([0.66, 0.33, 0.2])
    anchor = tiny_prior.codes_for(np.arange(3), seed=9)
    common = {
        "prior": 0.7 * asked,
        "anchor": 2.0 * np.sum((codes.astype(np.float64) - anchor) ** 2, axis=1),
    }
    stages = {
        False: {"content": (weights[..., None] * differences).sum(axis=(1, 2, 3))},
        True: {
            "global_consensus": (known[..., None] * differences).sum(axis=(1, 2, 3)),
            "inpainting_consensus": mu
            * (~known[..., None] * differences).sum(axis=(1, 2, 3)),
        },
    }
    for refine, contents in stages.items():
        options = {"reduction": "mean", "anchor": anchor}
        target = (
            refinement_target(images, known, mu, **options)
            if refine
            else semantic_target(images, weights, **options)
        )
        expected = {name: x / (3 * 16 * 16) for name, x in contents.items()} | common
        objective = Objective(
            tiny_prior,
            0.7,
            refine=refine,
            anchor_weight=2.0,
            distance=distance,
            prior_loss=kind,
        )
        terms = objective.terms(codes, target)
        assert list(terms) == list(expected)
        for name, term in terms.items():
            # float32 sums of some hundred terms.
            np.testing.assert_allclose(
                ops.convert_to_numpy(term), expected[name], rtol=1e-5, atol=1e-6
            )
        np.testing.assert_array_equal(
            ops.convert_to_numpy(objective(codes, target)),
            ops.convert_to_numpy(total_of(terms)),
        )
        spared = objective.without_prior().terms(codes, target)
        assert list(spared) == [name for name in expected if name != "prior"]


def test_a_subclass_says_what_the_discriminator_sees(tiny_prior, case):
    images, known, codes, *_ = case
    target = semantic_target(images, importance_weights(known))

    @dataclasses.dataclass(frozen=True)
    class OfTheTarget(Objective):
        def judged(self, generated, target):
            return target.images

    ours, theirs = (
        kind(tiny_prior, 0.7).terms(codes, target) for kind in (Objective, OfTheTarget)
    )
    np.testing.assert_array_equal(ours["content"], theirs["content"])
    logits = ops.convert_to_numpy(tiny_prior.discriminator(images, training=False))
    expected = -0.7 * np.logaddexp(0, logits[:, 0].astype(np.float64))
    np.testing.assert_allclose(
        ops.convert_to_numpy(theirs["prior"]), expected, rtol=1e-5
    )
    assert np.abs(ours["prior"] - theirs["prior"]).min() > 1e-6


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"distance": "cosine"}, "absolute, rounded, squared, smooth; got 'cosine'"),
        ({"prior_loss": "hinge"}, "saturating, non-saturating; got 'hinge'"),
        ({"prior_interval": 0}, "1 or more; got 0"),
    ],
)
def test_an_objective_that_cannot_be_is_refused(tiny_prior, options, message):
    with pytest.raises(ValueError, match=message):
        Objective(tiny_prior, **options)
