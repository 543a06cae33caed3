"""Inpainting networks: what goes in, what comes out, and on disk."""

import dataclasses
import json
import shutil

import keras
import numpy as np
import pytest
from keras import ops

from semantic_inpaint.masks import make_known
from semantic_inpaint.models.inpainting_files import (
    NETWORK_CARD,
    NETWORK_WEIGHTS,
    load_network,
    network_names,
)
from semantic_inpaint.models.inpainting_networks import (
    NETWORKS,
    InpaintingNetwork,
    build_network,
    network_inputs,
)

KINDS = [*NETWORKS, "iconv-free"]


def pictures(count=2, side=16):
    images = np.random.default_rng(5).random((count, side, side, 3), dtype=np.float32)
    return images, make_known("random-square", count, side, side)


def codes_for(network, count=2):
    rng = np.random.default_rng(6)
    return rng.standard_normal((count, network.latent_dim), np.float32)


@pytest.mark.parametrize("kind", KINDS)
def test_a_loaded_network_makes_what_the_saved_one_made(
    tiny_networks, tiny_network_folders, kind
):
    network = tiny_networks[kind]
    loaded = load_network(tiny_network_folders[kind])
    images, known = pictures()
    words = {"codes": codes_for(network)}
    before = network.generate(images, known, **words)
    after = loaded.generate(images, known, **words)
    # Half precision has 11 bits; the few layers add what they round to.
    np.testing.assert_allclose(after, before, atol=0.02)
    assert before.std() > 0.02
    for one, other in zip(network.model.weights, loaded.model.weights, strict=True):
        expected = ops.convert_to_numpy(one)
        if one.name not in ("moving_mean", "moving_variance"):
            expected = expected.astype(np.float16).astype(np.float32)
        np.testing.assert_array_equal(ops.convert_to_numpy(other), expected)
    assert (loaded.kind, loaded.image_size) == (network.kind, 16)
    assert loaded.latent_dim == network.latent_dim
    assert len(loaded.sha256) == 64
    assert loaded.folder == tiny_network_folders[kind]


@pytest.mark.both_backends
@pytest.mark.parametrize("kind", KINDS)
def test_the_hole_is_never_read_and_pixels_are_in_their_range(tiny_networks, kind):
    network = tiny_networks[kind]
    images, known = pictures()
    made = network.generate(images, known)
    assert made.shape == images.shape
    assert made.dtype == np.float32
    assert made.min() >= 0.0
    assert made.max() <= 1.0
    for poison in (np.nan, np.inf, 7.0):
        poisoned = np.where(known[..., None], images, np.float32(poison))
        np.testing.assert_array_equal(network.generate(poisoned, known), made)


@pytest.mark.parametrize(("kind", "constrained"), [("iconv", 1), ("iconv-free", 0)])
def test_a_constrained_network_gives_the_known_pixels_back(
    tiny_networks, kind, constrained
):
    images, known = pictures()
    made = tiny_networks[kind].generate(images, known)
    # To [-1, 1] and back.
    assert np.allclose(made[known], images[known], atol=1e-6) == constrained
    assert not np.allclose(made[~known], images[~known], atol=1e-6)


def test_networks_of_any_size_take_multiples_and_the_others_their_own(tiny_networks):
    for network in tiny_networks.values():
        assert network.any_size == (network.kind != "iconv")
        images, known = pictures(side=24)
        if network.any_size:
            assert network.multiple == 8
            assert network.generate(images, known).shape == images.shape
            images, known = pictures(side=20)
            message = "sides that are multiples of 8; got 20x20"
        else:
            message = "takes 16x16 images; got 24x24"
        with pytest.raises(ValueError, match=message):
            network.generate(images, known)


def test_codes_and_landmarks_go_in_after_the_known_map():
    network = InpaintingNetwork(
        echo_model(), "iconv", 4, latent_dim=2, num_landmarks=1,
        typical_landmarks=(0.25, 0.75),
    )  # fmt: skip
    images, known = np.full((3, 4, 4, 3), 0.9, np.float32), np.ones((3, 4, 4), bool)
    known[:, 0, 0] = False
    inputs = network_inputs(network, images, known, None, None)
    assert [v.shape for v in inputs] == [(3, 4, 4, 3), (3, 4, 4, 1), (3, 2), (3, 2)]
    assert inputs[0][:, 0, 0].max() == 0.0
    np.testing.assert_array_equal(inputs[2], np.zeros((3, 2)))
    np.testing.assert_array_equal(inputs[3], [[0.25, 0.75]] * 3)
    # The model writes code + landmarks into two channels of every pixel.
    codes = np.array([[0.1, 0.2], [-0.5, 0.0], [0.0, 0.25]], np.float32)
    landmarks = np.array([[0.5, 0.0], [0.5, 1.0], [0.25, 0.25]], np.float32)
    made = network.generate(images, known, codes=codes, landmarks=landmarks)
    expected = (codes + landmarks) / 2 + 0.5
    np.testing.assert_allclose(made[:, 0, 0, :2], expected, atol=1e-6)
    for wrong in ({"codes": codes[:2]}, {"landmarks": np.zeros((3, 4))}):
        with pytest.raises(
            ValueError, match=rf"`{next(iter(wrong))}` must be \[3, 2\]"
        ):
            network.generate(images, known, **wrong)


def echo_model():
    """Writes the sum of code and landmarks into the pixels."""
    shapes = {"images": (4, 4, 3), "known": (4, 4, 1), "latent": (2,), "points": (2,)}
    inputs = [keras.Input(shape, name=name) for name, shape in shapes.items()]
    total = keras.layers.Add()(inputs[2:])
    total = keras.layers.Concatenate()([total, keras.layers.Dense(1)(total)])
    pixels = keras.layers.Reshape((1, 1, 3))(total)
    return keras.Model(inputs, keras.layers.UpSampling2D(4)(pixels))


@pytest.mark.parametrize("kind", ["pconv", "iconv"])
def test_what_a_network_does_not_take_is_refused(tiny_networks, kind):
    network, (images, known) = tiny_networks[kind], pictures()
    made = network.generate(images, known)
    with pytest.raises(ValueError, match=r"`landmarks` must be \[2, 0\].*takes none"):
        network.generate(images, known, landmarks=np.zeros((2, 10), np.float32))
    nothing = np.zeros((2, 0), np.float32)
    again = network.generate(images, known, landmarks=nothing)
    np.testing.assert_array_equal(again, made)
    if not network.latent_dim:
        with pytest.raises(ValueError, match=r"`codes` must be \[2, 0\]; got \[2, 3\]"):
            network.generate(images, known, codes=np.zeros((2, 3), np.float32))
        again = network.generate(images, known, codes=nothing)
        np.testing.assert_array_equal(again, made)


def test_bytes_and_maps_of_numbers_are_refused(tiny_networks):
    images, known = pictures()
    for wrong in (
        ((images * 255).astype(np.uint8), known),
        (images, known.astype(np.uint8)),
        (images, known.astype(np.float32)),
    ):
        with pytest.raises(
            TypeError, match=r"expected float images .* `known` as bool"
        ):
            tiny_networks["pconv"].generate(*wrong)


def test_known_of_another_shape_is_refused(tiny_networks):
    images, known = pictures()
    with pytest.raises(ValueError, match=r"expected images \[B, H, W, 3\]"):
        tiny_networks["pconv"].generate(images, known[:1])


@pytest.fixture
def own(tiny_network_folders, tmp_path):
    """A copy of a network's folder that may be spoilt."""
    return shutil.copytree(tiny_network_folders["conv"], tmp_path / "own")


def change_card(folder, **changed):
    path = folder / NETWORK_CARD
    path.write_text(json.dumps(json.loads(path.read_text()) | changed))


def test_what_is_damaged_is_refused(own):
    change_card(own, format=99)
    with pytest.raises(ValueError, match="card format 99"):
        load_network(own)
    (own / NETWORK_CARD).write_text("{}")
    with pytest.raises(ValueError, match="no card of an inpainting network"):
        load_network(own)


def test_weights_and_card_must_agree(own):
    change_card(own, architecture={"image_size": 16, "width": 3})
    with pytest.raises(ValueError, match="belongs to another architecture"):
        load_network(own)
    change_card(own, architecture={"image_size": 16, "depth": 3})
    with pytest.raises(ValueError, match=r"cannot be built so .*depth"):
        load_network(own)
    change_card(own, network="convv")
    with pytest.raises(ValueError, match="Did you mean 'conv'"):
        load_network(own)
    with (own / NETWORK_WEIGHTS).open("ab") as file:
        file.write(b" ")
    with pytest.raises(ValueError, match="is not the file of its card"):
        load_network(own)


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"latent_dim": 5}, "latent_dim=5, its network 0"),
        ({"num_landmarks": 7}, "num_landmarks=7, its network 0"),
        ({"image_size": 32}, "image_size=32, its network 16"),
        ({"typical_landmarks": [0.5]}, "`typical_landmarks` must be 0 numbers"),
        ({"architecture": {"width": 2}}, "no card of an inpainting network"),
    ],
)
def test_a_card_that_disagrees_with_its_network_is_refused(own, changed, message):
    change_card(own, **changed)
    with pytest.raises(ValueError, match=message):
        load_network(own)


def test_what_is_not_there_names_the_command_that_makes_it(tmp_path):
    assert not set(network_names()) - set(NETWORKS)
    with pytest.raises(ValueError, match=r"train_inpainter\.py RECIPE --data DATA"):
        load_network(tmp_path)


def test_a_network_can_be_built_in_bfloat16(tiny_networks):
    network = tiny_networks["pconv"]
    model = build_network(
        "pconv", network.card["architecture"], dtype="mixed_bfloat16", seed=3
    )
    images, known = pictures()
    rough = dataclasses.replace(network, model=model).generate(images, known)
    # bfloat16 has 8 bits.
    exact = network.generate(images, known)
    assert np.abs(rough - exact).mean() < 0.02
    assert not np.array_equal(rough, exact)
