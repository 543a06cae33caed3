"""Encoders on disk: what comes back, and what is refused."""

import dataclasses
import json
import shutil

import numpy as np
import pytest

from semantic_inpaint.masks import make_known
from semantic_inpaint.models.checkpoints import (
    file_sha256,
    load_prior,
    variable_name,
)
from semantic_inpaint.models.encoder import build_encoder
from semantic_inpaint.models.encoder_files import (
    ENCODER_CARD,
    ENCODER_WEIGHTS,
    EncoderArchitecture,
    load_encoder,
    save_encoder,
)

pytestmark = pytest.mark.both_backends

ARCHITECTURE = EncoderArchitecture(image_size=16, latent_dim=8, width=4, hidden=8)


def weights(architecture=ARCHITECTURE):
    network = build_encoder(**dataclasses.asdict(architecture), seed=5)
    return {variable_name(network, v): v.numpy() for v in network.variables}


@pytest.fixture
def prior(tiny_prior_folder, tmp_path):
    """The tiny prior in a folder of its own."""
    return load_prior(shutil.copytree(tiny_prior_folder, tmp_path / "prior"))


@pytest.fixture
def saved(prior):
    """The prior with an encoder beside it."""
    save_encoder(prior.folder, ARCHITECTURE, weights(), prior=prior, facts={"a": 1})
    return prior


def change_card(folder, changed):
    path = folder / ENCODER_CARD
    path.write_text(json.dumps(json.loads(path.read_text()) | changed))


def test_an_encoder_comes_back_as_it_was_rounded_to_half_precision(saved):
    encoder = load_encoder(saved)
    expected = weights()
    for variable in encoder.network.variables:
        rounded = expected[variable_name(encoder.network, variable)].astype(np.float16)
        np.testing.assert_array_equal(variable.numpy(), rounded)
    assert encoder.prior_sha256 == saved.sha256
    codes = encoder.encode(
        np.zeros((2, 16, 16, 3), np.float32), make_known("center", 2, 16, 16)
    )
    assert codes.shape == (2, 8)


def test_the_card_names_the_prior_the_file_and_the_facts(saved):
    card = load_encoder(saved).card
    assert card["prior"] == {"name": "tiny", "sha256": saved.sha256}
    assert card["a"] == 1
    path = saved.folder / ENCODER_WEIGHTS
    assert card["weights"]["sha256"] == file_sha256(path)
    assert card["weights"]["bytes"] == path.stat().st_size
    assert card["weights"]["parameters"] == sum(v.size for v in weights().values())
    # The prior beside it is untouched.
    assert load_prior(saved.folder).sha256 == saved.sha256


def test_an_encoder_may_lie_elsewhere(prior, tmp_path):
    folder = tmp_path / "apart"
    save_encoder(folder, ARCHITECTURE, weights(), prior=prior, facts={})
    assert load_encoder(prior, folder=folder).prior_sha256 == prior.sha256
    with pytest.raises(ValueError, match="'tiny' has no encoder yet"):
        load_encoder(prior)


def test_a_prior_without_an_encoder_says_how_to_train_one(prior):
    with pytest.raises(ValueError, match=r"no encoder\.json in .*train_encoder\.py"):
        load_encoder(prior)


def test_a_prior_made_in_memory_has_no_place_for_an_encoder(prior):
    with pytest.raises(ValueError, match="made in memory and has no folder"):
        load_encoder(dataclasses.replace(prior, folder=None))


def test_the_encoder_of_another_prior_is_refused(saved):
    other = dataclasses.replace(saved, sha256="f" * 64)
    with pytest.raises(ValueError, match=r"belongs to a prior .* has f{12}\.\.\."):
        load_encoder(other)


def test_a_weight_file_that_is_not_the_card_s_is_refused(saved):
    path = saved.folder / ENCODER_WEIGHTS
    path.write_bytes(path.read_bytes()[:-1])
    with pytest.raises(ValueError, match="not the file of its card"):
        load_encoder(saved)
    path.unlink()
    with pytest.raises(ValueError, match="the folder has none"):
        load_encoder(saved)


@pytest.mark.parametrize(
    ("changed", "words"),
    [
        ({"format": 2}, "card format 2, this version reads 1"),
        ({"prior": {}}, "is no card of an encoder"),
        ({"architecture": {"width": 4}}, "is no card of an encoder"),
        (
            {"architecture": dataclasses.asdict(ARCHITECTURE) | {"latent_dim": 9}},
            "are 16 and 9, expected 16 and 8",
        ),
        (
            {"architecture": dataclasses.asdict(ARCHITECTURE) | {"hidden": 9}},
            "another architecture than its card states",
        ),
    ],
)
def test_a_card_that_is_wrong_is_refused(saved, changed, words):
    change_card(saved.folder, changed)
    with pytest.raises(ValueError, match=words):
        load_encoder(saved)


def test_weights_that_half_precision_cannot_hold_are_not_written(prior):
    bad = weights()
    next(iter(bad.values()))[...] = 1e6
    with pytest.raises(ValueError, match="of the encoder of prior 'tiny' has values"):
        save_encoder(prior.folder, ARCHITECTURE, bad, prior=prior, facts={})
    assert not (prior.folder / ENCODER_WEIGHTS).exists()
