import dataclasses

import keras
import numpy as np
import pytest
from keras import layers, ops
from scipy.optimize import minimize

from semantic_inpaint.latent.intermediate import (
    IntermediateOptions,
    project_onto_l1_ball,
    refine_activations,
)
from semantic_inpaint.latent.objective import (
    Objective,
    refinement_target,
    semantic_target,
)
from semantic_inpaint.latent.through_blend import BlendedObjective, blend_target
from semantic_inpaint.latent.weights import importance_weights
from semantic_inpaint.masks import make_known
from semantic_inpaint.models.prior import GenerativePrior
from semantic_inpaint.models.splitting import split_generator
from tests.models.test_folding import planted

pytestmark = pytest.mark.both_backends

OPTIONS = IntermediateOptions(side=4, radius=0.3, num_steps=40, learning_rate=0.05)


def project(points, radius):
    found = project_onto_l1_ball(
        ops.convert_to_tensor(points, "float32"), ops.convert_to_tensor(radius)
    )
    return ops.convert_to_numpy(found)


@pytest.fixture(scope="module")
def case(tiny_prior):
    rng = np.random.default_rng(7)
    known = make_known("center", 3, 16, 16)
    images = rng.uniform(-0.8, 0.8, (3, 16, 16, 3)).astype(np.float32)
    codes = tiny_prior.codes_for(np.arange(3), seed=4)
    return images, known, codes, semantic_target(images, importance_weights(known))


def test_the_projection_is_the_nearest_point_of_the_ball():
    rng = np.random.default_rng(0)
    points = rng.normal(size=(4, 5)).astype(np.float32)
    radius = np.array([0.2, 1.0, 2.0, 3.0], np.float32)
    for point, size, found in zip(points, radius, project(points, radius), strict=True):
        # A quadratic programme in the positive and negative parts.
        best = minimize(
            lambda parts, point=point: np.sum((parts[:5] - parts[5:] - point) ** 2),
            np.full(10, size / 10),
            bounds=[(0, None)] * 10,
            constraints={"type": "ineq", "fun": lambda p, size=size: size - p.sum()},
            method="SLSQP",
            options={"ftol": 1e-12, "maxiter": 500},
        )
        # SLSQP ends where the square falls by less than 1e-12.
        np.testing.assert_allclose(found, best.x[:5] - best.x[5:], atol=1e-5)


def test_the_projection_takes_the_same_off_every_value_that_stays():
    rng = np.random.default_rng(1)
    points = rng.normal(size=(3, 2000)).astype(np.float32)
    radius = np.array([0.5, 40.0, 900.0], np.float32)
    found = project(points, radius)
    # float32 sums of 2000 terms.
    np.testing.assert_allclose(np.abs(found).sum(axis=1), radius, rtol=1e-4)
    for before, after in zip(points, found, strict=True):
        stays = after != 0
        lost = np.abs(before) - np.abs(after)
        np.testing.assert_allclose(lost[stays], lost[stays].mean(), atol=1e-5)
        assert np.all(np.abs(before[~stays]) <= lost[stays].mean() + 1e-5)
        assert np.all(np.sign(after[stays]) == np.sign(before[stays]))


def test_points_inside_stay_and_a_ball_of_no_size_is_its_centre():
    points = np.array([[0.25, -0.5, 0.0], [0.25, -0.5, 0.0], [3.0, -3.0, 3.0]])
    found = project(points, np.array([0.75, 0.0, 1e9], np.float32))
    np.testing.assert_array_equal(found, [[0.25, -0.5, 0.0], [0, 0, 0], [3, -3, 3]])


def linear_prior():
    """A generator without activations: each image has one map, each loss one basin."""
    code = keras.Input((3,))
    maps = layers.Reshape((4, 4, 2))(layers.Dense(32)(code))
    deconv = layers.Conv2DTranspose(3, 5, strides=2, padding="same")
    generator = planted(keras.Model(code, deconv(maps), name="linear"))
    return GenerativePrior(generator, None, latent_dim=3, image_size=8)


def test_a_planted_change_of_the_maps_is_found():
    prior = linear_prior()
    codes = prior.codes_for(np.arange(2), seed=4)
    head, tail = split_generator(prior.generator, side=4)
    maps = np.array(ops.convert_to_numpy(head(codes, training=False)))
    # Two values in 32: no code gives this picture, a short way in l1 does.
    for place in ((1, 2, 0), (3, 0, 1)):
        maps[(slice(None), *place)] += 0.1 * np.abs(maps).sum(axis=(1, 2, 3))
    images = ops.convert_to_numpy(tail(maps, training=False))
    target = semantic_target(images, np.ones((2, 8, 8), np.float32))
    options = dataclasses.replace(OPTIONS, num_steps=600)
    found = refine_activations(Objective(prior, 0.0), codes, target, options)
    # What Adam leaves of an absolute value after a rate that falls to nothing.
    assert np.all(found.loss < 0.01 * found.trace[:, 0])
    expected = np.clip(images / 2 + 0.5, 0, 1)
    np.testing.assert_allclose(found.generated, expected, atol=0.01)
    share = np.abs(maps - ops.convert_to_numpy(head(codes))).sum(axis=(1, 2, 3))
    share /= np.abs(ops.convert_to_numpy(head(codes))).sum(axis=(1, 2, 3))
    np.testing.assert_allclose(found.distance, share, atol=0.01)


@pytest.mark.slow_on_jax
@pytest.mark.parametrize("side", [4, 8])
@pytest.mark.parametrize("refine", [False, True])
def test_the_loss_falls_below_that_of_the_codes(tiny_prior, case, side, refine):
    images, known, codes, target = case
    if refine:
        target = refinement_target(images, known, np.full(3, 0.4))
    objective = Objective(tiny_prior, 0.5, refine=refine)
    options = dataclasses.replace(OPTIONS, side=side)
    found = refine_activations(objective, codes, target, options)
    before = ops.convert_to_numpy(objective(codes, target))
    assert found.trace.shape == (3, 41)
    # The network in two parts, in one graph and in another: float32 sums.
    np.testing.assert_allclose(found.trace[:, 0], before, rtol=1e-5)
    # Noise, of which a network of a few filters can fit little.
    assert np.all(found.loss < 0.995 * before)
    np.testing.assert_array_equal(found.loss, found.trace.min(axis=1))
    # The ball was left in no step, but for the rounding of its sum.
    assert np.all(found.distance <= 0.3 * (1 + 1e-4))
    assert np.all(found.distance > 0.01)


@pytest.mark.slow_on_jax
def test_a_wider_ball_fits_better(tiny_prior, case):
    _, _, codes, target = case
    losses = [
        refine_activations(
            Objective(tiny_prior, 0.0),
            codes,
            target,
            dataclasses.replace(OPTIONS, radius=radius),
        ).loss
        for radius in (0.0, 0.05, 0.4)
    ]
    assert np.all(losses[0] > losses[1])
    assert np.all(losses[1] > losses[2])


def test_without_room_the_codes_keep_their_image(tiny_prior, case):
    _, _, codes, target = case
    options = dataclasses.replace(OPTIONS, radius=0.0, num_steps=3)
    found = refine_activations(Objective(tiny_prior, 0.0), codes, target, options)
    np.testing.assert_allclose(found.generated, tiny_prior.generate(codes), atol=1e-6)
    assert not found.distance.any()


def test_an_image_has_one_result_alone_and_in_a_batch(tiny_prior, case):
    _, _, codes, target = case
    objective = Objective(tiny_prior, 0.5)
    options = dataclasses.replace(OPTIONS, num_steps=15)
    whole = refine_activations(objective, codes, target, options)
    parts = refine_activations(
        objective, codes, target, dataclasses.replace(options, batch_size=2)
    )
    # As for codes: absolute values pass each difference of rounding on whole where a
    # residual changes its sign.
    np.testing.assert_allclose(parts.generated, whole.generated, atol=1 / 255)
    np.testing.assert_allclose(parts.loss, whole.loss, rtol=1e-2)


def test_a_loss_that_is_not_a_number_spoils_no_other_image(tiny_prior, case):
    _, _, codes, target = case
    options = dataclasses.replace(OPTIONS, num_steps=5)
    objective = Objective(tiny_prior, 0.0)
    good = refine_activations(objective, codes, target, options)
    scale = target.scale.copy()
    scale[1] = np.nan
    found = refine_activations(objective, codes, target._replace(scale=scale), options)
    assert np.isnan(found.loss).tolist() == [False, True, False]
    np.testing.assert_array_equal(found.loss[[0, 2]], good.loss[[0, 2]])
    np.testing.assert_allclose(
        found.generated[1], tiny_prior.generate(codes)[1], atol=1e-6
    )


@pytest.mark.slow_on_jax
def test_an_anchor_of_codes_and_the_blend_may_stand_in_the_objective(tiny_prior, case):
    images, known, codes, _ = case
    target = semantic_target(images, importance_weights(known), anchor=codes)
    options = dataclasses.replace(OPTIONS, num_steps=3)
    plain = refine_activations(
        Objective(tiny_prior, 0.5), codes, target._replace(anchor=None), options
    )
    held = refine_activations(
        Objective(tiny_prior, 0.5, anchor_weight=9.0), codes, target, options
    )
    np.testing.assert_array_equal(held.loss, plain.loss)
    blended = refine_activations(
        BlendedObjective(tiny_prior, 0.5), codes, blend_target(target, known), options
    )
    assert np.all(blended.loss < blended.trace[:, 0])
    assert np.any(blended.trace[:, 0] != plain.trace[:, 0])


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("num_steps", 0),
        ("batch_size", 0),
        ("radius", -0.1),
        ("radius", np.nan),
        ("learning_rate", 0.0),
        ("schedule", "linear"),
    ],
)
def test_options_out_of_range_are_named(field, value):
    with pytest.raises(ValueError, match=f"`{field}` must be"):
        IntermediateOptions(**{field: value})


def test_calls_that_cannot_be_followed_are_refused(tiny_prior, case):
    _, _, codes, target = case
    objective = Objective(tiny_prior, 0.0)
    with pytest.raises(ValueError, match="`side` must be one of 4, 8"):
        refine_activations(
            objective, codes, target, dataclasses.replace(OPTIONS, side=16)
        )
    with pytest.raises(ValueError, match="`codes` has none"):
        refine_activations(objective, codes[:0], target, OPTIONS)
