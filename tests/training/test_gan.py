"""A training step beside its two updates: penalty, average, samples, purity."""

import dataclasses

import keras
import numpy as np
import pytest
from keras import ops

from semantic_inpaint.training.gan import GanTrainer
from tests.reference.differences import central_differences
from tests.reference.tanh_discriminator import mean_squared_slope, tanh_discriminator
from tests.training.tiny_runs import MICRO, as_arrays, assert_same_state, first_batch

pytestmark = pytest.mark.both_backends


def r1_gradients(discriminator, gamma):
    """What the R1 penalty adds, read off the moments of a step with and without it."""
    recipes = [dataclasses.replace(MICRO, r1_gamma=g) for g in (0.0, gamma)]
    images, codes = first_batch(MICRO)
    states, scalars = [], {}
    for recipe in recipes:
        trainer = GanTrainer(recipe)
        trainer.discriminator = trainer.judge.discriminator = discriminator
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


@pytest.mark.slow_on_jax
def test_the_r1_penalty_comes_every_so_many_steps_alone():
    recipe = dataclasses.replace(MICRO, r1_interval=3)
    trainer = GanTrainer(recipe)
    state, told = trainer.initial_state(), []
    for step in range(7):
        state, scalars = trainer.step(state, *first_batch(recipe), step)
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
    found, _ = trainer.step(state, *first_batch(recipe), step)
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
    state, _ = trainer.step(trainer.initial_state(), *first_batch(MICRO), 5)
    for key in ("", "_stats"):
        assert_same_state({"": state[f"average{key}"]}, {"": state[f"generator{key}"]})


def test_a_step_is_a_function_of_its_arguments():
    trainer = GanTrainer(MICRO)
    state, arguments = trainer.initial_state(), first_batch(MICRO)
    before = as_arrays(state)
    first, _ = trainer.step(state, *arguments, 0)
    second, _ = trainer.step(state, *arguments, 0)
    assert_same_state(state, before)
    assert_same_state(first, second)
    assert_same_state(trainer.initial_state(), before)
    moved = as_arrays(first)["generator"]
    assert all((a != b).any() for a, b in zip(moved, before["generator"], strict=True))


def test_a_state_is_its_own_and_not_the_networks_variables():
    trainer = GanTrainer(MICRO)
    state = trainer.initial_state()
    before = as_arrays(state)
    for variable in trainer.generator.variables + trainer.discriminator.variables:
        variable.assign(variable + 1.0)
    assert_same_state(state, before)


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
    state, scalars = trainer.step(trainer.initial_state(), *first_batch(recipe), 0)
    arrays = as_arrays(state)
    assert {a.dtype.name for group in arrays.values() for a in group} == {"float32"}
    assert all(np.isfinite(a).all() for group in arrays.values() for a in group)
    assert all(np.isfinite(float(value)) for value in scalars.values())


def test_a_sample_depends_on_its_code_and_the_moving_statistics_alone():
    trainer = GanTrainer(MICRO)
    state, _ = trainer.step(trainer.initial_state(), *first_batch(MICRO), 0)
    codes = first_batch(MICRO)[1]
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
