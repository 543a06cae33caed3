"""The imputed convolution: its equations, its variants, and what certainty does."""

import json

import keras
import numpy as np
import pytest
from keras import initializers, layers, ops

from semantic_inpaint import backend
from semantic_inpaint.models.imputed_conv import ImputedConv2D, certainty_pool
from tests.reference.gated_conv import convolve
from tests.reference.imputed_conv import carry_on, impute


def case(seed=0, *, shape=(2, 7, 6, 4), binary=False):
    """Features and certainties, the first image's corner unknown."""
    rng = np.random.default_rng(seed)
    features = rng.standard_normal(shape).astype(np.float32)
    certainty = rng.random((*shape[:3], 1)).astype(np.float32)
    if binary:
        certainty = np.round(certainty)
    certainty[0, :5, :5] = 0.0
    return features, certainty


def layer_for(features, certainty, *arguments, **options):
    """A layer none of whose weights is 0 or 1, so that each can be missed."""
    layer = ImputedConv2D(*arguments, **options)
    layer.build((features.shape, certainty.shape))
    rng = np.random.default_rng(9)
    layer.set_weights(
        [
            0.3 * rng.standard_normal(w.shape).astype(np.float32)
            for w in layer.get_weights()
        ]
    )
    return layer


def run(layer, *inputs):
    return [ops.convert_to_numpy(ops.cast(x, "float32")) for x in layer(inputs)]


@pytest.mark.both_backends
@pytest.mark.parametrize("variant", ["official", "paper"])
@pytest.mark.parametrize(("kernel_size", "imputation_size"), [(3, 5), (5, 3)])
def test_the_layer_follows_equations_2_to_5(variant, kernel_size, imputation_size):
    features, certainty = case()
    layer = layer_for(
        features,
        certainty,
        3,
        kernel_size,
        imputation_size=imputation_size,
        variant=variant,
    )
    weights = {v.name: ops.convert_to_numpy(v) for v in layer.trainable_variables}
    expected = impute(
        features,
        certainty,
        weights["imputation_kernel"][..., 0],
        weights.get("imputation_bias", 0.0),
        variant=variant,
    )
    outputs, carried = run(layer, features, certainty)
    # Division by .01 where nothing is known makes values of up to 100.
    np.testing.assert_allclose(
        outputs,
        convolve(expected, weights["kernel"]) + weights["bias"],
        rtol=1e-4,
        atol=1e-3,
    )
    np.testing.assert_allclose(
        carried,
        carry_on(certainty, weights["certainty_kernel"], variant),
        rtol=1e-5,
        atol=1e-6,
    )
    assert ("imputation_bias" in weights) == (variant == "official")


def test_full_certainty_is_a_plain_convolution_and_nothing_is_imputed():
    features, certainty = case()
    certainty = np.ones_like(certainty)
    layer = layer_for(features, certainty, 3)
    plain = layers.Conv2D(3, 3, padding="same")
    plain.build(features.shape)
    plain.kernel.assign(layer.kernel)
    plain.bias.assign(layer.bias)
    outputs, _ = run(layer, features, certainty)
    expected = ops.convert_to_numpy(plain(features))
    np.testing.assert_allclose(outputs, expected, atol=1e-6)


def test_at_first_a_hole_is_imputed_with_the_mean_of_what_is_known_around_it():
    _, certainty = case(shape=(2, 9, 9, 3), binary=True)
    colour = np.array([1.0, -2.0, 0.5], np.float32)
    identity = initializers.Constant(np.eye(3)[None, None])
    layer = ImputedConv2D(3, 1, kernel_initializer=identity)
    outputs, _ = run(layer, np.where(certainty > 0, colour, 7.0), certainty)
    window = impute(np.ones((2, 9, 9, 1)), certainty, np.full((5, 5, 1), 1 / 25), 0.0)
    # 1 but for the constant .01, which draws towards 0 where little is known.
    np.testing.assert_allclose(outputs, window * colour, rtol=1e-5, atol=1e-6)
    assert (window[certainty == 0] < 1).all()
    inner = (certainty == 0) & (window > 0)
    assert 0.7 < window[inner].min() < window[inner].max()


def test_in_the_papers_variant_nothing_draws_the_mean_of_what_is_known_towards_0():
    _, certainty = case(shape=(2, 9, 9, 3), binary=True)
    colour = np.array([1.0, -2.0, 0.5], np.float32)
    identity = initializers.Constant(np.eye(3)[None, None])
    layer = ImputedConv2D(3, 1, variant="paper", kernel_initializer=identity)
    outputs, _ = run(layer, np.where(certainty > 0, colour, 7.0), certainty)
    seen = convolve(certainty, np.ones((5, 5, 1, 1))) > 0
    # Eq. 4 to the rounding of its sums; 0 where no pixel of the window is known.
    np.testing.assert_allclose(outputs, seen * colour, rtol=1e-5)
    assert not seen.all()


@pytest.mark.both_backends
def test_features_without_certainty_change_no_value_and_have_no_gradient():
    features, certainty = case(binary=True)
    layer = layer_for(features, certainty, 3)
    weights = [variable.value for variable in layer.trainable_variables]

    def value_and_gradients(filling):
        def squares(features, weights):
            outputs, _ = layer.stateless_call(weights, [], (features, certainty))[0]
            return ops.sum(ops.square(outputs)), outputs

        filled = np.where(certainty > 0, features, np.float32(filling))
        _, outputs, (by_features, by_weights) = backend.value_and_grad(
            squares, ops.convert_to_tensor(filled), weights
        )
        return [ops.convert_to_numpy(x) for x in (outputs, by_features, *by_weights)]

    clean, filled = value_and_gradients(0.0), value_and_gradients(1e30)
    for expected, found in zip(clean, filled, strict=True):
        assert np.isfinite(found).all()
        assert np.array_equal(expected, found)
    hole = np.broadcast_to(certainty == 0, features.shape)
    assert not clean[1][hole].any()
    assert clean[1][~hole].any()


@pytest.mark.slow_on_jax
@pytest.mark.both_backends
@pytest.mark.parametrize("variant", ["official", "paper"])
def test_gradients_are_finite_where_nothing_at_all_is_known(variant):
    features, certainty = case(shape=(2, 8, 6, 4))
    certainty = ops.convert_to_tensor(0 * certainty)
    first = layer_for(features, certainty, 4, variant=variant)
    second = layer_for(features, certainty, 4, variant=variant)
    weights = [v.value for layer in (first, second) for v in layer.trainable_variables]
    count = len(first.trainable_variables)

    def total(weights, features):
        both = first.stateless_call(weights[:count], [], (features, certainty))[0]
        pooled = certainty_pool(*both)
        outputs, carried = second.stateless_call(weights[count:], [], pooled)[0]
        return ops.sum(outputs) + ops.sum(carried), outputs

    _, outputs, gradients = backend.value_and_grad(
        total, weights, ops.convert_to_tensor(features)
    )
    for value in (outputs, *gradients[0], gradients[1]):
        assert np.isfinite(ops.convert_to_numpy(value)).all()


@pytest.mark.parametrize(
    ("variant", "nothing", "all_known"),
    [
        # Ones to begin with: 2 sigmoid(9) - 1 + 1e-6, and sigmoid(9), in the middle.
        ("official", 1e-6, 0.9997542),
        ("paper", 0.5, 0.9998766),
    ],
)
def test_certainty_begins_at_the_value_that_the_variant_gives(
    variant, nothing, all_known
):
    layer = ImputedConv2D(2, 3, variant=variant)
    features = np.zeros((1, 5, 5, 3), np.float32)
    for value, expected in ((0.0, nothing), (1.0, all_known)):
        certainty = np.full((1, 5, 5, 1), value, np.float32)
        _, carried = run(layer, features, certainty)
        np.testing.assert_allclose(carried[0, 2, 2, 0], expected, rtol=1e-6)


def test_official_certainty_stays_between_0_and_1_for_any_kernel():
    features, certainty = case()
    layer = layer_for(features, certainty, 3)
    for sign in (-100.0, 100.0):
        layer.certainty_kernel.assign(np.full((3, 3, 1, 1), sign))
        _, carried = run(layer, features, certainty)
        assert set(np.unique(carried)) <= {np.float32(0), np.float32(1e-6), 1.0}


def test_a_1x1_convolution_imputes_and_keeps_the_certainty():
    features, certainty = case()
    layer = layer_for(features, certainty, 3, 1)
    outputs, carried = run(layer, features, certainty)
    taps, bias, kernel, last = layer.get_weights()
    expected = impute(features, certainty, taps[..., 0], bias) @ kernel[0, 0] + last
    np.testing.assert_allclose(outputs, expected, rtol=1e-4, atol=1e-3)
    assert np.array_equal(carried, certainty)


@pytest.mark.parametrize(("variant", "added"), [("official", 26), ("paper", 25)])
def test_imputation_adds_a_window_for_each_channel_and_one_for_the_certainty(
    variant, added
):
    layer = ImputedConv2D(64, 3, variant=variant)
    layer.build(((None, 8, 8, 64), (None, 8, 8, 1)))
    assert layer.count_params() == (9 * 64 * 64 + 64) + added * 64 + 9
    assert not layer.non_trainable_variables


def test_half_precision_is_a_rounding_of_single_precision():
    features, certainty = case()
    single = layer_for(features, certainty, 3)
    half = layer_for(features, certainty, 3, dtype="mixed_bfloat16")
    outputs, carried = half((features, certainty))
    assert keras.backend.standardize_dtype(outputs.dtype) == "bfloat16"
    assert keras.backend.standardize_dtype(carried.dtype) == "float32"
    assert {v.dtype for v in half.variables} == {"float32"}
    expected, expected_certainty = run(single, features, certainty)
    found = ops.convert_to_numpy(ops.cast(outputs, "float32"))
    # Eight bits of mantissa in features, kernel and result.
    np.testing.assert_allclose(found, expected, atol=0.02 * np.abs(expected).max())
    # The certainty is computed in float32 in both.
    assert np.array_equal(ops.convert_to_numpy(carried), expected_certainty)


def test_the_layer_can_be_made_again_from_its_configuration():
    features, certainty = case()
    layer = layer_for(
        features,
        certainty,
        3,
        imputation_size=3,
        variant="paper",
        activation="relu",
    )
    config = json.loads(json.dumps(layer.get_config()))
    again = ImputedConv2D.from_config(config)
    again.build((features.shape, certainty.shape))
    again.set_weights(layer.get_weights())
    assert again.get_config() == layer.get_config()
    for expected, found in zip(
        run(layer, features, certainty), run(again, features, certainty), strict=True
    ):
        assert np.array_equal(expected, found)


@pytest.mark.parametrize(
    ("arguments", "options", "message"),
    [
        ((0, 3), {}, "`filters` must be 1 or more"),
        ((4, 2), {}, "`kernel_size` and `imputation_size` odd"),
        ((4, 3), {"imputation_size": 4}, "`kernel_size` and `imputation_size` odd"),
        ((4, 3), {"variant": "mine"}, "one of official, paper; got 'mine'"),
    ],
)
def test_impossible_options_are_refused(arguments, options, message):
    with pytest.raises(ValueError, match=message):
        ImputedConv2D(*arguments, **options)


def test_a_certainty_of_many_channels_is_refused():
    with pytest.raises(ValueError, match="must have one channel"):
        ImputedConv2D(4).build(((2, 8, 8, 5), (2, 8, 8, 5)))


@pytest.mark.parametrize("sides", [(1, 8), (8, 1), (1, 1), (4, 4)])
def test_a_certainty_of_other_sides_than_the_features_is_refused(sides):
    layer = ImputedConv2D(4)
    with pytest.raises(ValueError, match=r"`certainty` must have .* \(8, 8\); got"):
        layer.build(((2, 8, 8, 5), (2, *sides, 1)))
    layer.build(((2, None, None, 5), (2, *sides, 1)))
