"""From a training to a prior: which weights, and what the card says."""

import dataclasses
import hashlib
import struct

import numpy as np
import pytest
from PIL import Image

from semantic_inpaint.images import from_network
from semantic_inpaint.models.checkpoints import load_prior, variable_name
from semantic_inpaint.training.export import export_prior
from semantic_inpaint.training.gan import GanTrainer
from semantic_inpaint.training.loop import TrainingResult, sample_grid
from tests.training.tiny_runs import MICRO, as_arrays, training_data

pytestmark = pytest.mark.both_backends

DATA = training_data()


def planted_result(recipe=MICRO):
    """A result whose average differs from its generator."""
    trainer = GanTrainer(recipe)
    state = trainer.initial_state()
    state["average"] = [2.0 * value for value in state["average"]]
    state["average_stats"] = [value + 0.5 for value in state["average_stats"]]
    return TrainingResult(trainer, state, 6, 12.34)


def export(result, folder):
    return export_prior(
        result, DATA, folder, name="planted", data_note="noise", licence="none"
    )


def test_the_prior_is_the_moving_average_and_the_discriminator(tmp_path):
    result = planted_result()
    prior = load_prior(export(result, tmp_path / "prior"), as_trained=True)
    state = as_arrays(result.state)
    for network, weights, stats in (
        (prior.generator, "average", "average_stats"),
        (prior.discriminator, "discriminator", "discriminator_stats"),
    ):
        for variables, values in (
            (network.trainable_variables, state[weights]),
            (network.non_trainable_variables, state[stats]),
        ):
            for variable, value in zip(variables, values, strict=True):
                exact = "moving_" in variable_name(network, variable)
                kept = value if exact else value.astype(np.float16)
                np.testing.assert_array_equal(variable.numpy(), kept)


def test_the_prior_generates_what_the_training_showed(tmp_path):
    result = planted_result()
    prior = load_prior(export(result, tmp_path / "prior"))
    shown = from_network(sample_grid(result.trainer, result.state))
    rng = np.random.default_rng([MICRO.seed, 2])
    codes = rng.uniform(-1.0, 1.0, (64, MICRO.latent_dim)).astype(np.float32)
    # Half precision of the weights: eleven bits.
    np.testing.assert_allclose(prior.generate(codes), shown, atol=2e-3)
    with Image.open(tmp_path / "prior" / "samples.png") as sheet:
        assert min(sheet.size) >= 64


def test_the_card_says_where_the_prior_comes_from(tmp_path):
    card = load_prior(export(planted_result(), tmp_path / "prior")).card
    assert card["name"] == "planted"
    assert card["recipe"] == MICRO.as_dict()
    assert card["generator"] == "moving average"
    assert (card["steps"], card["images_seen"], card["seed"]) == (6, 24, 0)
    rows = struct.pack("<20q", *range(20))
    assert card["data"] == {
        "note": "noise",
        "images": 20,
        "partitions": [0, 2],
        "sha256": DATA.sha256,
        "rows_sha256": hashlib.sha256(rows).hexdigest(),
    }
    assert card["training_seconds"] == 12.3
    assert card["licence"] == "none"


def test_the_card_says_what_the_precision_came_to(tmp_path):
    for word in ("float32", "bfloat16"):
        result = planted_result(dataclasses.replace(MICRO, precision=word))
        card = load_prior(export(result, tmp_path / word)).card
        assert card["training_precision"] == card["recipe"]["precision"] == word
    automatic = planted_result(dataclasses.replace(MICRO, precision="auto"))
    card = load_prior(export(automatic, tmp_path / "auto")).card
    assert card["recipe"]["precision"] == "auto"
    dtypes = {layer.compute_dtype for layer in automatic.trainer.generator.layers}
    fast = "bfloat16" in dtypes
    assert card["training_precision"] == ("bfloat16" if fast else "float32")


def test_the_card_says_no_time_that_was_not_measured(tmp_path):
    result = dataclasses.replace(planted_result(), seconds=0.0)
    card = load_prior(export(result, tmp_path / "prior")).card
    assert card["training_seconds"] is None


def test_the_card_says_when_there_is_no_average(tmp_path):
    recipe = dataclasses.replace(MICRO, average_half_life=0.0)
    folder = export(planted_result(recipe), tmp_path / "prior")
    assert load_prior(folder).card["generator"] == "raw"
