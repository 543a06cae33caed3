"""The generator of PConv-GAN: its table, what it reads, what it gives."""

import keras
import numpy as np
import pytest
from keras import layers, ops

from semantic_inpaint.masks import make_known, two_rectangles
from semantic_inpaint.models.partial_conv import PartialConv2D
from semantic_inpaint.models.pconv_gan import build_pconv_gan, count_levels
from tests.reference.pconv_gan import run_pconv_gan

# Table 1 of the paper: kernel, stride, filters, activation.
TABLE = [
    (5, 2, 64, "ReLU"),
    (5, 2, 128, "ReLU"),
    (3, 2, 256, "ReLU"),
    (3, 2, 256, "ReLU"),
    (3, 2, 256, "ReLU"),
    (3, 1, 256, "Leaky ReLU"),
    (3, 1, 256, "Leaky ReLU"),
    (3, 1, 128, "Leaky ReLU"),
    (3, 1, 64, "Leaky ReLU"),
    (3, 1, 3, "Leaky ReLU"),
    (1, 1, 3, "Sigmoid"),
]
# Sides at 128, by the strides: down to 4, and up with the skips.
SIDES = [64, 32, 16, 8, 4, 8, 16, 32, 64, 128, 128]


def side_of(x):
    return tuple(x) if isinstance(x, (tuple, list)) else (x, x)


def convolutions(network):
    """Convolutions in the order of their numbers."""
    kinds = (PartialConv2D, layers.Conv2D)
    found = [layer for layer in network.layers if isinstance(layer, kinds)]
    return sorted(found, key=lambda layer: layer.name)


def activation_after(network, layer):
    """What the features of a layer pass through before the next convolution."""
    number = layer.name.removeprefix("conv_")
    names = {"relu": "ReLU", "leaky": "Leaky ReLU"}
    for prefix, word in names.items():
        if f"{prefix}_{number}" in {other.name for other in network.layers}:
            return word
    return network.get_layer("share").activation.__name__.capitalize()


def rows(network):
    return [
        (
            side_of(layer.kernel_size)[0],
            side_of(layer.strides)[0],
            layer.filters,
            activation_after(network, layer),
        )
        for layer in convolutions(network)
    ]


@pytest.fixture(scope="module")
def tiny():
    return {
        kind: build_pconv_gan(image_size=16, width=4, convolution=kind, seed=1)
        for kind in ("partial", "plain")
    }


def problem(*, side=16, count=3):
    rng = np.random.default_rng(0)
    images = rng.uniform(-1, 1, (count, side, side, 3)).astype(np.float32)
    known = make_known("random-square", count, side, side)[..., None]
    return images, known.astype(np.float32)


def generate(network, images, known):
    return ops.convert_to_numpy(network([images, known], training=False))


@pytest.mark.parametrize("kind", ["partial", "plain"])
def test_at_the_paper_s_size_the_layers_are_those_of_table_1(kind):
    network = build_pconv_gan(convolution=kind)
    assert rows(network) == TABLE
    outputs = [layer.output for layer in convolutions(network)]
    features = [x[0] if isinstance(x, (tuple, list)) else x for x in outputs]
    probe = keras.Model(network.inputs, features)
    images, known = problem(side=128, count=1)
    assert [x.shape[1] for x in probe([images, known])] == SIDES


def test_every_layer_but_the_last_two_is_normalised():
    network = build_pconv_gan(width=4)
    norms = [x for x in network.layers if isinstance(x, layers.BatchNormalization)]
    assert sorted(x.name for x in norms) == [f"norm_{i:02d}" for i in range(1, 10)]
    leaky = [x for x in network.layers if isinstance(x, layers.LeakyReLU)]
    assert {x.negative_slope for x in leaky} == {0.2}
    # A shift of its own where the normalisation gives none.
    biased = [layer.name for layer in convolutions(network) if layer.use_bias]
    assert biased == ["conv_10", "conv_11"]


@pytest.mark.parametrize(
    ("size", "levels"), [(16, 3), (32, 4), (64, 5), (128, 5), (256, 5)]
)
def test_smaller_images_have_fewer_levels_down_to_two_pixels(size, levels):
    assert count_levels(size) == levels
    if size < 64:
        network = build_pconv_gan(image_size=size, width=64)
        # The deepest layers and their counterparts are left out.
        assert rows(network) == TABLE[:levels] + TABLE[10 - levels :]


def drawn_weights(network):
    """Draw every scale, shift and statistic anew; return what NumPy needs of them."""
    rng = np.random.default_rng(2)
    for variable in network.variables:
        if variable.name in ("gamma", "moving_variance"):
            variable.assign(rng.uniform(0.5, 1.5, variable.shape))
        elif variable.name != "kernel":
            variable.assign(rng.normal(0.0, 0.3, variable.shape))
    norms = {
        layer.name.removeprefix("norm_"): layer.get_weights()
        for layer in network.layers
        if isinstance(layer, layers.BatchNormalization)
    }
    weights = []
    for layer in convolutions(network):
        kernel, *bias = (w.astype(np.float64) for w in layer.get_weights())
        norm = norms.get(layer.name.removeprefix("conv_"))
        weights.append((kernel, *(bias or [None]), norm))
    return weights


@pytest.mark.both_backends
def test_the_network_equals_one_written_with_numpy():
    network = build_pconv_gan(image_size=16, width=2, seed=3)
    weights = drawn_weights(network)
    images, known = problem(count=2)
    # A large hole, which the deepest map still has, and single pixels.
    known[0, :14, :13] = 0.0
    known[1] = np.random.default_rng(1).random((16, 16, 1)) > 0.7
    found = generate(network, images, known)
    for image, seen, answer in zip(images, known, found, strict=True):
        expected = run_pconv_gan(
            image.astype(np.float64), seen[..., 0], weights, levels=3
        )
        # Seven convolutions in single precision.
        np.testing.assert_allclose(answer, expected, atol=1e-5)
        assert np.ptp(expected) > 0.5


@pytest.mark.slow_on_jax
@pytest.mark.both_backends
@pytest.mark.parametrize("kind", ["partial", "plain"])
def test_what_stands_in_the_hole_is_never_read(kind, tiny):
    images, known = problem()
    expected = generate(tiny[kind], images, known)
    assert np.ptp(expected) > 0.1
    for poison in (np.nan, 1e9):
        poisoned = np.where(known > 0, images, np.float32(poison))
        np.testing.assert_array_equal(generate(tiny[kind], poisoned, known), expected)


@pytest.mark.parametrize("kind", ["partial", "plain"])
def test_every_known_pixel_counts_and_the_image_is_in_range(kind, tiny):
    images, known = problem()
    first = generate(tiny[kind], images, known)
    assert first.dtype == np.float32
    assert first.shape == images.shape
    assert np.abs(first).max() <= 1
    moved = images.copy()
    moved[:, 0, 0] *= -1
    moved[:, -1, -1] *= -1
    assert np.abs(generate(tiny[kind], moved, known) - first).max() > 1e-4


def test_the_plain_network_sees_the_mean_colour_in_the_hole(tiny):
    images, known = problem()
    means = [x[k[..., 0] > 0].mean(axis=0) for x, k in zip(images, known, strict=True)]
    filled = np.where(known > 0, images, np.stack(means)[:, None, None])
    probe = keras.Model(tiny["plain"].inputs, tiny["plain"].get_layer("input").output)
    seen = generate(probe, images, known)
    # Sums of about 200 float32 values.
    np.testing.assert_allclose(seen[..., :3], filled, atol=1e-6)
    np.testing.assert_array_equal(seen[..., 3:], known)


def test_an_image_of_nothing_known_gives_finite_values(tiny):
    images, known = problem()
    for kind, network in tiny.items():
        assert np.isfinite(generate(network, images * np.nan, 0 * known)).all(), kind


@pytest.mark.parametrize("kind", ["partial", "plain"])
def test_the_network_takes_other_sizes_and_each_image_for_itself(kind, tiny):
    images, known = problem(side=40)
    whole = generate(tiny[kind], images, known)
    assert whole.shape == images.shape
    alone = generate(tiny[kind], images[1:2], known[1:2])
    # Other batch sizes may sum in another order.
    np.testing.assert_allclose(alone[0], whole[1], atol=1e-5)


def test_the_paper_s_hole_is_filled_to_its_last_pixel():
    # The deepest map has no hole, so the output depends on the image everywhere.
    network = build_pconv_gan(image_size=128, width=4)
    last = convolutions(network)[-1]
    known = two_rectangles(128, 128)[None, ..., None].astype(np.float32)
    probe = keras.Model(network.inputs, last.output[1])
    assert generate(probe, np.zeros((1, 128, 128, 3), np.float32), known).all()


def test_a_mixed_policy_keeps_float32_weights_and_output():
    network = build_pconv_gan(image_size=16, width=4, dtype="mixed_bfloat16", seed=1)
    exact = build_pconv_gan(image_size=16, width=4, seed=1)
    images, known = problem()
    assert {v.dtype for v in network.variables} == {"float32"}
    found = generate(network, images, known)
    assert found.dtype == np.float32
    # Eight bits of mantissa through seven layers.
    np.testing.assert_allclose(found, generate(exact, images, known), atol=0.1)


def test_the_seed_sets_the_weights():
    one, again, other = (
        build_pconv_gan(image_size=16, width=2, seed=s).get_weights() for s in (1, 1, 2)
    )
    assert all(np.array_equal(a, b) for a, b in zip(one, again, strict=True))
    assert not np.array_equal(one[0], other[0])


def test_what_cannot_be_built_is_refused():
    for size in (8, 48, 100):
        with pytest.raises(ValueError, match=f"power of two, 16 or more; got {size}"):
            build_pconv_gan(image_size=size)
    with pytest.raises(ValueError, match="`convolution` must be one of partial, plain"):
        build_pconv_gan(convolution="gated")
