"""The gated convolution: its equation, and what a gate can do."""

import json

import keras
import numpy as np
import pytest
from keras import layers, ops

from semantic_inpaint.models.gated_conv import GatedConv2D
from tests.reference.gated_conv import gated_conv


def case(seed=0):
    return np.random.default_rng(seed).standard_normal((2, 7, 6, 4)).astype(np.float32)


def layer_for(*arguments, **options):
    layer = GatedConv2D(*arguments, **options)
    layer.build((2, 7, 6, 4))
    rng = np.random.default_rng(9)
    layer.set_weights(
        [rng.standard_normal(w.shape).astype(np.float32) for w in layer.get_weights()]
    )
    return layer


@pytest.mark.both_backends
@pytest.mark.parametrize(("kernel_size", "strides"), [(3, 1), (5, 2), (4, 2)])
def test_the_layer_is_a_convolution_times_the_sigmoid_of_another(kernel_size, strides):
    layer = layer_for(3, kernel_size, strides=strides, activation="elu")
    outputs = ops.convert_to_numpy(layer(case()))
    expected = gated_conv(case(), *layer.get_weights(), stride=strides)
    # Sums of up to 100 products in float32.
    np.testing.assert_allclose(outputs, expected, rtol=1e-4, atol=1e-4)


def test_an_open_gate_is_a_plain_convolution_and_a_closed_one_lets_nothing_through():
    layer = layer_for(3, 3)
    kernel, bias = layer.get_weights()
    plain = layers.Conv2D(3, 3, padding="same")
    plain.build((2, 7, 6, 4))
    plain.set_weights([kernel[..., :3], bias[:3]])
    kernel[..., 3:] = 0.0
    for gate, share in ((100.0, 1.0), (0.0, 0.5), (-100.0, 0.0)):
        bias[3:] = gate
        layer.set_weights([kernel, bias])
        expected = share * ops.convert_to_numpy(plain(case()))
        np.testing.assert_allclose(
            ops.convert_to_numpy(layer(case())), expected, atol=1e-5
        )


def test_a_gate_for_every_channel_doubles_the_weights():
    layer = layer_for(3, 5)
    assert layer.count_params() == 2 * (25 * 4 * 3 + 3)


def test_half_precision_is_a_rounding_of_single_precision():
    half, single = layer_for(3, 3, dtype="mixed_bfloat16"), layer_for(3, 3)
    outputs = half(case())
    assert keras.backend.standardize_dtype(outputs.dtype) == "bfloat16"
    assert {v.dtype for v in half.variables} == {"float32"}
    expected = ops.convert_to_numpy(single(case()))
    found = ops.convert_to_numpy(ops.cast(outputs, "float32"))
    # Eight bits of mantissa in features, kernel, gate and result.
    np.testing.assert_allclose(found, expected, atol=0.02 * np.abs(expected).max())


def test_the_layer_can_be_made_again_from_its_configuration():
    layer = layer_for(3, 3, strides=2, activation="elu")
    config = json.loads(json.dumps(layer.get_config()))
    again = GatedConv2D.from_config(config)
    again.build((2, 7, 6, 4))
    again.set_weights(layer.get_weights())
    assert again.get_config() == layer.get_config()
    assert np.array_equal(layer(case()), again(case()))


@pytest.mark.parametrize(("filters", "strides"), [(0, 1), (4, 0)])
def test_impossible_windows_are_refused(filters, strides):
    with pytest.raises(ValueError, match="must be 1 or more"):
        GatedConv2D(filters, 3, strides=strides)
