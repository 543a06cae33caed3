"""A step of IConv: both losses, the penalty, lazy regularisation, units of Adam."""

import dataclasses

import numpy as np
import pytest
from keras import ops

from semantic_inpaint import backend
from semantic_inpaint.training.iconv import IConvTrainer
from semantic_inpaint.training.iconv_descent import step_units
from tests.training.tiny_iconv import RATE, RECIPE, drawn_batch
from tests.training.tiny_runs import as_arrays, assert_same_state


@pytest.fixture(scope="module")
def trainer():
    return IConvTrainer(RECIPE)


@pytest.fixture(scope="module")
def steep_state(trainer):
    """A state whose critic slopes by more than 1, so that the penalty is not 0."""
    state = trainer.initial_state()
    return {**state, "discriminator": [3.0 * w for w in state["discriminator"]]}


def told(batch):
    """Images in [-1, 1], the known map, landmarks: as both networks take them."""
    real = batch.images.astype(np.float32) / 127.5 - 1
    return [real, batch.known[..., None].astype(np.float32), batch.landmarks]


def generate(trainer, weights, batch):
    images, known, landmarks = told(batch)
    inputs = [images, known, batch.codes, landmarks]
    return trainer.network.stateless_call(weights, [], inputs, training=True)[0]


def judge(trainer, weights, image, batch):
    critic = trainer.discriminator
    return critic.stateless_call(weights, [], [image, *told(batch)])[0][:, 0]


def given_to_adam(state, network, trainer):
    """Gradients of the last update: with beta_1 = 0 they are the first moment."""
    model = {"generator": trainer.network, "discriminator": trainer.discriminator}
    moments = as_arrays(state)[f"{network}_optimizer"][: len(state[network])]
    gain = RECIPE.critic_gain if network == "discriminator" else 1.0
    units = step_units(model[network], gain=gain)
    return [m / unit for m, unit in zip(moments, units, strict=True)]


def assert_close(found, expected, tolerance=1e-4):
    scale = max(float(np.abs(ops.convert_to_numpy(e)).max()) for e in expected)
    for one, other in zip(found, expected, strict=True):
        # Float32 sums in another order.
        np.testing.assert_allclose(
            one / scale, ops.convert_to_numpy(other) / scale, atol=tolerance
        )


def test_both_networks_get_the_gradients_of_their_own_losses(trainer, steep_state):
    state, batch = steep_state, drawn_batch()
    found, scalars = trainer.step(state, batch, 1, learning_rate=RATE)
    fake = generate(trainer, state["generator"], batch)

    def of_critic(weights):
        real_values = judge(trainer, weights, told(batch)[0], batch)
        fake_values = judge(trainer, weights, fake, batch)
        distance = ops.mean(fake_values) - ops.mean(real_values)
        return distance + 0.1 * ops.mean(real_values**2), distance

    def of_generator(weights):
        images = generate(trainer, weights, batch)
        return -ops.mean(judge(trainer, state["discriminator"], images, batch)), None

    _, distance, (by_critic,) = backend.value_and_grad(
        of_critic, state["discriminator"]
    )
    assert_close(given_to_adam(found, "discriminator", trainer), by_critic)
    loss, _, (by_generator,) = backend.value_and_grad(of_generator, state["generator"])
    assert_close(given_to_adam(found, "generator", trainer), by_generator)
    assert set(scalars) == {"critic_loss", "real_value", "fake_value"}
    assert float(scalars["critic_loss"]) == pytest.approx(float(distance), rel=1e-4)
    assert float(scalars["fake_value"]) == pytest.approx(-float(loss), rel=1e-4)


def penalty_by_hand(trainer, weights, batch, step):
    """Equation 10 in NumPy, of the critic's slope between real and inpainted images."""
    real, known, _ = told(batch)
    fake = ops.convert_to_numpy(
        generate(trainer, trainer.initial_state()["generator"], batch)
    )
    share = np.random.default_rng([RECIPE.seed, 14, step]).random(
        len(real), dtype=np.float32
    )[:, None, None, None]
    between = ops.convert_to_tensor(share * real + (1 - share) * fake)
    _, _, (slopes,) = backend.value_and_grad(
        lambda image: (ops.sum(judge(trainer, weights, image, batch)), None), between
    )
    slopes = ops.convert_to_numpy(slopes).astype(np.float64) * (1 - known)
    norms = np.sqrt((slopes**2).sum(axis=(1, 2, 3)))
    return np.maximum(0, norms - 1).mean()


@pytest.mark.slow_on_jax
@pytest.mark.both_backends
def test_the_penalty_and_its_gradient_by_the_weights_are_those_of_equation_10(
    trainer, steep_state
):
    # With a rate of 0 the penalty is that of the weights before the step, and the last
    # update of the critic is the penalty's alone.
    batch = drawn_batch()
    found, scalars = trainer.step(steep_state, batch, 16, learning_rate=0.0)
    weights = [
        ops.convert_to_numpy(w).astype(np.float32) for w in steep_state["discriminator"]
    ]
    penalty = penalty_by_hand(trainer, weights, batch, 16)
    assert penalty > 0.5
    assert float(scalars["penalty"]) == pytest.approx(penalty, rel=1e-3)

    # The gradient of a gradient, against differences of the penalty itself along it.
    gradients = given_to_adam(found, "discriminator", trainer)
    length = np.sqrt(sum((g.astype(np.float64) ** 2).sum() for g in gradients))
    found_slopes = []
    for step in (1e-4, -1e-4, 2e-4, -2e-4):
        moved = [
            w + (step / length * g).astype(np.float32)
            for w, g in zip(weights, gradients, strict=True)
        ]
        ahead = penalty_by_hand(trainer, moved, batch, 16)
        found_slopes.append(10.0 * 16 * (ahead - penalty) / step)
    # At a kink of a LeakyReLU the penalty jumps, and what is beyond says nothing; the
    # rest agrees to what a difference of 1e-3 between values of 10 shows in float32.
    nearest = min(found_slopes, key=lambda slope: abs(slope - length))
    assert nearest == pytest.approx(length, rel=0.02)


def test_a_first_step_of_adam_is_the_rate_in_units_of_each_weight(trainer, steep_state):
    start = as_arrays(steep_state)
    end, _ = trainer.step(steep_state, drawn_batch(), 1, learning_rate=RATE)
    end = as_arrays(end)
    models = {"generator": trainer.network, "discriminator": trainer.discriminator}
    seen = set()
    shares = (("generator", 1 / RECIPE.critic_lead), ("discriminator", 16 / 17))
    for name, share in shares:
        for old, new, variable in zip(
            start[name], end[name], models[name].trainable_variables, strict=True
        ):
            unit = 1.0
            if variable.name.endswith("kernel") and "certainty" not in variable.name:
                # Of what a place is summed from: K * K for a depthwise filter.
                depthwise = variable.name == "imputation_kernel"
                unit = np.prod(old.shape[: 2 if depthwise else -1]) ** -0.5
                unit *= RECIPE.critic_gain if name == "discriminator" else 1.0
            # A weight without a gradient stays, one with next to none moves by less.
            moved = np.abs(new - old) / (RATE * share * unit)
            assert moved.max() < 1.02, variable.path
            moved = moved[moved > 0.5]
            assert moved.size == 0 or abs(np.median(moved) - 1) < 0.01, variable.path
            seen.add(variable.name if moved.size else None)
    assert {"kernel", "imputation_kernel", "bias", "certainty_kernel"} <= seen
    decay = RECIPE.average_decay_at(1)
    for old, new, mean in zip(
        start["average"], end["generator"], end["average"], strict=True
    ):
        np.testing.assert_allclose(mean, decay * old + (1 - decay) * new, atol=1e-6)


def test_every_sixteenth_step_takes_the_penalty_and_updates_the_critic_twice(
    trainer, steep_state
):
    def counted(step):
        state, scalars = trainer.step(
            steep_state, drawn_batch(), step, learning_rate=RATE
        )
        counts = [
            float(state[f"{n}_optimizer"][-1]) for n in ("generator", "discriminator")
        ]
        return counts, "penalty" in scalars

    assert counted(0) == ([1.0, 2.0], True)
    assert counted(1) == ([1.0, 1.0], False)
    assert counted(32) == ([1.0, 2.0], True)


def test_a_step_is_a_function_of_its_number_and_its_arguments(trainer, steep_state):
    first, again = (
        trainer.step(steep_state, drawn_batch(), 16, learning_rate=RATE)[0]
        for _ in range(2)
    )
    assert_same_state(first, again)
    other, _ = trainer.step(steep_state, drawn_batch(), 32, learning_rate=RATE)
    same = [
        np.array_equal(a, b)
        for a, b in zip(
            as_arrays(first)["discriminator"],
            as_arrays(other)["discriminator"],
            strict=True,
        )
    ]
    # Another point between real and inpainted images.
    assert not all(same)


def test_without_a_code_there_is_no_such_input_and_one_answer():
    recipe = dataclasses.replace(RECIPE, latent_dim=0)
    trainer = IConvTrainer(recipe)
    batch = drawn_batch(recipe)
    assert batch.codes.shape == (recipe.batch_size, 0)
    names = [x.name for x in trainer.network.inputs]
    assert names == ["images", "known", "landmarks"]
    state = trainer.initial_state()
    after, scalars = trainer.step(state, batch, 0, learning_rate=RATE)
    assert np.isfinite(float(scalars["critic_loss"]))
    moved = zip(
        as_arrays(state)["generator"], as_arrays(after)["generator"], strict=True
    )
    assert any(not np.array_equal(old, new) for old, new in moved)
    network = trainer.generator(after)
    images = told(batch)[0]
    answers = [
        ops.convert_to_numpy(network(trainer.inputs(images, batch.known, seed)))
        for seed in (0, 1)
    ]
    np.testing.assert_array_equal(*answers)


def test_the_moving_average_fills_holes_by_seed_and_each_image_alone(trainer):
    state = trainer.initial_state()
    state = {**state, "average": [2.0 * w for w in state["average"]]}
    network = trainer.generator(state)
    for variable, value in zip(
        network.trainable_variables, as_arrays(state)["average"], strict=True
    ):
        np.testing.assert_array_equal(ops.convert_to_numpy(variable.value), value)

    batch = drawn_batch()
    images = told(batch)[0]

    def filled(seed, rows=slice(None)):
        inputs = trainer.inputs(
            images[rows], batch.known[rows], seed, batch.landmarks[rows]
        )
        return ops.convert_to_numpy(network(inputs, training=False))

    found = filled(0)
    np.testing.assert_array_equal(found, filled(0))
    assert np.abs(found - filled(1)).max() > 1e-4
    np.testing.assert_allclose(filled(0, slice(1, 2)), found[1:2], atol=1e-5)
    without = trainer.inputs(images, batch.known, 0)
    assert [x.dtype for x in without] == [np.float32] * 4
    assert not without[3].any()
