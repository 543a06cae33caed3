"""The steps of PConv-GAN: who is trained in which phase, and on what."""

import dataclasses

import numpy as np
import pytest
from keras import ops

from semantic_inpaint import backend
from semantic_inpaint.losses.pconv_gan import generator_loss, reconstruction_loss
from semantic_inpaint.masks import make_known
from semantic_inpaint.training.inpainting import InpaintingBatch
from semantic_inpaint.training.pconv_gan import PConvGanTrainer
from semantic_inpaint.training.pconv_gan_recipes import PConvGanRecipe
from tests.training.tiny_runs import as_arrays, assert_same_state, training_data

# Ten steps: two of the generator, one of the discriminators, seven of both.
RECIPE = PConvGanRecipe(
    image_size=16,
    batch_size=4,
    num_images=40,
    learning_rate=1e-3,
    average_halflife=8.0,
    width=4,
    discriminator_width=2,
    discriminator_units=4,
    generator_share=0.2,
    discriminator_share=0.1,
    precision="float32",
)
STEPS = {"generator": 0, "discriminator": 2, "both": 3}
# A weight at which the adversarial term counts as much as the error.
STRONG = dataclasses.replace(RECIPE, adversarial_weight=0.5)


@pytest.fixture(scope="module")
def trainer():
    return PConvGanTrainer(RECIPE)


@pytest.fixture(scope="module")
def strong():
    return PConvGanTrainer(STRONG)


def batch(step=0):
    images = training_data(count=4, side=16).images
    known = make_known("random-square", 4, 16, 16, seed=step)
    nothing = np.zeros((4, 0), np.float32)
    return InpaintingBatch(images, known, nothing, nothing)


def targets_and_known():
    images, known, *_ = batch()
    return images.astype(np.float32) / 127.5 - 1, known[..., None].astype(np.float32)


def changed(start, end):
    """Name the groups in which anything moved by more than an average's rounding."""
    start, end = as_arrays(start), as_arrays(end)
    return {
        group
        for group, values in start.items()
        if not all(
            np.allclose(a, b, rtol=1e-6, atol=0.0)
            for a, b in zip(values, end[group], strict=True)
        )
    }


def generator_groups():
    return {"generator", "generator_stats", "generator_optimizer"} | {
        "average",
        "average_stats",
    }


@pytest.mark.slow_on_jax
@pytest.mark.parametrize(
    "phase",
    [
        "generator",
        "discriminator",
        # It has all that the other two have.
        pytest.param("both", marks=pytest.mark.both_backends),
    ],
)
def test_a_phase_trains_its_own_networks_and_no_other(phase, trainer):
    assert RECIPE.phase_at(STEPS[phase]) == phase
    start = trainer.initial_state()
    end, scalars = trainer.step(start, batch(), STEPS[phase], learning_rate=1e-3)
    judged = {"discriminator", "discriminator_optimizer"}
    expected = {
        "generator": generator_groups(),
        "discriminator": judged,
        "both": generator_groups() | judged,
    }
    assert changed(start, end) == expected[phase]
    assert all(np.isfinite(float(value)) for value in scalars.values())
    one, two = (
        {"loss", "hole_error"},
        {"discriminator_loss", "real_logit", "fake_logit"},
    )
    names = {"generator": one, "discriminator": two, "both": one | two}
    assert set(scalars) == names[phase]


def forward(trainer, state):
    targets, known = targets_and_known()
    return trainer.network.stateless_call(
        state["generator"], state["generator_stats"], [targets, known], training=True
    )[0]


def logits(trainer, state, images):
    return trainer.discriminator.stateless_call(state["discriminator"], [], images)[0]


def test_the_scalars_are_the_five_losses_written_out(strong):
    state = strong.initial_state()
    _, scalars = strong.step(state, batch(), STEPS["both"], learning_rate=0.0)
    targets, known = targets_and_known()
    generated = ops.convert_to_numpy(forward(strong, state))
    real, fake = (
        ops.convert_to_numpy(logits(strong, state, x)).astype(np.float64)
        for x in (targets, generated)
    )
    squares = ((generated - targets).astype(np.float64) / 2) ** 2
    hole = np.mean(squares * (1 - known))
    errors = hole + np.mean(squares * known) / 6
    cross_entropy = np.mean(np.log1p(np.exp(-real))) + np.mean(np.log1p(np.exp(fake)))
    expected = {
        "hole_error": hole,
        "loss": errors + 0.5 * np.mean(np.log1p(np.exp(-fake))),
        "discriminator_loss": cross_entropy,
        "real_logit": np.mean(real),
        "fake_logit": np.mean(fake),
    }
    # Float32 through two networks.
    assert {k: float(v) for k, v in scalars.items()} == pytest.approx(
        expected, rel=1e-4, abs=1e-5
    )


def test_one_pass_through_the_discriminators_gives_both_gradients(strong):
    """The step's first moments are a tenth of each gradient, taken here by itself."""
    state = strong.initial_state()
    end, _ = strong.step(state, batch(), STEPS["both"], learning_rate=1e-3)
    targets, known = targets_and_known()

    def loss(weights):
        generated = forward(strong, {**state, "generator": weights})
        errors = reconstruction_loss(generated, targets, known)
        fake = logits(strong, state, generated)
        return ops.mean(generator_loss(errors, fake, adversarial_weight=0.5)), None

    _, _, (expected,) = backend.value_and_grad(loss, state["generator"])
    moments = end["generator_optimizer"][: len(expected)]
    for moment, gradient in zip(moments, expected, strict=True):
        scale = float(ops.max(ops.abs(gradient)))
        np.testing.assert_allclose(
            10 * ops.convert_to_numpy(moment),
            ops.convert_to_numpy(gradient),
            rtol=1e-3,
            atol=1e-4 * scale + 1e-7,
        )


def test_the_average_follows_the_generator_and_is_what_is_given_out(trainer):
    start = trainer.initial_state()
    end, _ = trainer.step(start, batch(), 0, learning_rate=1e-2)
    decay = RECIPE.average_decay_at(0)
    one, two = as_arrays(start), as_arrays(end)
    for key in ("", "_stats"):
        for old, new, mean in zip(
            one[f"generator{key}"],
            two[f"generator{key}"],
            two[f"average{key}"],
            strict=True,
        ):
            np.testing.assert_allclose(mean, decay * old + (1 - decay) * new, atol=1e-6)

    network = trainer.generator(end)
    held = network.trainable_variables, network.non_trainable_variables
    for variables, group in zip(held, ("average", "average_stats"), strict=True):
        for variable, value in zip(variables, two[group], strict=True):
            np.testing.assert_array_equal(ops.convert_to_numpy(variable), value)
    images, known, *_ = batch()
    inputs = trainer.inputs(images / 127.5 - 1, known, 0)
    assert [(x.shape, x.dtype) for x in inputs] == [
        ((4, 16, 16, 3), np.float32),
        ((4, 16, 16, 1), np.float32),
    ]
    assert ops.convert_to_numpy(network(inputs)).shape == (4, 16, 16, 3)


def test_the_same_steps_from_the_same_seed_give_the_same_state(trainer):
    ends = []
    for one in (trainer, PConvGanTrainer(RECIPE)):
        state = one.initial_state()
        for step in (STEPS["both"], STEPS["both"] + 1):
            state, _ = one.step(state, batch(step), step, learning_rate=1e-3)
        ends.append(state)
    assert_same_state(*ends)


def test_the_generator_learns_to_fill_an_image_and_the_discriminators_to_tell(trainer):
    state, errors = trainer.initial_state(), []
    for _ in range(60):
        state, scalars = trainer.step(state, batch(), 0, learning_rate=1e-2)
        errors.append(float(scalars["hole_error"]))
    # Noise images: to fill their holes is to know them by heart.
    assert errors[-1] < 0.6 * errors[0]
    told = []
    for _ in range(60):
        state, scalars = trainer.step(state, batch(), 2, learning_rate=1e-2)
        told.append(float(scalars["discriminator_loss"]))
    assert told[-1] < 0.3 * told[0]


@pytest.mark.parametrize(
    "changes",
    [
        {"adversarial_weight": 0.0},
        {"convolution": "plain"},
        {"local": False, "precision": "bfloat16"},
    ],
)
def test_every_ablation_takes_its_last_step(changes):
    trainer = PConvGanTrainer(dataclasses.replace(RECIPE, **changes))
    state = trainer.initial_state()
    end, scalars = trainer.step(state, batch(), 9, learning_rate=1e-3)
    assert ("discriminator" in state) == (changes != {"adversarial_weight": 0.0})
    assert np.isfinite(float(scalars["loss"]))
    assert {str(v.dtype) for v in as_arrays(end)["generator"]} == {"float32"}
