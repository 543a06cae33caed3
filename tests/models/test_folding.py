"""Folded networks: equal to the original at inference, without normalisation."""

import keras
import numpy as np
import pytest
from keras import layers, ops

from semantic_inpaint import backend
from semantic_inpaint.models.dcgan import build_discriminator, build_generator
from semantic_inpaint.models.folding import fold_batch_norm

pytestmark = pytest.mark.both_backends


def planted(network, seed=0):
    """Draw every variable anew, variances far from 1 among them."""
    rng = np.random.default_rng(seed)
    for variable in network.variables:
        if "moving_variance" in variable.path:
            values = rng.uniform(0.05, 5.0, variable.shape)
        elif len(variable.shape) > 1:
            values = rng.normal(0.0, 0.2, variable.shape)
        else:
            values = rng.uniform(-1.5, 1.5, variable.shape)
        variable.assign(values.astype(np.float32))
    return network


def small_generator(dtype="float32"):
    return planted(
        build_generator(image_size=16, latent_dim=5, base_width=8, dtype=dtype)
    )


def small_discriminator(normalization="batch", dtype="float32"):
    return planted(
        build_discriminator(
            image_size=16, width=4, normalization=normalization, dtype=dtype
        )
    )


def inputs_of(network, count=4):
    rng = np.random.default_rng(1)
    return rng.uniform(-1, 1, (count, *network.input_shape[1:])).astype(np.float32)


def output_and_gradient(network, inputs):
    """What comes out, and the gradient of a weighted sum of it by what went in."""
    rng = np.random.default_rng(2)
    weights = rng.normal(size=(len(inputs), *network.output_shape[1:]))
    weights = ops.convert_to_tensor(weights.astype(np.float32))

    def weighted(x):
        outputs = network(x, training=False)
        return ops.sum(weights * outputs), outputs

    _, outputs, (gradient,) = backend.value_and_grad(
        weighted, ops.convert_to_tensor(inputs)
    )
    return ops.convert_to_numpy(outputs), ops.convert_to_numpy(gradient)


def assert_equal_networks(found, expected, *, tolerance=1e-5):
    """Compare outputs and gradients, relative to the largest value of each."""
    inputs = inputs_of(expected)
    pairs = zip(
        output_and_gradient(found, inputs),
        output_and_gradient(expected, inputs),
        strict=True,
    )
    for got, wanted in pairs:
        scale = np.abs(wanted).max()
        assert scale > 0.1
        np.testing.assert_allclose(got, wanted, atol=tolerance * scale, rtol=0)


def chain(*links, shape=(6,)):
    x = inputs = keras.Input(shape)
    for link in links:
        x = link(x)
    return planted(keras.Model(inputs, x, name="planted"))


@pytest.mark.slow_on_jax
# float32 rounds to 6e-8; some dozens of roundings lie between input and output.
@pytest.mark.parametrize("build", [small_generator, small_discriminator])
def test_a_folded_network_computes_the_same(build):
    network = build()
    folded = fold_batch_norm(network)
    assert_equal_networks(folded, network)
    kinds = {type(layer) for layer in folded.layers}
    assert layers.BatchNormalization not in kinds
    assert layers.BatchNormalization in {type(layer) for layer in network.layers}


def test_one_channel_agrees_with_the_formula():
    network = chain(layers.Dense(1), layers.BatchNormalization(epsilon=0.5), shape=(1,))
    planned = [[[3.0]], [0.25], [2.0], [-1.0], [0.75], [3.5]]
    network.set_weights([np.float32(value) for value in planned])
    kernel, bias = fold_batch_norm(network).get_weights()
    # gamma / sqrt(variance + epsilon) = 2 / sqrt(3.5 + .5) = 1.
    assert kernel.item() == 3.0
    assert bias.item() == -1.0 + (0.25 - 0.75)


@pytest.mark.parametrize("scale", [False, True])
@pytest.mark.parametrize("center", [False, True])
def test_normalisations_without_scale_or_centre_are_folded_too(scale, center):
    norm = layers.BatchNormalization(scale=scale, center=center)
    network = chain(layers.Dense(6, use_bias=False), layers.Reshape((2, 3)), norm)
    assert_equal_networks(fold_batch_norm(network), network)


def test_the_original_is_untouched_and_shares_nothing():
    network = small_generator()
    before = [ops.convert_to_numpy(v) for v in network.variables]
    folded = fold_batch_norm(network)
    for variable in folded.variables:
        variable.assign(ops.zeros_like(variable.value))
    for variable, value in zip(network.variables, before, strict=True):
        np.testing.assert_array_equal(ops.convert_to_numpy(variable), value)


@pytest.mark.parametrize("dtype", ["float32", "mixed_bfloat16"])
def test_names_shapes_and_precisions_stay(dtype):
    network = small_generator(dtype)
    folded = fold_batch_norm(network)
    assert (folded.name, folded.input_shape) == (network.name, network.input_shape)
    assert folded.output_shape == network.output_shape
    for layer in folded.layers:
        original = network.get_layer(layer.name)
        assert layer.dtype_policy.name == original.dtype_policy.name
        assert layer.output.shape == original.output.shape


def test_a_network_with_nothing_to_fold_comes_back_equal():
    network = small_discriminator("none")
    folded = fold_batch_norm(network)
    assert [v.path for v in folded.variables] == [v.path for v in network.variables]
    for found, original in zip(
        output_and_gradient(folded, inputs_of(network)),
        output_and_gradient(network, inputs_of(network)),
        strict=True,
    ):
        np.testing.assert_array_equal(found, original)


@pytest.mark.parametrize(
    "links",
    [
        [layers.BatchNormalization(name="norm")],
        [layers.Dense(4, activation="relu"), layers.BatchNormalization(name="norm")],
        [layers.Dense(4), layers.ReLU(), layers.BatchNormalization(name="norm")],
        [
            layers.Dense(6),
            layers.Reshape((2, 3)),
            layers.BatchNormalization(axis=1, name="norm"),
        ],
        [
            layers.Dense(4),
            layers.BatchNormalization(),
            layers.BatchNormalization(name="norm"),
        ],
    ],
    ids=["first", "activated", "after-relu", "other-axis", "twice"],
)
def test_what_cannot_be_folded_is_refused(links):
    network = chain(*(type(link).from_config(link.get_config()) for link in links))
    with pytest.raises(ValueError, match="cannot fold 'norm' of 'planted'"):
        fold_batch_norm(network)


def test_a_network_that_branches_is_refused():
    inputs = keras.Input((3,))
    left, right = layers.Dense(2)(inputs), layers.Dense(2)(inputs)
    network = keras.Model(inputs, layers.Add()([left, right]), name="forked")
    with pytest.raises(ValueError, match="'forked' is no chain of layers"):
        fold_batch_norm(network)
