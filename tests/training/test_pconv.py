"""Training a U-Net of partial convolutions: the loss and the two stages."""

import dataclasses

import numpy as np
import pytest
from keras import ops

from semantic_inpaint.training.holes import training_holes
from semantic_inpaint.training.inpainting import InpaintingBatch
from semantic_inpaint.training.pconv import PConvTrainer
from semantic_inpaint.training.pconv_recipes import PConvRecipe
from tests.reference import pconv_losses as by_hand
from tests.training.tiny_runs import as_arrays, training_data

RECIPE = PConvRecipe(
    image_size=16,
    width=2,
    batch_size=4,
    num_images=32,
    perceptual="none",
    fine_tune_start=0.5,
    average_halflife=8.0,
    precision="float32",
)
FIRST_OF_STAGE_TWO = 4
FROZEN = ("norm_2", "norm_3")


def batch_of(images, *, step=0):
    count, side = images.shape[:2]
    nothing = np.zeros((count, 0), np.float32)
    known = training_holes(count, side, seed=0, step=step)
    return InpaintingBatch(images, known, nothing, nothing)


def noise_batch():
    return batch_of(training_data(count=4, side=16).images)


@pytest.fixture(scope="module")
def trainer():
    return PConvTrainer(RECIPE)


def terms_by_hand(trainer, batch, looked_at):
    """Means of the terms of equation 7, without their weights.

    Of all images, and of the features of the first `looked_at`.
    """
    targets = batch.images.astype(np.float32) / np.float32(127.5) - np.float32(1.0)
    known = batch.known[..., None]
    inputs = trainer.inputs(targets, batch.known, 0)
    made = ops.convert_to_numpy(trainer.network(inputs, training=True))
    composite = np.where(known, targets, made)
    found = {name: [] for name in ("valid", "hole", "variation", "perceptual", "style")}
    maps = trainer._features
    for i, hidden in enumerate(batch.known):
        valid, hole = by_hand.pixel_terms(made[i], targets[i], hidden)
        found["valid"].append(valid)
        found["hole"].append(hole)
        found["variation"].append(by_hand.variation(composite[i], hidden))
        if maps is not None:
            out, comp, true = (
                [ops.convert_to_numpy(m)[0] for m in maps(x[i : i + 1])]
                for x in (made, composite, targets)
            )
            for name in ("perceptual", "style"):
                distance = getattr(by_hand, name)
                found[name].append(distance(out, true) + distance(comp, true))
    for name in ("perceptual", "style"):
        found[name] = found[name][:looked_at]
    return {name: np.mean(values) for name, values in found.items() if values}


@pytest.mark.parametrize("looked_at", [None, 2])
def test_the_loss_is_equation_7_with_the_features_of_some_images(vgg16_file, looked_at):
    recipe = dataclasses.replace(
        RECIPE,
        perceptual=f"vgg16:{vgg16_file}",
        perceptual_images=looked_at,
        batch_size=3,
    )
    trainer = PConvTrainer(recipe)
    batch = batch_of(training_data(count=3, side=16).images)
    expected = terms_by_hand(trainer, batch, looked_at)
    _, scalars = trainer.step(trainer.initial_state(), batch, 0, learning_rate=0.0)
    weights = {
        "valid": 1,
        "hole": 6,
        "variation": 0.1,
        "perceptual": 0.05,
        "style": 120,
    }
    assert set(scalars) == {"loss", *weights}
    for name in weights:
        assert float(scalars[name]) == pytest.approx(expected[name], rel=1e-4), name
    terms = (weight * expected[name] for name, weight in weights.items())
    assert float(scalars["loss"]) == pytest.approx(sum(terms), rel=1e-4)


def test_features_may_be_looked_at_late(vgg16_file):
    recipe = dataclasses.replace(
        RECIPE, perceptual=f"vgg16:{vgg16_file}", perceptual_start=0.75
    )
    trainer, batch = PConvTrainer(recipe), noise_batch()
    found = [
        trainer.step(trainer.initial_state(), batch, step, learning_rate=0.0)[1]
        for step in (5, 6)
    ]
    assert set(found[0]) == {"loss", "valid", "hole", "variation"}
    assert set(found[1]) == {*found[0], "perceptual", "style"}
    terms = 0.05 * found[1]["perceptual"] + 120 * found[1]["style"]
    gain = float(found[1]["loss"] - found[0]["loss"])
    assert gain == pytest.approx(float(terms), rel=1e-3)


@pytest.mark.slow_on_jax
def test_a_recipe_s_muon_moves_its_kernels_by_nearly_orthogonal_steps():
    recipe = dataclasses.replace(RECIPE, width=8, optimizer="muon")
    trainer = PConvTrainer(recipe)
    state = trainer.initial_state()
    new, _ = trainer.step(state, noise_batch(), 0, learning_rate=0.01)
    pairs = zip(*(as_arrays(s)["generator"] for s in (state, new)), strict=True)
    kernels = 0
    for before, after in pairs:
        if before.ndim == 4 and before.shape[-1] >= 8:
            step = after - before
            values = np.linalg.svd(step.reshape(-1, step.shape[-1]), compute_uv=False)
            scale = 0.01 * 0.2 * max(np.prod(step.shape[:-1]), step.shape[-1]) ** 0.5
            # Some images and pixels give a gradient of fewer ranks than the kernel has.
            moved = values[values > 1e-3 * values[0]] / scale
            assert len(moved) > 4 and 0.4 < moved.min() <= moved.max() < 1.3
            kernels += 1
    assert kernels == 5


@pytest.mark.both_backends
def test_a_step_descends_by_adam_and_averages_and_statistics_follow(trainer):
    start = trainer.initial_state()
    end, scalars = trainer.step(start, noise_batch(), 0, learning_rate=1e-3)
    assert set(scalars) == {"loss", "valid", "hole", "variation"}
    decay = RECIPE.average_decay_at(0)
    before, after = as_arrays(start), as_arrays(end)
    moved = np.concatenate(
        [
            np.abs(new - old).ravel()
            for old, new in zip(before["generator"], after["generator"], strict=True)
        ]
    )
    # The first step of Adam is the rate, against the gradient's sign, or nothing.
    still = moved < 1e-5
    np.testing.assert_allclose(moved[~still], 1e-3, rtol=0.02)
    assert still.mean() < 0.2
    for key in ("", "_stats"):
        for old, new, mean in zip(
            before[f"generator{key}"],
            after[f"generator{key}"],
            after[f"average{key}"],
            strict=True,
        ):
            np.testing.assert_allclose(mean, decay * old + (1 - decay) * new, atol=1e-6)
    pairs = zip(before["generator_stats"], after["generator_stats"], strict=True)
    assert all(not np.array_equal(old, new) for old, new in pairs)


def test_in_the_second_stage_the_encoders_normalisation_stands_still(trainer):
    batch, network = noise_batch(), trainer.network
    state, _ = trainer.step(trainer.initial_state(), batch, 0, learning_rate=1e-2)
    later, _ = trainer.step(state, batch, FIRST_OF_STAGE_TWO, learning_rate=1e-2)
    # Rows 2 and 3 of the encoder are normalised, 4 and 5 of the decoder.
    for group, variables in (
        ("generator", network.trainable_variables),
        ("generator_stats", network.non_trainable_variables),
    ):
        kept = {
            variable.path
            for variable, old, new in zip(
                variables, as_arrays(state)[group], as_arrays(later)[group], strict=True
            )
            if np.array_equal(old, new)
        }
        names = [v.path for v in variables if v.path.split("/")[0] in FROZEN]
        assert len(names) == 4
        assert kept == set(names)


def test_the_second_stage_normalises_the_encoder_by_its_statistics(trainer):
    state, batch = trainer.initial_state(), noise_batch()
    early, late = (
        float(trainer.step(state, batch, step, learning_rate=0.0)[1]["loss"])
        for step in (0, FIRST_OF_STAGE_TWO)
    )
    assert abs(early - late) > 1e-3
    targets = batch.images.astype(np.float32) / np.float32(127.5) - np.float32(1.0)
    inputs = trainer.inputs(targets, batch.known, 0)
    frozen = trainer.generator(state)
    made = ops.convert_to_numpy(frozen(inputs, training=True))
    errors = [
        by_hand.pixel_terms(*row)
        for row in zip(made, targets, batch.known, strict=True)
    ]
    _, scalars = trainer.step(state, batch, FIRST_OF_STAGE_TWO, learning_rate=0.0)
    valid, hole = np.mean(errors, axis=0)
    assert float(scalars["valid"]) == pytest.approx(valid, rel=1e-4)
    assert float(scalars["hole"]) == pytest.approx(hole, rel=1e-4)


def test_the_generator_is_the_moving_average_with_its_statistics(trainer):
    state = trainer.initial_state()
    for step in range(2):
        state, _ = trainer.step(state, noise_batch(), step, learning_rate=1e-2)
    batch = noise_batch()
    images = batch.images.astype(np.float32) / np.float32(127.5) - np.float32(1.0)
    inputs = trainer.inputs(images, batch.known, 0)
    found = trainer.generator(state)(inputs, training=False)
    expected, _ = trainer.network.stateless_call(
        state["average"], state["average_stats"], inputs, training=False
    )
    np.testing.assert_allclose(found, expected, rtol=1e-5, atol=1e-6)
    assert [x.dtype for x in inputs] == [np.float32, np.float32]
    assert inputs[1].shape == (4, 16, 16, 1)


@pytest.mark.parametrize(
    "layer",
    ["pconv", *(pytest.param(x, marks=pytest.mark.slow) for x in ("conv", "gated"))],
)
def test_it_learns_to_fill_holes_in_plain_images(layer):
    """Of one colour each, which the known pixels tell."""
    recipe = dataclasses.replace(
        RECIPE,
        layer=layer,
        width=8,
        batch_size=16,
        num_images=16 * 120,
        learning_rate=1e-2,
        learning_rate_end=0.0,
        fine_tune_start=0.8,
    )
    trainer = PConvTrainer(recipe)
    rng = np.random.default_rng(0)
    state, errors = trainer.initial_state(), []
    for step in range(recipe.num_steps):
        colours = rng.integers(0, 256, (16, 1, 1, 3), dtype=np.uint8)
        batch = batch_of(np.broadcast_to(colours, (16, 16, 16, 3)), step=step)
        rate = recipe.rate_at(step)
        state, scalars = trainer.step(state, batch, step, learning_rate=rate)
        errors.append(float(scalars["hole"]))
    # The normalisation mixes the colours of a batch, so it never gets to nothing.
    assert np.mean(errors[-10:]) < 0.5 * np.mean(errors[:10])


def test_half_precision_takes_the_same_step_but_for_its_digits(trainer):
    half, found = PConvTrainer(dataclasses.replace(RECIPE, precision="bfloat16")), {}
    for either in (trainer, half):
        state = either.initial_state()
        state, scalars = either.step(state, noise_batch(), 0, learning_rate=1e-3)
        found[either.precision] = float(scalars["loss"])
        assert {str(v.dtype) for v in as_arrays(state)["generator"]} == {"float32"}
    assert found["bfloat16"] == pytest.approx(found["float32"], rel=0.03)


def test_features_that_cannot_be_had_are_told_before_anything_is_trained(tmp_path):
    absent = f"vgg16:{tmp_path / 'absent.safetensors'}"
    with pytest.raises(ValueError, match=r"no file .*absent"):
        PConvTrainer(dataclasses.replace(RECIPE, perceptual=absent))
