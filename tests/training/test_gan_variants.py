"""What recipes may change in a step: losses, penalties, normalisation, an encoder."""

import dataclasses

import keras
import numpy as np
import pytest
from keras import ops

from semantic_inpaint import backend
from semantic_inpaint.models.checkpoints import load_prior
from semantic_inpaint.models.encoder import encoder_input
from semantic_inpaint.training.export import export_prior
from semantic_inpaint.training.gan import GanTrainer
from semantic_inpaint.training.inverse import draw_known
from semantic_inpaint.training.loop import TrainingResult, train_prior
from tests.training.tiny_runs import (
    MICRO,
    as_arrays,
    assert_same_state,
    first_batch,
    training_data,
)

pytestmark = pytest.mark.both_backends

PLAIN = dataclasses.replace(MICRO, image_size=16, r1_gamma=0.0)
TURNS = dataclasses.replace(PLAIN, shared_backward=False)
LOSSES = {
    "hinge": (lambda x: ops.relu(1 - x), lambda x: ops.relu(1 + x), lambda x: -x),
    "wasserstein": (lambda x: -x, lambda x: x, lambda x: -x),
}


def tensors(recipe):
    images, codes = first_batch(recipe)
    return ops.convert_to_tensor(images.astype(np.float32) / 127.5 - 1.0), codes


def gradients_of_a_first_step(found, group, recipe):
    """What Adam was given, read off its first moment."""
    moments = found[f"{group}_optimizer"][: len(found[group])]
    return [ops.convert_to_numpy(m) / (1 - recipe.beta_1) for m in moments]


def assert_close(found, expected):
    for one, other in zip(found, expected, strict=True):
        other = ops.convert_to_numpy(other)
        scale = max(1e-6, float(np.abs(other).max()))
        # Float32 sums in another order.
        np.testing.assert_allclose(one / scale, other / scale, atol=1e-4)


@pytest.mark.slow_on_jax
@pytest.mark.parametrize(
    ("loss", "base"),
    [("hinge", TURNS), ("wasserstein", TURNS), ("wasserstein", PLAIN)],
)
def test_each_loss_gives_its_gradients_to_both_networks(loss, base):
    recipe = dataclasses.replace(base, loss=loss)
    trainer = GanTrainer(recipe)
    state = trainer.initial_state()
    images, codes = tensors(recipe)
    real_loss, fake_loss, generator_loss = LOSSES[loss]

    def generate(weights):
        return trainer.generator.stateless_call(
            weights, state["generator_stats"], codes, training=True
        )[0]

    def judge(weights, inputs):
        return trainer.discriminator.stateless_call(weights, [], inputs)[0]

    fakes = generate(state["generator"])

    def of_discriminator(weights):
        loss = real_loss(judge(weights, images)), fake_loss(judge(weights, fakes))
        return ops.mean(loss[0]) + ops.mean(loss[1]), None

    def of_generator(weights, discriminator):
        logits = judge(discriminator, generate(weights))
        return ops.mean(generator_loss(logits)), None

    found, _ = trainer.step(state, *first_batch(recipe), 1)
    _, _, (by_d,) = backend.value_and_grad(of_discriminator, state["discriminator"])
    assert_close(gradients_of_a_first_step(found, "discriminator", recipe), by_d)
    judged_by = (state if recipe.shared_backward else found)["discriminator"]
    _, _, (by_g,) = backend.value_and_grad(
        lambda weights: of_generator(weights, judged_by), state["generator"]
    )
    assert_close(gradients_of_a_first_step(found, "generator", recipe), by_g)


def test_the_wgan_penalty_of_a_linear_critic_is_that_of_its_slope():
    image = keras.Input((8, 8, 3))
    flat = keras.layers.Flatten()(image)
    linear = keras.Model(image, keras.layers.Dense(1, name="logit")(flat))
    kernel = np.random.default_rng(0).normal(size=(192, 1)).astype(np.float32)
    linear.trainable_variables[0].assign(kernel)
    found = []
    for weight in (0.0, 10.0):
        recipe = dataclasses.replace(MICRO, r1_gamma=0.0, slope_weight=weight)
        trainer = GanTrainer(recipe)
        trainer.discriminator = trainer.judge.discriminator = linear
        state, _ = trainer.step(trainer.initial_state(), *first_batch(recipe), 0)
        found.append(gradients_of_a_first_step(state, "discriminator", recipe))
    # The slope is the kernel at every image: 10 (|w| - 1)^2.
    norm = np.linalg.norm(kernel)
    expected = 10.0 * 2.0 * (norm - 1.0) * kernel / norm
    np.testing.assert_allclose(found[1][0] - found[0][0], expected, rtol=1e-4)
    np.testing.assert_allclose(found[1][1], found[0][1], atol=1e-6)


@pytest.mark.slow_on_jax
def test_with_spectral_normalisation_the_shipped_kernels_have_norm_one(tmp_path):
    recipe = dataclasses.replace(PLAIN, spectral_norm=True)
    trainer = GanTrainer(recipe)
    state = trainer.initial_state()
    for step in range(60):
        frozen = {**state, "discriminator_optimizer": state["discriminator_optimizer"]}
        state, _ = trainer.step(frozen, *first_batch(recipe), step, learning_rate=1e-6)
    for weights in trainer.judge.normalised(state["discriminator"], state):
        if len(weights.shape) > 1:
            matrix = ops.convert_to_numpy(weights).reshape(-1, weights.shape[-1])
            norm = np.linalg.svd(matrix, compute_uv=False)[0]
            assert norm == pytest.approx(1.0, abs=0.02)  # 60 power iterations.
    data = training_data(side=16)
    export_prior(
        TrainingResult(trainer, state, 60, 0.0),
        data,
        tmp_path,
        name="n",
        data_note="",
        licence="",
    )
    judge = load_prior(tmp_path, as_trained=True).discriminator
    kernel = judge.get_layer("conv_8").kernel
    matrix = ops.convert_to_numpy(kernel).reshape(-1, kernel.shape[-1])
    assert np.linalg.svd(matrix, compute_uv=False)[0] == pytest.approx(1.0, abs=0.02)


@pytest.mark.slow_on_jax
def test_an_augmented_step_is_another_in_every_step_and_the_same_when_repeated():
    recipe = dataclasses.replace(PLAIN, augmentation="color,translation,cutout")
    trainer, plain = GanTrainer(recipe), GanTrainer(PLAIN)
    state = trainer.initial_state()
    batch = first_batch(recipe)
    losses = [
        float(t.step(state, *batch, step)[1]["discriminator_loss"])
        for t, step in ((trainer, 1), (trainer, 1), (trainer, 2), (plain, 1))
    ]
    assert losses[0] == losses[1]
    assert len({round(loss, 6) for loss in losses}) == 3


@pytest.mark.slow_on_jax
def test_an_encoder_adds_its_reconstruction_to_the_generators_gradient():
    recipe = dataclasses.replace(PLAIN, inverse_weight=50.0)
    trainer, plain = GanTrainer(recipe), GanTrainer(PLAIN)
    state = trainer.initial_state()
    images, codes = tensors(recipe)
    faces, half = images[:2], codes[:2]
    fakes, _ = trainer.generator.stateless_call(
        state["generator"], state["generator_stats"], codes, training=True
    )
    known = draw_known(recipe, 1).astype(np.float32)
    assert known[[0, 2]].all()
    assert not known[[1, 3]].all()

    def encode(weights, inputs, known):
        inputs = encoder_input(inputs, ops.convert_to_tensor(known))
        return trainer.encoder.stateless_call(weights, [], inputs)[0]

    def reconstruction(generator, encoder):
        back, _ = trainer.generator.stateless_call(
            generator,
            state["generator_stats"],
            encode(encoder, faces, known[:2]),
            training=False,
        )
        return 50.0 * ops.mean(ops.square(back - faces)), None

    def codes_again(encoder):
        return ops.mean(ops.square(encode(encoder, fakes[:2], known[2:]) - half)), None

    found, scalars = trainer.step(state, *first_batch(recipe), 1)
    without, _ = plain.step(plain.initial_state(), *first_batch(recipe), 1)
    value, _, (by_g, by_e) = backend.value_and_grad(
        reconstruction, state["generator"], state["encoder"]
    )
    code_value, _, (more,) = backend.value_and_grad(codes_again, state["encoder"])
    added = [
        a - b
        for a, b in zip(
            gradients_of_a_first_step(found, "generator", recipe),
            gradients_of_a_first_step(without, "generator", recipe),
            strict=True,
        )
    ]
    assert_close(added, by_g)
    expected = [a + b for a, b in zip(by_e, more, strict=True)]
    assert_close(gradients_of_a_first_step(found, "encoder", recipe), expected)
    assert float(scalars["inverse_error"]) == pytest.approx(float(value) / 50, rel=1e-4)
    assert float(scalars["code_error"]) == pytest.approx(float(code_value), rel=1e-4)


@pytest.mark.slow_on_jax
def test_lazy_inversion_skips_steps_and_weighs_the_others_more():
    lazy = dataclasses.replace(PLAIN, inverse_weight=25.0, inverse_interval=2)
    eager = dataclasses.replace(PLAIN, inverse_weight=50.0)
    trainer = GanTrainer(lazy)
    start = trainer.initial_state()
    kept = as_arrays(start)["encoder"]

    skipped, scalars = trainer.step(start, *first_batch(lazy), 1)
    assert "inverse_error" not in scalars
    assert_close(skipped["encoder"], kept)

    taken, _ = trainer.step(start, *first_batch(lazy), 2)
    other = GanTrainer(eager)
    expected, _ = other.step(other.initial_state(), *first_batch(eager), 2)
    assert_same_state(taken, as_arrays(expected))


@pytest.mark.slow_on_jax
def test_a_run_with_every_extra_stops_and_goes_on_to_the_same_state(tmp_path):
    recipe = dataclasses.replace(
        PLAIN,
        spectral_norm=True,
        augmentation="color,cutout",
        inverse_weight=1.0,
        slope_weight=1.0,
    )
    data = training_data(side=16)
    whole = train_prior(recipe, data, tmp_path / "whole")
    train_prior(recipe, data, tmp_path / "parts", max_steps=3)
    parts = train_prior(recipe, data, tmp_path / "parts")
    assert {"encoder", "discriminator_vectors"} < whole.state.keys()
    assert_same_state(parts.state, as_arrays(whole.state))


def test_what_the_encoder_sees_is_a_function_of_seed_and_step():
    recipe = dataclasses.replace(
        PLAIN,
        batch_size=64,
        num_images=64,
        inverse_weight=1.0,
        inverse_holes=0.25,
    )
    known = draw_known(recipe, 3)
    assert known.shape == (64, 16, 16)
    whole = known.all(axis=(1, 2)).reshape(2, 32)
    assert whole[:, :24].all()
    assert not whole[:, 24:].all()
    np.testing.assert_array_equal(known, draw_known(recipe, 3))
    assert (known != draw_known(recipe, 4)).any()
    whole = draw_known(dataclasses.replace(recipe, inverse_holes=0.0), 3)
    assert whole.all()
