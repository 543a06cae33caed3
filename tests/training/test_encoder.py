"""Training an encoder: the step, the loop, and what a resumption brings back."""

import dataclasses
import shutil

import numpy as np
import pytest
from keras import ops

from semantic_inpaint.masks import make_known
from semantic_inpaint.models.encoder import encoder_input
from semantic_inpaint.models.encoder_files import load_encoder
from semantic_inpaint.training.encoder import (
    EncoderTrainer,
    draw_encoder_batch,
    train_encoder,
)
from semantic_inpaint.training.encoder_recipes import EncoderRecipe
from semantic_inpaint.training.export import export_encoder
from semantic_inpaint.training.holes import training_holes
from semantic_inpaint.training.loop import train_prior
from semantic_inpaint.training.state import PREVIOUS_FILE, STATE_FILE
from tests.training.tiny_runs import (
    MICRO,
    as_arrays,
    assert_same_state,
    training_data,
)

pytestmark = pytest.mark.both_backends

DATA = training_data(side=16)
RECIPE = EncoderRecipe(
    width=2,
    hidden=4,
    batch_size=4,
    num_images=32,
    pair_share=0.5,
    average_half_life=8.0,
    precision="float32",
)


@pytest.fixture(scope="module")
def whole_run(tmp_path_factory, tiny_prior):
    """A run of eight steps, with a report on each of them."""
    folder, reports = tmp_path_factory.mktemp("whole"), []
    result = train_encoder(
        RECIPE,
        tiny_prior,
        DATA,
        folder,
        report=reports.append,
        report_interval=1,
        save_interval=4,
        validate=lambda encoder: {"first": float(encoder.encode(*question())[0, 0])},
    )
    return folder, result, reports


def question():
    images = np.random.default_rng(2).random((1, 16, 16, 3), dtype=np.float32)
    return images, make_known("center", 1, 16, 16)


def scalars_of(reports):
    return [{k: v for k, v in r.scalars.items() if k != "first"} for r in reports]


def test_the_losses_of_a_step_are_the_two_errors_written_out(tiny_prior):
    trainer = EncoderTrainer(RECIPE, tiny_prior)
    batch = draw_encoder_batch(RECIPE, 8, DATA, 0)
    state = trainer.initial_state()
    _, scalars = trainer.step(state, batch, 0, learning_rate=0.0)

    faces = batch.images / np.float32(127.5) - 1
    made = ops.convert_to_numpy(tiny_prior.generator(batch.codes, training=False))
    targets = np.concatenate([faces, made])
    found = ops.convert_to_numpy(trainer.network(encoder_input(targets, batch.known)))
    back = ops.convert_to_numpy(tiny_prior.generator(found, training=False))
    errors = np.mean((back - targets).astype(np.float64) ** 2, axis=(1, 2, 3))
    code_error = np.mean((found[4:] - batch.codes) ** 2)
    assert float(scalars["image_error"]) == pytest.approx(errors[:4].mean(), rel=1e-4)
    assert float(scalars["code_error"]) == pytest.approx(code_error, rel=1e-4)
    assert float(scalars["loss"]) == pytest.approx(
        errors.mean() + RECIPE.code_weight * code_error, rel=1e-4
    )


def test_a_step_descends_by_adam_and_the_average_follows(tiny_prior):
    trainer = EncoderTrainer(RECIPE, tiny_prior)
    batch = draw_encoder_batch(RECIPE, 8, DATA, 0)
    start = trainer.initial_state()
    end, _ = trainer.step(start, batch, 0, learning_rate=1e-3)
    decay = RECIPE.average_decay_at(0)
    for old, new, mean in zip(
        *(as_arrays(s)["encoder"] for s in (start, end)),
        as_arrays(end)["average"],
        strict=True,
    ):
        # The first step of Adam is the rate, against the gradient's sign, or nothing.
        moved = np.abs(new - old)
        still = moved < 1e-5
        np.testing.assert_allclose(moved[~still], 1e-3, rtol=0.02)
        np.testing.assert_allclose(mean, decay * old + (1 - decay) * new, atol=1e-6)
    assert not still.all()


def test_the_generator_stays_as_it_was(whole_run, tiny_prior, tiny_prior_folder):
    from semantic_inpaint.models.checkpoints import load_prior

    fresh = load_prior(tiny_prior_folder)
    for one, other in zip(
        tiny_prior.generator.variables, fresh.generator.variables, strict=True
    ):
        np.testing.assert_array_equal(one.numpy(), other.numpy())


@pytest.mark.slow_on_jax
def test_an_encoder_learns_the_codes_of_generated_images(tiny_prior, tmp_path):
    # Images that the prior can make; codes that say nothing give 1/3.
    made = tiny_prior.generate(tiny_prior.codes_for(np.arange(64), seed=5))
    images = np.rint(made * 255).astype(np.uint8)
    data = dataclasses.replace(DATA, images=images, indices=np.arange(64))
    recipe = dataclasses.replace(
        RECIPE,
        width=8,
        hidden=32,
        batch_size=16,
        num_images=16 * 300,
        learning_rate=1e-2,
        flip=False,
        code_weight=1.0,
    )
    reports = []
    train_encoder(
        recipe, tiny_prior, data, tmp_path, report=reports.append, report_interval=10
    )
    first, last = reports[0].scalars, reports[-1].scalars
    assert last["code_error"] < 0.2
    assert last["image_error"] < 0.5 * first["image_error"]


def test_a_run_reports_every_step_and_looks_at_every_state(whole_run, tiny_prior):
    folder, result, reports = whole_run
    assert result.step == 8
    assert [(r.step, r.num_steps) for r in reports] == [(s, 8) for s in range(1, 9)]
    names = {"loss", "image_error", "code_error"}
    assert all(set(s) == names for s in scalars_of(reports))
    assert [r.step for r in reports if r.grid is not None] == [4, 8]
    assert [r.step for r in reports if "first" in r.scalars] == [4, 8]
    code = result.trainer.encoder(result.state).encode(*question())[0, 0]
    assert reports[-1].scalars["first"] == pytest.approx(float(code), abs=1e-6)
    assert {p.name for p in folder.iterdir()} == {STATE_FILE, PREVIOUS_FILE}

    # Masked and generated images in turn, of the twenty there are.
    grid = reports[-1].grid
    assert grid.shape == (40, 16, 16, 3)
    known = training_holes(20, 16, seed=0, step=0)
    np.testing.assert_allclose(grid[::2][~known], 0.0, atol=1e-6)
    np.testing.assert_allclose(
        grid[::2][known], DATA.images[known] / 127.5 - 1, atol=1e-6
    )


@pytest.mark.slow_on_jax
def test_stopped_at_any_step_a_run_goes_on_to_the_same_losses_and_weights(
    whole_run, tiny_prior, tmp_path
):
    # Bit for bit: the steps are deterministic for a network as small as this one.
    _, whole, reports = whole_run
    told = []
    for last in range(1, 9):
        result = train_encoder(
            RECIPE,
            tiny_prior,
            DATA,
            tmp_path,
            report=told.append,
            report_interval=1,
            max_steps=last,
        )
    assert scalars_of(told) == scalars_of(reports)
    assert_same_state(result.state, whole.state)


@pytest.mark.slow_on_jax
def test_killed_between_two_renames_a_run_goes_on_from_the_state_before(
    whole_run, tiny_prior, tmp_path
):
    folder = shutil.copytree(whole_run[0], tmp_path / "run")
    (folder / STATE_FILE).unlink()
    told = []
    result = train_encoder(
        RECIPE, tiny_prior, DATA, folder, report=told.append, report_interval=1
    )
    assert scalars_of(told) == scalars_of(whole_run[2])[4:]
    assert_same_state(result.state, whole_run[1].state)


def test_a_folder_of_another_run_is_refused(whole_run, tiny_prior, tmp_path):
    folder, *_ = whole_run
    with pytest.raises(ValueError, match=r"another recipe \(code_weight 0\.1 -> 0\.2"):
        train_encoder(
            dataclasses.replace(RECIPE, code_weight=0.2), tiny_prior, DATA, folder
        )
    other = dataclasses.replace(tiny_prior, sha256="other")
    with pytest.raises(ValueError, match="a run for another prior"):
        train_encoder(RECIPE, other, DATA, folder)
    train_prior(MICRO, training_data(), tmp_path, max_steps=1)
    with pytest.raises(ValueError, match="another recipe"):
        train_encoder(RECIPE, tiny_prior, DATA, tmp_path)


def test_images_of_another_size_than_the_prior_s_are_refused(tiny_prior, tmp_path):
    with pytest.raises(ValueError, match=r"uint8 images \[N, 16, 16, 3\]"):
        train_encoder(RECIPE, tiny_prior, training_data(), tmp_path)
    assert not list(tmp_path.iterdir())


def test_a_rate_beyond_reason_is_noticed_and_nothing_is_saved(tiny_prior, tmp_path):
    recipe = dataclasses.replace(RECIPE, learning_rate=1e38)
    with pytest.raises(FloatingPointError, match="no state was saved"):
        train_encoder(recipe, tiny_prior, DATA, tmp_path, save_interval=2)
    assert not list(tmp_path.iterdir())


def test_a_step_draws_by_its_number_and_flips_at_random():
    one, again, other = (draw_encoder_batch(RECIPE, 8, DATA, s) for s in (3, 3, 4))
    for a, b, c in zip(one, again, other, strict=True):
        np.testing.assert_array_equal(a, b)
        assert not np.array_equal(a, c)
    assert one.images.shape == (4, 16, 16, 3)
    assert one.codes.shape == (2, 8)
    assert one.known.shape == (6, 16, 16)
    straight = draw_encoder_batch(dataclasses.replace(RECIPE, flip=False), 8, DATA, 3)
    np.testing.assert_array_equal(straight.codes, one.codes)
    kept = [
        np.array_equal(a, b) for a, b in zip(one.images, straight.images, strict=True)
    ]
    for image, plain, same in zip(one.images, straight.images, kept, strict=True):
        np.testing.assert_array_equal(image, plain if same else plain[:, ::-1])


def test_without_pairs_the_real_images_alone_count(tiny_prior):
    recipe = dataclasses.replace(RECIPE, pair_share=0.0)
    trainer = EncoderTrainer(recipe, tiny_prior)
    batch = draw_encoder_batch(recipe, 8, DATA, 0)
    _, scalars = trainer.step(trainer.initial_state(), batch, 0, learning_rate=0.1)
    assert set(scalars) == {"loss", "image_error"}
    assert float(scalars["loss"]) == float(scalars["image_error"])


def test_the_moving_average_is_exported_and_bound_to_its_prior(
    whole_run, tiny_prior, tmp_path
):
    _, result, _ = whole_run
    export_encoder(result, DATA, tmp_path, data_note="noise", licence="none")
    encoder = load_encoder(tiny_prior, folder=tmp_path)
    for variable, value in zip(
        encoder.network.trainable_variables,
        as_arrays(result.state)["average"],
        strict=True,
    ):
        np.testing.assert_array_equal(variable.numpy(), value.astype(np.float16))
    card = encoder.card
    assert card["recipe"] == RECIPE.as_dict()
    assert (card["steps"], card["images_seen"]) == (8, 32)
    assert card["data"]["note"] == "noise"
    assert card["data"]["sha256"] == DATA.sha256
    assert card["prior"]["sha256"] == tiny_prior.sha256


@pytest.mark.slow_on_jax
def test_a_run_can_begin_with_the_encoder_that_was_trained_beside_a_prior(
    tiny_prior, tmp_path
):
    shape = {"image_size": 16, "latent_dim": tiny_prior.latent_dim}
    beside = dataclasses.replace(
        MICRO, **shape, inverse_weight=1.0, discriminator_width=2
    )
    trained = train_prior(beside, DATA, tmp_path / "prior", max_steps=2)
    recipe = dataclasses.replace(RECIPE, hidden=256)
    trainer = EncoderTrainer(recipe, tiny_prior)
    state = trainer.initial_state(tmp_path / "prior")
    for group in ("encoder", "average"):
        assert_same_state({"": state[group]}, {"": as_arrays(trained.state)["encoder"]})
    with pytest.raises(ValueError, match="holds no training run"):
        trainer.initial_state(tmp_path / "missing")
    with pytest.raises(ValueError, match="encoder/000 is"):
        wider = dataclasses.replace(recipe, width=3)
        EncoderTrainer(wider, tiny_prior).initial_state(tmp_path / "prior")
