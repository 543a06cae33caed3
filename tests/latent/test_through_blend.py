"""The discriminator before the blended image: against the blend in NumPy."""

import dataclasses

import numpy as np
import pytest
from keras import ops

from semantic_inpaint.backend import value_and_grad
from semantic_inpaint.blending import OPERATORS, poisson_blend
from semantic_inpaint.latent.objective import (
    Objective,
    refinement_target,
    semantic_target,
)
from semantic_inpaint.latent.options import SearchOptions
from semantic_inpaint.latent.search import search_latent
from semantic_inpaint.latent.through_blend import (
    BlendedObjective,
    blend,
    blend_target,
)
from semantic_inpaint.latent.weights import importance_weights
from semantic_inpaint.masks import PATTERNS, make_known

pytestmark = pytest.mark.both_backends

COUNT = len(PATTERNS)


@pytest.fixture(scope="module")
def known():
    return np.concatenate([make_known(name, 1, 16, 16, seed=3) for name in PATTERNS])


@pytest.fixture(scope="module")
def case(tiny_prior, known):
    rng = np.random.default_rng(5)
    images = rng.uniform(-0.6, 0.6, (COUNT, 16, 16, 3)).astype(np.float32)
    codes = tiny_prior.codes_for(np.arange(COUNT), seed=2)
    return images, codes, semantic_target(images, importance_weights(known))


def perception(prior, images):
    logits = ops.convert_to_numpy(prior.discriminator(images, training=False))
    return -np.logaddexp(0.0, logits[:, 0].astype(np.float64))


@pytest.mark.parametrize("operator", OPERATORS)
def test_the_discriminator_sees_the_blended_image(tiny_prior, known, case, operator):
    images, codes, target = case
    target = blend_target(target, known, operator=operator)
    generated = tiny_prior.generator(codes, training=False)
    seen = BlendedObjective(tiny_prior).judged(generated, target)
    expected = poisson_blend(
        ops.convert_to_numpy(generated), images, known, operator=operator
    )
    np.testing.assert_allclose(
        # As in `blending`: float32 rounds each row of the matrix.
        ops.convert_to_numpy(seen),
        np.clip(expected, -1, 1),
        atol=1e-5,
    )
    assert np.array_equal(ops.convert_to_numpy(seen)[known], images[known])


@pytest.mark.parametrize("refine", [False, True])
def test_only_what_is_judged_differs_from_the_papers_objective(
    tiny_prior, known, case, refine
):
    images, codes, target = case
    if refine:
        target = refinement_target(images, known, np.full(COUNT, 0.4))
    blending = blend_target(target, known)
    settings = {"prior_weight": 0.7, "refine": refine}
    generated = tiny_prior.generator(codes, training=False)
    seen = poisson_blend(ops.convert_to_numpy(generated), images, known)
    expected = ops.convert_to_numpy(
        Objective(tiny_prior, 0.0, refine=refine)(codes, target)
    ) + 0.7 * perception(tiny_prior, np.clip(seen, -1, 1))
    found = BlendedObjective(tiny_prior, **settings)(codes, blending)
    # float32 sums of some hundred terms.
    np.testing.assert_allclose(ops.convert_to_numpy(found), expected, rtol=1e-5)
    papers = ops.convert_to_numpy(Objective(tiny_prior, **settings)(codes, target))
    assert np.abs(papers - expected).max() > 1e-3


def test_without_weight_it_is_the_papers_objective(tiny_prior, known, case):
    _, codes, target = case
    found = BlendedObjective(tiny_prior, 0.0)(codes, blend_target(target, known))
    expected = Objective(tiny_prior, 0.0)(codes, target)
    np.testing.assert_array_equal(
        ops.convert_to_numpy(found), ops.convert_to_numpy(expected)
    )


def test_the_gradient_is_that_of_the_linear_map(known):
    # <d blend, c> = <d generated, A^T c>, with A from blends of unit images.
    rng = np.random.default_rng(6)
    pattern = known[:1, :8, :8]
    pattern[0, 0] = True
    pattern[0, 3:6, 2:7] = False
    observed = np.zeros((1, 8, 8, 1), np.float32)
    unit = np.eye(64).reshape(64, 8, 8, 1)
    patterns, zeros = np.repeat(pattern, 64, axis=0), np.zeros((64, 8, 8, 1))
    linear = poisson_blend(unit, zeros, patterns).reshape(64, 64)
    cotangent = rng.normal(size=(1, 8, 8, 1)).astype(np.float32)
    target = blend_target(semantic_target(observed, np.ones((1, 8, 8))), pattern)

    def weighted(generated):
        seen = blend(generated, observed, target.known, target.extension)
        return ops.sum(seen * cotangent), ()

    generated = rng.uniform(-0.1, 0.1, (1, 8, 8, 1)).astype(np.float32)
    _, _, (found,) = value_and_grad(weighted, ops.convert_to_tensor(generated))
    np.testing.assert_allclose(
        ops.convert_to_numpy(found).ravel(), linear @ cotangent.ravel(), atol=1e-5
    )


def test_the_target_has_the_true_known_pixels_in_stage_one(known, case):
    _, _, target = case
    # Where a window misses nothing its weight is 0, and the pixel is known still.
    assert np.any(target.known[..., 0].astype(bool) != known)
    found = blend_target(target, known)
    np.testing.assert_array_equal(found.known[..., 0], known)
    assert found.images is target.images


@pytest.mark.slow_on_jax
def test_an_image_is_found_alone_as_in_a_batch_and_in_fewer_slots(
    tiny_prior, known, case
):
    images, codes, target = case
    objective = BlendedObjective(tiny_prior, 20.0)
    options = SearchOptions(num_steps=12, learning_rate=0.05)
    whole = blend_target(target, known)
    together = search_latent(objective, codes, whole, options)
    # Three slots refill once: the matrices of the first images leave with them.
    parts = search_latent(objective, codes, whole, options, slots=3)
    # Absolute values pass each difference on whole where a residual changes its sign.
    np.testing.assert_allclose(parts.z, together.z, atol=2e-3)
    row = slice(3, 4)
    alone = semantic_target(images[row], importance_weights(known[row]))
    found = search_latent(
        objective, codes[row], blend_target(alone, known[row]), options
    )
    np.testing.assert_allclose(found.z, together.z[row], atol=2e-3)
    assert np.all(together.loss < together.trace[:, 0])


def test_it_is_another_search_than_with_the_papers_objective(tiny_prior):
    # Both are kept compiled, by their objective: they must not be taken for each other.
    ours, papers = BlendedObjective(tiny_prior, 1.0), Objective(tiny_prior, 1.0)
    assert ours != papers
    assert ours == dataclasses.replace(ours)


def test_patterns_of_other_images_are_refused(known, case):
    with pytest.raises(ValueError, match=r"must be \(6, 16, 16\)"):
        blend_target(case[2], known[:2])
