"""Networks prepared for the search: equal to the trained ones, in other forms."""

import numpy as np
import pytest
from keras import layers

from semantic_inpaint.models import fast_convolutions as fast
from semantic_inpaint.models.dcgan import build_discriminator, build_generator
from semantic_inpaint.models.inference import prepare_for_inference
from tests.models.test_folding import (
    assert_equal_networks,
    chain,
    output_and_gradient,
    planted,
    small_discriminator,
    small_generator,
)

pytestmark = [pytest.mark.both_backends, pytest.mark.slow_on_jax]

OPTIONS = {"strides": 2, "padding": "same"}


def kinds(network):
    return [type(x) for x in network.layers if hasattr(x, "filters")]


@pytest.mark.parametrize(
    ("build", "expected"),
    [
        (small_generator, [fast.MatrixTransposed, fast.SubPixelTransposed]),
        (small_discriminator, [fast.SubPixelConvolution, fast.MatrixConvolution]),
    ],
)
def test_a_prepared_network_computes_the_same_in_other_forms(build, expected):
    network = build()
    prepared = prepare_for_inference(network)
    assert kinds(prepared) == expected
    assert_equal_networks(prepared, network)


def test_layers_between_the_ends_keep_their_form():
    generator = build_generator(image_size=32, latent_dim=3, base_width=16)
    discriminator = build_discriminator(image_size=32, width=4, normalization="none")
    for network in (planted(generator), planted(discriminator)):
        prepared = prepare_for_inference(network)
        plain = [layers.Conv2D, layers.Conv2DTranspose]
        assert [kind in plain for kind in kinds(prepared)] == [False, True, False]
        assert_equal_networks(prepared, network)


@pytest.mark.parametrize("sides", [(4, 4), (3, 2), (1, 4)])
@pytest.mark.parametrize("kind", [fast.MatrixTransposed, fast.SubPixelTransposed])
def test_a_transposed_convolution_is_that_of_keras(kind, sides):
    network = chain(layers.Conv2DTranspose(2, 5, **OPTIONS), shape=(*sides, 3))
    other = chain(kind(2), shape=(*sides, 3))
    weights = network.get_weights()
    other.set_weights(other.layers[1].weights_from(*weights))
    assert_equal_networks(other, network)


@pytest.mark.parametrize("sides", [(8, 8), (6, 4), (2, 8)])
@pytest.mark.parametrize("kind", [fast.MatrixConvolution, fast.SubPixelConvolution])
def test_a_convolution_is_that_of_keras(kind, sides):
    network = chain(layers.Conv2D(2, 5, **OPTIONS), shape=(*sides, 3))
    other = chain(kind(2), shape=(*sides, 3))
    other.set_weights(other.layers[1].weights_from(*network.get_weights()))
    assert_equal_networks(other, network)


def test_each_tap_of_each_window_falls_on_one_pixel_or_outside():
    found = fast.overlaps(2, 3).reshape(4, 6, 2, 3, 5, 5)
    for row, column, y, x in np.ndindex(2, 3, 5, 5):
        expected = np.zeros((4, 6), np.float32)
        place = (2 * row + y - 1, 2 * column + x - 1)
        if 0 <= place[0] < 4 and 0 <= place[1] < 6:
            expected[place] = 1.0
        np.testing.assert_array_equal(found[:, :, row, column, y, x], expected)


@pytest.mark.parametrize(
    "layer",
    [
        layers.Conv2D(2, 5, padding="same"),
        layers.Conv2D(2, 3, **OPTIONS),
        layers.Conv2D(2, 5, strides=2),
        layers.Conv2D(2, 5, **OPTIONS, use_bias=False),
        layers.Conv2D(2, 5, **OPTIONS, activation="relu"),
        layers.Conv2D(3, 5, **OPTIONS, groups=3, name="grouped"),
        layers.Conv2DTranspose(2, 3, **OPTIONS),
    ],
)
def test_other_convolutions_stay_as_they_are(layer):
    # An odd side too, whose padding is another.
    for side in (7, 8):
        fresh = type(layer).from_config(layer.get_config())
        network = chain(fresh, shape=(side, side, 3))
        prepared = prepare_for_inference(network)
        assert kinds(prepared) == [type(layer)]
        assert_equal_networks(prepared, network)


def test_an_odd_side_keeps_its_form():
    network = chain(layers.Conv2D(2, 5, **OPTIONS), shape=(7, 7, 3))
    assert kinds(prepare_for_inference(network)) == [layers.Conv2D]


@pytest.mark.parametrize("build", [small_generator, small_discriminator])
def test_kernels_are_kept_in_the_precision_that_computes(build):
    prepared = prepare_for_inference(build(dtype="mixed_bfloat16"))
    for layer in prepared.layers:
        assert {v.dtype for v in layer.variables} <= {layer.compute_dtype}
    inner = [x for x in prepared.layers if hasattr(x, "filters")]
    assert {v.dtype for layer in inner for v in layer.variables} == {"bfloat16"}
    assert prepared.output.dtype == "float32"


@pytest.mark.parametrize("build", [small_generator, small_discriminator])
def test_half_precision_costs_no_more_than_it_did(build):
    exact, _ = output_and_gradient(build(), sample := inputs(build()))
    plain = build(dtype="mixed_bfloat16")
    lost, _ = output_and_gradient(plain, sample)
    found, _ = output_and_gradient(prepare_for_inference(plain), sample)
    # Other roundings of the same size: three digits of the significand are kept.
    error, allowed = (np.sqrt(np.mean((a - exact) ** 2)) for a in (found, lost))
    assert error < 2.0 * allowed + 1e-4


def inputs(network):
    rng = np.random.default_rng(4)
    return rng.uniform(-1, 1, (32, *network.input_shape[1:])).astype(np.float32)


def test_preparing_twice_changes_nothing():
    once = prepare_for_inference(small_generator())
    twice = prepare_for_inference(once)
    assert kinds(twice) == kinds(once)
    assert_equal_networks(twice, once, tolerance=0.0)
