"""The partial convolution: its equations, and what it may not look at."""

import json

import keras
import numpy as np
import pytest
from keras import layers, ops

from semantic_inpaint import backend
from semantic_inpaint.models.partial_conv import PartialConv2D
from tests.reference.partial_conv import partial_conv


def case(seed=0, *, shape=(2, 7, 6, 5), maps=1, hole=0.7):
    """Features and a validity, most of it holes, so that whole windows are empty."""
    rng = np.random.default_rng(seed)
    features = rng.standard_normal(shape).astype(np.float32)
    validity = (rng.random((*shape[:3], maps)) > hole).astype(np.float32)
    validity[0, :4, :4] = 0.0
    return features, validity


def layer_for(features, validity, *arguments, **options):
    """A layer whose bias is not 0, so that it can be missed or misplaced."""
    layer = PartialConv2D(*arguments, **options)
    layer.build((features.shape, validity.shape))
    rng = np.random.default_rng(9)
    layer.set_weights(
        [rng.standard_normal(w.shape).astype(np.float32) for w in layer.get_weights()]
    )
    return layer


def run(layer, features, validity):
    outputs, valid = layer((features, validity))
    return ops.convert_to_numpy(outputs), ops.convert_to_numpy(valid)


@pytest.mark.both_backends
@pytest.mark.parametrize(
    ("kernel_size", "strides", "maps", "groups"),
    [(3, 1, 1, None), (5, 2, 1, None), (3, 2, 2, (2, 3)), (3, 1, 5, None)],
)
def test_the_layer_follows_equations_1_and_2(kernel_size, strides, maps, groups):
    features, validity = case(maps=maps)
    layer = layer_for(
        features, validity, 4, kernel_size, strides=strides, groups=groups
    )
    each = np.repeat(validity, groups or 5 // maps, axis=-1)
    outputs, valid = run(layer, features, validity)
    expected, expected_valid = partial_conv(
        features, each, *layer.get_weights(), stride=strides
    )
    # Sums of up to 125 products in float32, scaled by up to 125.
    np.testing.assert_allclose(outputs, expected, rtol=1e-4, atol=1e-4)
    assert np.array_equal(valid, expected_valid)
    assert 0 < valid.mean() < 1
    assert not outputs[np.broadcast_to(valid == 0, outputs.shape)].any()


def test_a_full_validity_convolves_as_usual_away_from_the_border():
    features, _ = case(shape=(2, 9, 8, 3))
    validity = np.ones((2, 9, 8, 1), np.float32)
    layer = layer_for(features, validity, 4, 3)
    plain = layers.Conv2D(4, 3, padding="same")
    plain.build(features.shape)
    plain.set_weights(layer.get_weights())
    outputs, valid = run(layer, features, validity)
    expected = ops.convert_to_numpy(plain(features))
    inner = np.s_[:, 1:-1, 1:-1]
    # The scale there is exactly 1; what is left is the order of the sums.
    np.testing.assert_allclose(outputs[inner], expected[inner], atol=1e-5)
    assert not np.allclose(outputs[:, 0], expected[:, 0], atol=1e-2)
    assert np.array_equal(valid, validity)


@pytest.mark.parametrize("strides", [1, 2])
def test_a_constant_image_stays_constant_up_to_the_border_and_into_the_hole(strides):
    # With equal taps the scale mends a window exactly, whatever of it is observed.
    validity = case(shape=(2, 8, 8, 1), hole=0.4)[1]
    images = np.where(validity > 0, np.float32(3.0), np.float32(np.nan))
    layer = PartialConv2D(
        1, 3, strides=strides, kernel_initializer=keras.initializers.Constant(1 / 9)
    )
    outputs, valid = run(layer, images, validity)
    assert 0 < (valid == 0).sum() < valid.size
    np.testing.assert_allclose(outputs, 3.0 * valid, rtol=1e-6)


@pytest.mark.both_backends
@pytest.mark.parametrize(("maps", "groups"), [(1, None), (2, (2, 3)), (5, None)])
def test_nothing_in_the_hole_not_even_nan_reaches_a_value_or_a_gradient(maps, groups):
    features, validity = case(maps=maps)
    layer = layer_for(features, validity, 4, 3, strides=2, groups=groups)
    weights = [variable.value for variable in layer.trainable_variables]
    each = np.repeat(validity, groups or 5 // maps, axis=-1)

    def value_and_gradients(filling):
        def squares(features, weights):
            outputs, _ = layer.stateless_call(weights, [], (features, validity))[0]
            return ops.sum(ops.square(outputs)), outputs

        filled = ops.convert_to_tensor(np.where(each > 0, features, filling))
        _, outputs, (by_features, by_weights) = backend.value_and_grad(
            squares, filled, weights
        )
        return [ops.convert_to_numpy(x) for x in (outputs, by_features, *by_weights)]

    clean = value_and_gradients(np.float32(0))
    poisoned = value_and_gradients(np.float32(np.nan))
    for expected, found in zip(clean, poisoned, strict=True):
        assert np.isfinite(found).all()
        assert np.array_equal(expected, found)
    assert not clean[1][each == 0].any()
    assert clean[1][each > 0].any()


def test_an_image_that_is_all_hole_gives_zeros_and_finite_gradients():
    features, validity = case()
    layer = layer_for(features, 0 * validity, 4, 3)

    def total(weights):
        outputs, valid = layer.stateless_call(weights, [], (features, 0 * validity))[0]
        return ops.sum(outputs), (outputs, valid)

    weights = [variable.value for variable in layer.trainable_variables]
    _, (outputs, valid), (gradients,) = backend.value_and_grad(total, weights)
    assert not ops.convert_to_numpy(outputs).any()
    assert not ops.convert_to_numpy(valid).any()
    assert not any(ops.convert_to_numpy(gradient).any() for gradient in gradients)


def test_a_hole_shrinks_by_a_pixel_a_layer_until_it_is_gone():
    validity = np.ones((1, 9, 9, 1), np.float32)
    validity[:, 2:7, 2:7] = 0.0
    layer = PartialConv2D(1, 3)
    sides = []
    for _ in range(3):
        _, validity = run(layer, np.ones((1, 9, 9, 1), np.float32), validity)
        sides.append(np.sqrt((validity == 0).sum()))
    assert sides == [3, 1, 0]


def test_one_map_for_all_channels_equals_a_copy_for_each():
    features, validity = case()
    one = layer_for(features, validity, 4, 3)
    copies = np.repeat(validity, 5, axis=-1)
    each = layer_for(features, copies, 4, 3)
    for expected, found in zip(
        run(one, features, validity), run(each, features, copies), strict=True
    ):
        np.testing.assert_allclose(found, expected, rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize("side", [4, 5])
def test_windows_are_centred_on_every_second_pixel_from_the_first_on(side):
    features, validity = case(shape=(1, side, side, 2))
    validity[:] = 0.0
    validity[:, 1, 1] = 1.0
    layer = layer_for(features, validity, 1, 3, strides=2)
    _, valid = run(layer, features, validity)
    # Sides are halved rounding up. Pixel 1 is in the windows of 0 and 2; in those of
    # "same" on an even side, which begin at 0 and 2, it is in the first alone.
    expected = np.zeros((1, (side + 1) // 2, (side + 1) // 2, 1))
    expected[:, :2, :2] = 1.0
    assert np.array_equal(valid, expected)


def test_the_activation_comes_last_and_the_bias_can_be_left_out():
    features, validity = case()
    layer = layer_for(features, validity, 4, 3, activation="relu", use_bias=False)
    (kernel,) = layer.get_weights()
    expected, _ = partial_conv(features, np.repeat(validity, 5, axis=-1), kernel, 0.0)
    outputs, _ = run(layer, features, validity)
    np.testing.assert_allclose(outputs, np.maximum(expected, 0), rtol=1e-4, atol=1e-4)


def test_half_precision_is_a_rounding_of_single_precision_and_shares_stay_exact():
    features, validity = case(maps=2)
    single = layer_for(features, validity, 4, 3, groups=(2, 3))
    half = layer_for(features, validity, 4, 3, groups=(2, 3), dtype="mixed_bfloat16")
    outputs, valid = half((features, validity))
    assert keras.backend.standardize_dtype(outputs.dtype) == "bfloat16"
    assert keras.backend.standardize_dtype(valid.dtype) == "float32"
    assert {v.dtype for v in half.variables} == {"float32"}
    expected, expected_valid = run(single, features, validity)
    # Eight bits of mantissa, in the factors, the scale, the bias and the result.
    found = ops.convert_to_numpy(ops.cast(outputs, "float32"))
    np.testing.assert_allclose(found, expected, atol=0.02 * np.abs(expected).max())
    assert np.array_equal(ops.convert_to_numpy(valid), expected_valid)


def test_the_layer_can_be_made_again_from_its_configuration():
    features, validity = case(maps=2)
    layer = layer_for(
        features, validity, 4, 5, strides=2, groups=(2, 3), activation="relu"
    )
    config = json.loads(json.dumps(layer.get_config()))
    again = PartialConv2D.from_config(config)
    again.build((features.shape, validity.shape))
    again.set_weights(layer.get_weights())
    assert again.get_config() == layer.get_config()
    assert np.array_equal(
        run(layer, features, validity)[0], run(again, features, validity)[0]
    )


@pytest.mark.parametrize(
    ("arguments", "options"),
    [((4, 2), {}), ((0, 3), {}), ((4, 0), {}), ((4, 3), {"strides": 0})],
)
def test_impossible_windows_are_refused(arguments, options):
    with pytest.raises(ValueError, match="must be 1 or more"):
        PartialConv2D(*arguments, **options)


@pytest.mark.parametrize(
    ("maps", "groups"), [(2, None), (1, (2, 3)), (2, (2, 2)), (2, (1, 2, 2))]
)
def test_a_validity_that_does_not_fit_the_features_is_refused(maps, groups):
    with pytest.raises(ValueError, match="features of 5 channels need a validity"):
        PartialConv2D(4, 3, groups=groups).build(((2, 7, 6, 5), (2, 7, 6, maps)))


@pytest.mark.parametrize("sides", [(1, 6), (7, 1), (1, 1), (14, 12)])
def test_a_validity_of_other_sides_than_the_features_is_refused(sides):
    layer = PartialConv2D(4, 3)
    with pytest.raises(ValueError, match=r"`validity` must have .* \(7, 6\); got"):
        layer.build(((2, 7, 6, 5), (2, *sides, 1)))
    layer.build(((2, None, None, 5), (2, *sides, 1)))
