"""The encoder: its shape and size, and what it may look at."""

import itertools

import numpy as np
import pytest
from keras import ops

from semantic_inpaint.masks import make_known
from semantic_inpaint.models import encoder as module
from semantic_inpaint.models.encoder import (
    LatentEncoder,
    build_encoder,
    encoder_input,
)

pytestmark = pytest.mark.both_backends


def case(count=3, side=16, seed=0):
    images = np.random.default_rng(seed).random((count, side, side, 3))
    return images.astype(np.float32), make_known("random", count, side, side)


def test_the_layers_halve_the_side_down_to_four_and_double_the_channels():
    network = build_encoder(image_size=64, latent_dim=100)
    shapes = {layer.name: layer.output.shape[1:] for layer in network.layers}
    assert shapes["conv_32"] == (32, 32, 48)
    assert shapes["conv_16"] == (16, 16, 96)
    assert shapes["conv_8"] == (8, 8, 192)
    assert shapes["conv_4"] == (4, 4, 384)
    assert shapes["hidden"] == (256,)
    assert network.output_shape == (None, 100)
    assert not network.non_trainable_variables
    # Weights and biases counted by hand; in half precision under 10 MB.
    sides = [4, 48, 96, 192, 384]
    convolutions = sum(25 * i * o + o for i, o in itertools.pairwise(sides))
    dense = (16 * 384 * 256 + 256) + (256 * 100 + 100)
    assert network.count_params() == convolutions + dense
    assert 2 * network.count_params() < 10e6


def test_codes_are_float32_between_minus_one_and_one_in_either_precision():
    images, known = case()
    inputs = encoder_input(1000.0 * images, known)
    for dtype in ("float32", "mixed_bfloat16"):
        network = build_encoder(
            image_size=16, latent_dim=5, width=2, hidden=4, dtype=dtype
        )
        codes = ops.convert_to_numpy(network(inputs))
        assert (codes.shape, codes.dtype) == ((3, 5), np.float32)
        assert np.all(np.abs(codes) <= 1.0)
        # Saturated by the size of the input: the range is used.
        assert np.abs(codes).max() > 0.99


def test_the_initial_weights_follow_the_seed_and_keep_the_scale():
    options = {"image_size": 16, "latent_dim": 8, "width": 16, "hidden": 64}
    first, again, other = (
        build_encoder(**options, seed=seed).get_weights() for seed in (0, 0, 1)
    )
    for one, same, another in zip(first, again, other, strict=True):
        np.testing.assert_array_equal(one, same)
        if one.ndim > 1:
            assert not np.array_equal(one, another)
            # He et al. 2015: variance 2 / fan-in; some hundred draws or more.
            spread = np.sqrt(2.0 / np.prod(one.shape[:-1]))
            assert one.std() == pytest.approx(spread, rel=0.1)


@pytest.mark.parametrize("size", [4, 24, 0])
def test_a_side_that_cannot_be_halved_to_four_is_refused(size):
    with pytest.raises(ValueError, match=f"power of two, 8 or more; got {size}"):
        build_encoder(image_size=size, latent_dim=8)


def test_the_input_is_the_masked_image_and_the_known_map():
    images, known = case()
    for given in (known, known.astype(np.float32)):
        found = ops.convert_to_numpy(encoder_input(images, given))
        np.testing.assert_array_equal(found[..., 3], known)
        np.testing.assert_array_equal(found[known][:, :3], images[known])
        np.testing.assert_array_equal(found[~known][:, :3], 0.0)


@pytest.mark.parametrize("poison", [np.nan, np.inf, 1e6])
def test_what_stands_in_the_hole_is_never_read(tiny_encoder, poison):
    images, known = case()
    expected = tiny_encoder.encode(images, known)
    images[~known] = poison
    np.testing.assert_array_equal(tiny_encoder.encode(images, known), expected)


def test_zero_in_the_hole_is_mid_grey_and_the_known_map_tells_them_apart(
    tiny_encoder,
):
    images = np.full((1, 16, 16, 3), 0.5, np.float32)
    known = make_known("center", 1, 16, 16)
    whole = np.ones_like(known)
    difference = tiny_encoder.encode(images, known) - tiny_encoder.encode(images, whole)
    assert np.abs(difference).max() > 1e-3


def test_an_image_does_not_depend_on_its_batch(tiny_encoder, monkeypatch):
    images, known = case(count=5)
    together = tiny_encoder.encode(images, known)
    monkeypatch.setattr(module, "ENCODE_BATCH", 2)
    in_pieces = tiny_encoder.encode(images, known)
    # Convolutions of another batch size may add in another order.
    np.testing.assert_allclose(in_pieces, together, atol=1e-5)
    alone = tiny_encoder.encode(images[3:4], known[3:4])
    np.testing.assert_allclose(alone[0], together[3], atol=1e-5)


def test_images_of_another_size_are_refused(tiny_encoder):
    images, known = case(side=32)
    with pytest.raises(ValueError, match=r"expected images \[B, 16, 16, 3\]"):
        tiny_encoder.encode(images, known)
    with pytest.raises(ValueError, match=r"got .*\(3, 32, 32\)"):
        tiny_encoder.encode(images[:, :16, :16], known)


def test_an_encoder_of_another_prior_is_known_by_its_hash(tiny_encoder, tiny_prior):
    tiny_encoder.require_prior(tiny_prior)
    other = LatentEncoder(tiny_encoder.network, "0" * 64)
    with pytest.raises(ValueError, match=r"weights 0{12}\.\.\., but 'tiny' has"):
        other.require_prior(tiny_prior)
    homeless = LatentEncoder(tiny_encoder.network)
    with pytest.raises(ValueError, match="made in memory"):
        homeless.require_prior(tiny_prior)
