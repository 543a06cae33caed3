"""What a card says of a network's inputs, and what is written of them."""

import json

import pytest

from semantic_inpaint.models.inpainting_cards import card_facts
from semantic_inpaint.models.inpainting_files import NETWORK_CARD, save_network
from semantic_inpaint.models.inpainting_networks import build_network, describe_network

ARCHITECTURE = {
    "image_size": 16,
    "model_size": 4,
    "latent_channels": 2,
    "num_landmarks": 3,
}
CARD = {"network": "iconv", "architecture": ARCHITECTURE, "image_size": 16}
TYPICAL = [0.1, 0.2, 0.3, 0.4, 0.5, 0.6]


@pytest.fixture(scope="module")
def model():
    return build_network("iconv", ARCHITECTURE)


def test_code_and_landmarks_are_read_off_the_networks_inputs(model):
    facts = card_facts(model, CARD)
    assert (facts.image_size, facts.latent_dim, facts.num_landmarks) == (16, 32, 3)
    assert facts.typical_landmarks == (0.5,) * 6
    network = describe_network(model, CARD | {"typical_landmarks": TYPICAL})
    assert (network.latent_dim, network.num_landmarks) == (32, 3)
    assert network.typical_landmarks == tuple(TYPICAL)


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"latent_dim": 16}, "latent_dim=16, its network 32"),
        ({"num_landmarks": 0}, "num_landmarks=0, its network 3"),
        ({"image_size": 64}, "image_size=64, its network 16"),
        ({"typical_landmarks": TYPICAL[:4]}, "must be 6 numbers.* got 4"),
        ({"architecture": {}}, "its architecture has no `image_size`"),
    ],
)
def test_what_disagrees_with_the_network_is_refused(model, changed, message):
    for read in (card_facts, describe_network):
        with pytest.raises(ValueError, match=message):
            read(model, CARD | changed)


def test_a_written_card_says_what_the_network_is_called_with(model, tmp_path):
    facts = {"image_size": 16, "typical_landmarks": TYPICAL}
    save_network(tmp_path, model, kind="iconv", architecture=ARCHITECTURE, facts=facts)
    card = json.loads((tmp_path / NETWORK_CARD).read_text())
    assert (card["latent_dim"], card["num_landmarks"]) == (32, 3)


@pytest.mark.parametrize(
    ("facts", "message"),
    [
        ({}, "the card has no `image_size`"),
        ({"image_size": 16, "latent_dim": 3}, "latent_dim=3, its network 32"),
    ],
)
def test_what_could_not_be_loaded_is_not_written(model, tmp_path, facts, message):
    with pytest.raises(ValueError, match=message):
        save_network(
            tmp_path, model, kind="iconv", architecture=ARCHITECTURE, facts=facts
        )
    assert not list(tmp_path.iterdir())
