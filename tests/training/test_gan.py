"""One step of a GAN, against the losses of the papers differentiated one by one."""

import dataclasses

import keras
import numpy as np
import pytest
from keras import ops

from semantic_inpaint import backend
from semantic_inpaint.training.gan import GanTrainer
from tests.reference.adam import reference_adam
from tests.reference.differences import central_differences
from tests.reference.tanh_discriminator import mean_squared_slope, tanh_discriminator
from tests.training.tiny_runs import MICRO, as_arrays, assert_same_state, training_data

pytestmark = pytest.mark.both_backends

RATE = 0.05
SHARED = dataclasses.replace(
    MICRO, image_size=16, r1_gamma=0.0, real_label=0.9, learning_rate=RATE
)
TURNS = dataclasses.replace(SHARED, shared_backward=False, normalization="batch")


def batch(recipe):
    images = training_data(count=recipe.batch_size, side=recipe.image_size).images
    rng = np.random.default_rng(1)
    codes = rng.uniform(-1, 1, (recipe.batch_size, recipe.latent_dim))
    return images, codes.astype(np.float32)


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
    # Float32 rounding; the steps themselves reach 1e-2, as every caller checks.
    for one, other in zip(found, expected, strict=True):
        np.testing.assert_allclose(ops.convert_to_numpy(one), other, atol=atol)


def largest_step(new, old):
    return max(
        float(np.abs(a - ops.convert_to_numpy(b)).max())
        for a, b in zip(new, old, strict=True)
    )


@pytest.mark.parametrize("logit_bias", [0.0, 5.0, -12.0, -50.0])
def test_one_shared_pass_gives_the_gradients_of_both_losses(logit_bias):
    # Also where D is sure: there the factor between the losses is enormous.
    trainer = GanTrainer(SHARED)
    state = planted_state(trainer, logit_bias=logit_bias)
    images, codes = batch(SHARED)
    scaled = images.astype(np.float32) / 127.5 - 1.0
    loss, _, by_d = discriminator_gradients(trainer, state, scaled, codes)
    g_loss, by_g = generator_gradients(trainer, state, state["discriminator"], codes)

    found, scalars = trainer.step(state, images, codes, 1)
    for network, gradients in (("discriminator", by_d), ("generator", by_g)):
        expected = planted_step(state[network], gradients, SHARED)
        assert_close(found[network], expected)
        assert largest_step(expected, state[network]) > 1e-2 or logit_bias == 5.0
    np.testing.assert_allclose(scalars["discriminator_loss"], loss, rtol=1e-4)
    np.testing.assert_allclose(scalars["generator_loss"], g_loss, rtol=1e-4)


def test_in_turns_the_generator_is_judged_by_the_new_discriminator():
    trainer = GanTrainer(TURNS)
    state = planted_state(trainer)
    images, codes = batch(TURNS)
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
    images, codes = batch(MICRO)
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


def r1_gradients(discriminator, gamma):
    """What the R1 penalty adds, read off the moments of a step with and without it."""
    recipes = [dataclasses.replace(MICRO, r1_gamma=g) for g in (0.0, gamma)]
    images, codes = batch(MICRO)
    states, scalars = [], {}
    for recipe in recipes:
        trainer = GanTrainer(recipe)
        trainer.discriminator = discriminator
        state, scalars = trainer.step(trainer.initial_state(), images, codes, 0)
        states.append(as_arrays(state))
    without, with_penalty = (s["discriminator_optimizer"] for s in states)
    count = len(states[0]["discriminator"])
    b = MICRO.beta_1
    gradients = [
        (two - b * one) / (1 - b)
        for one, two in zip(without[:count], with_penalty[:count], strict=True)
    ]
    assert (without[-1], with_penalty[-1]) == (1, 2)
    return gradients, states[0]["discriminator"], scalars, images / 127.5 - 1.0


def test_the_r1_penalty_of_a_linear_discriminator_is_that_of_its_weights():
    image = keras.Input((8, 8, 3))
    flat = keras.layers.Flatten()(image)
    linear = keras.Model(image, keras.layers.Dense(1, name="logit")(flat))
    kernel = np.random.default_rng(0).normal(size=(192, 1)).astype(np.float32)
    linear.trainable_variables[0].assign(kernel)

    (by_kernel, by_bias), weights, scalars, _ = r1_gradients(linear, 3.0)
    # The slope is the kernel at every image: gamma / 2 |w|^2, every second step.
    np.testing.assert_allclose(by_kernel, 3.0 * 2 * weights[0], rtol=1e-4, atol=1e-4)
    np.testing.assert_allclose(by_bias, 0.0, atol=1e-4)
    np.testing.assert_allclose(scalars["r1"], np.sum(weights[0] ** 2), rtol=1e-5)


def test_the_r1_penalty_is_differentiated_through_the_slope():
    network = tanh_discriminator(8, units=3, seed=0)
    found, weights, scalars, images = r1_gradients(network, 3.0)
    expected = mean_squared_slope(weights, images)
    np.testing.assert_allclose(scalars["r1"], expected, rtol=1e-4)
    for place, by_weight in enumerate(found):

        def penalty(weight, place=place):
            changed = [*weights[:place], weight, *weights[place + 1 :]]
            return 0.5 * 3.0 * 2 * mean_squared_slope(changed, images)

        oracle = central_differences(penalty, weights[place])
        np.testing.assert_allclose(by_weight, oracle, rtol=1e-3, atol=1e-4)


def test_the_r1_penalty_comes_every_so_many_steps_alone():
    recipe = dataclasses.replace(MICRO, r1_interval=3)
    trainer = GanTrainer(recipe)
    state, told = trainer.initial_state(), []
    for step in range(7):
        state, scalars = trainer.step(state, *batch(recipe), step)
        told.append("r1" in scalars)
    assert told == [True, False, False, True, False, False, True]
    assert float(state["discriminator_optimizer"][-1]) == 7 + 3
    assert float(state["generator_optimizer"][-1]) == 7


@pytest.mark.parametrize("step", [0, 4, 39, 10_000])
def test_the_half_life_of_the_moving_average_grows_with_the_images_seen(step):
    recipe = dataclasses.replace(MICRO, average_half_life=16.0, average_ramp=0.1)
    trainer = GanTrainer(dataclasses.replace(recipe, r1_gamma=0.0))
    state = trainer.initial_state()
    state["average"] = [0.0 * a + 2.0 for a in state["average"]]
    state["average_stats"] = [0.0 * a + 2.0 for a in state["average_stats"]]
    found, _ = trainer.step(state, *batch(recipe), step)
    # Four images a step: a tenth of those seen, at most 16.
    half_life = min(16.0, 0.4 * (step + 1))
    decay = 0.5 ** (4 / half_life)
    arrays = as_arrays(found)
    for average, source in (
        ("average", "generator"),
        ("average_stats", "generator_stats"),
    ):
        for one, new in zip(arrays[average], arrays[source], strict=True):
            expected = decay * 2.0 + (1 - decay) * new
            np.testing.assert_allclose(one, expected, rtol=1e-5, atol=1e-6)


def test_without_a_half_life_the_average_is_the_generator():
    trainer = GanTrainer(dataclasses.replace(MICRO, average_half_life=0.0))
    state, _ = trainer.step(trainer.initial_state(), *batch(MICRO), 5)
    for key in ("", "_stats"):
        assert_same_state({"": state[f"average{key}"]}, {"": state[f"generator{key}"]})


def test_a_step_is_a_function_of_its_arguments():
    trainer = GanTrainer(MICRO)
    state, arguments = trainer.initial_state(), batch(MICRO)
    before = as_arrays(state)
    first, _ = trainer.step(state, *arguments, 0)
    second, _ = trainer.step(state, *arguments, 0)
    assert_same_state(state, before)
    assert_same_state(first, second)
    assert_same_state(trainer.initial_state(), before)
    moved = as_arrays(first)["generator"]
    assert all((a != b).any() for a, b in zip(moved, before["generator"], strict=True))


def test_the_seed_decides_the_initial_state():
    states = [
        as_arrays(GanTrainer(dataclasses.replace(MICRO, seed=s)).initial_state())
        for s in (0, 0, 1)
    ]
    assert_same_state(states[0], states[1])
    for network in ("generator", "discriminator"):
        assert not np.array_equal(states[0][network][0], states[2][network][0])


def test_bfloat16_computes_with_float32_weights():
    recipe = dataclasses.replace(MICRO, precision="bfloat16")
    trainer = GanTrainer(recipe)
    assert trainer.generator.get_layer("deconv_8").compute_dtype == "bfloat16"
    state, scalars = trainer.step(trainer.initial_state(), *batch(recipe), 0)
    arrays = as_arrays(state)
    assert {a.dtype.name for group in arrays.values() for a in group} == {"float32"}
    assert all(np.isfinite(a).all() for group in arrays.values() for a in group)
    assert all(np.isfinite(float(value)) for value in scalars.values())


def test_a_sample_depends_on_its_code_and_the_moving_statistics_alone():
    trainer = GanTrainer(MICRO)
    state, _ = trainer.step(trainer.initial_state(), *batch(MICRO), 0)
    codes = batch(MICRO)[1]
    others = np.where(np.arange(4)[:, None] == 1, codes, -codes)
    first, second = (
        ops.convert_to_numpy(
            trainer.sample(state["average"], state["average_stats"], c)
        )
        for c in (codes, others)
    )
    assert np.abs(first).max() <= 1.0
    np.testing.assert_array_equal(first[1], second[1])
    assert (first[0] != second[0]).any()
