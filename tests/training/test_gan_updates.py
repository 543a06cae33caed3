"""One step of a GAN, against the losses of the papers differentiated one by one."""

import dataclasses

import numpy as np
import pytest
from keras import ops

from semantic_inpaint import backend
from semantic_inpaint.training.gan import GanTrainer
from tests.reference.adam import reference_adam
from tests.training.tiny_runs import MICRO, as_arrays, first_batch

pytestmark = pytest.mark.both_backends

RATE = 0.05
SHARED = dataclasses.replace(
    MICRO, image_size=16, r1_gamma=0.0, real_label=0.9, learning_rate=RATE
)
TURNS = dataclasses.replace(SHARED, shared_backward=False, normalization="batch")


def planted_state(trainer, *, logit_bias=0.0):
    """A state whose optimisers have run, so that a step is smooth in the gradient.

    From the start, Adam's step is the sign of the gradient, which a rounding error
    can turn.
    """
    state = trainer.initial_state()
    for network in ("generator", "discriminator"):
        weights = state[network]
        first = [0.0 * w for w in weights]
        second = [0.0 * w + 1e-3 for w in weights]
        count = ops.convert_to_tensor(50.0, "float32")
        state[f"{network}_optimizer"] = [*first, *second, count]
    state["discriminator"][-1] = state["discriminator"][-1] + logit_bias
    return state


def planted_step(weights, gradients, recipe):
    """Adam's step from the planted moments, in NumPy."""
    beta_1, beta_2 = recipe.beta_1, recipe.beta_2
    new = []
    for w, g in zip(weights, gradients, strict=True):
        g = ops.convert_to_numpy(g).astype(np.float64)
        m = (1 - beta_1) * g / (1 - beta_1**51)
        v = (beta_2 * 1e-3 + (1 - beta_2) * g**2) / (1 - beta_2**51)
        new.append(ops.convert_to_numpy(w) - recipe.learning_rate * m / np.sqrt(v))
    return new


def discriminator_gradients(trainer, state, images, codes):
    """Differentiate the loss of D, real and generated images each in their pass."""
    label = trainer.recipe.real_label
    fakes, _ = trainer.generator.stateless_call(
        state["generator"], state["generator_stats"], codes, training=True
    )

    def loss(weights):
        stats = state["discriminator_stats"]
        real, stats = trainer.discriminator.stateless_call(
            weights, stats, images, training=True
        )
        fake, stats = trainer.discriminator.stateless_call(
            weights, stats, fakes, training=True
        )
        smooth = label * ops.softplus(-real) + (1 - label) * ops.softplus(real)
        return ops.mean(smooth) + ops.mean(ops.softplus(fake)), stats

    value, stats, (gradients,) = backend.value_and_grad(loss, state["discriminator"])
    return value, stats, gradients


def generator_gradients(trainer, state, discriminator, codes):
    """Differentiate the loss of G through a given D."""

    def loss(weights):
        images, _ = trainer.generator.stateless_call(
            weights, state["generator_stats"], codes, training=True
        )
        logits, _ = trainer.discriminator.stateless_call(
            discriminator, state["discriminator_stats"], images, training=True
        )
        return ops.mean(ops.softplus(-logits)), None

    value, _, (gradients,) = backend.value_and_grad(loss, state["generator"])
    return value, gradients


def assert_close(found, expected, *, atol=1e-5):
    # Float32 rounding; the steps themselves are a hundred times larger.
    for one, other in zip(found, expected, strict=True):
        np.testing.assert_allclose(ops.convert_to_numpy(one), other, atol=atol)


def largest_step(new, old):
    return max(
        float(np.abs(a - ops.convert_to_numpy(b)).max())
        for a, b in zip(new, old, strict=True)
    )


@pytest.fixture(scope="module")
def shared_trainer():
    return GanTrainer(SHARED)


@pytest.mark.slow_on_jax
@pytest.mark.parametrize("logit_bias", [0.0, 5.0, -12.0, -50.0])
def test_one_shared_pass_gives_the_gradients_of_both_losses(shared_trainer, logit_bias):
    # Also where D is sure: there the factor between the losses is enormous.
    trainer = shared_trainer
    state = planted_state(trainer, logit_bias=logit_bias)
    images, codes = first_batch(SHARED)
    scaled = images.astype(np.float32) / 127.5 - 1.0
    loss, _, by_d = discriminator_gradients(trainer, state, scaled, codes)
    g_loss, by_g = generator_gradients(trainer, state, state["discriminator"], codes)

    found, scalars = trainer.step(state, images, codes, 1)
    for network, gradients in (("discriminator", by_d), ("generator", by_g)):
        expected = planted_step(state[network], gradients, SHARED)
        assert_close(found[network], expected)
        assert largest_step(expected, state[network]) > 1e-3
    np.testing.assert_allclose(scalars["discriminator_loss"], loss, rtol=1e-4)
    np.testing.assert_allclose(scalars["generator_loss"], g_loss, rtol=1e-4)


def test_in_turns_the_generator_is_judged_by_the_new_discriminator():
    trainer = GanTrainer(TURNS)
    state = planted_state(trainer)
    images, codes = first_batch(TURNS)
    scaled = images.astype(np.float32) / 127.5 - 1.0
    loss, stats, by_d = discriminator_gradients(trainer, state, scaled, codes)
    new_d = planted_step(state["discriminator"], by_d, TURNS)
    tensors = [ops.convert_to_tensor(w, "float32") for w in new_d]
    _, by_g = generator_gradients(trainer, state, tensors, codes)
    _, stale = generator_gradients(trainer, state, state["discriminator"], codes)

    found, scalars = trainer.step(state, images, codes, 1)
    assert_close(found["discriminator"], new_d)
    assert_close(found["discriminator_stats"], as_arrays({"": stats})[""])
    expected = planted_step(state["generator"], by_g, TURNS)
    assert_close(found["generator"], expected)
    old = planted_step(state["generator"], stale, TURNS)
    assert max(np.abs(a - b).max() for a, b in zip(expected, old, strict=True)) > 1e-3
    np.testing.assert_allclose(scalars["discriminator_loss"], loss, rtol=1e-4)


def test_the_first_step_is_adams_with_the_recipes_constants():
    trainer = GanTrainer(dataclasses.replace(MICRO, r1_gamma=0.0))
    state = trainer.initial_state()
    images, codes = first_batch(MICRO)
    scaled = images.astype(np.float32) / 127.5 - 1.0
    _, _, gradients = discriminator_gradients(trainer, state, scaled, codes)
    found, _ = trainer.step(state, images, codes, 0)
    for new, old, gradient in zip(
        found["discriminator"], state["discriminator"], gradients, strict=True
    ):
        gradient = ops.convert_to_numpy(gradient)
        expected = reference_adam(
            ops.convert_to_numpy(old),
            [gradient],
            learning_rate=MICRO.learning_rate,
            beta_1=MICRO.beta_1,
            beta_2=MICRO.beta_2,
        )
        clear = np.abs(gradient) > 1e-5  # Where rounding cannot turn the sign.
        new = ops.convert_to_numpy(new)
        np.testing.assert_allclose(new[clear], expected[clear], atol=1e-6)
    assert float(found["discriminator_optimizer"][-1]) == 1
