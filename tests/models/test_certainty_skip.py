"""The skip connection that follows certainty: eq. 6 and 7, and its ends."""

import numpy as np
import pytest
from keras import ops

from semantic_inpaint import backend
from semantic_inpaint.models.certainty_skip import CertaintySkip
from tests.reference.certainty_skip import merge


def case(seed=0):
    rng = np.random.default_rng(seed)
    features = rng.standard_normal((2, 2, 5, 4, 3)).astype(np.float32)
    certainties = rng.uniform(0.01, 1, (2, 2, 5, 4, 1)).astype(np.float32)
    return features[0], certainties[0], features[1], certainties[1]


def run(layer, *inputs):
    return [ops.convert_to_numpy(ops.cast(x, "float32")) for x in layer(inputs)]


@pytest.mark.both_backends
def test_the_merge_follows_equations_6_and_7():
    layer = CertaintySkip()
    features, certainty = run(layer, *case())
    expected = merge(*case(), beta_1=1.0, beta_2=1.0)
    np.testing.assert_allclose(features, expected[0], rtol=1e-5, atol=1e-6)
    np.testing.assert_allclose(certainty, expected[1], rtol=1e-5)
    layer.skip_weight.assign(0.5)
    layer.deep_weight.assign(2.0)
    features, certainty = run(layer, *case())
    expected = merge(*case(), beta_1=0.5, beta_2=2.0)
    np.testing.assert_allclose(features, expected[0], rtol=1e-5, atol=1e-6)
    np.testing.assert_allclose(certainty, expected[1], rtol=1e-5)
    _, skip_certainty, _, deep_certainty = case()
    gamma = layer.gamma(*map(ops.convert_to_tensor, (skip_certainty, deep_certainty)))
    np.testing.assert_allclose(ops.convert_to_numpy(gamma), expected[2], rtol=1e-5)


def test_a_side_without_certainty_counts_for_nothing_and_deep_fills_what_is_left():
    skip, skip_certainty, deep, deep_certainty = case()
    none = np.zeros_like(skip_certainty)
    layer = CertaintySkip()
    features, certainty = run(layer, skip, none, deep, deep_certainty)
    assert np.array_equal(features, deep)
    assert np.array_equal(certainty, deep_certainty)
    features, certainty = run(layer, skip, skip_certainty, deep, none)
    # The constant 1e-8 in the denominator is below the rounding of certainties of .01.
    np.testing.assert_allclose(features, skip, rtol=2e-6, atol=1e-6)
    np.testing.assert_allclose(certainty, skip_certainty, rtol=2e-6)
    features, certainty = run(layer, skip, none, deep, none)
    assert np.array_equal(features, deep)
    assert not certainty.any()


def test_a_negative_weight_counts_as_zero():
    skip, skip_certainty, deep, deep_certainty = case()
    layer = CertaintySkip()
    layer.build([x.shape for x in case()])
    layer.skip_weight.assign(-3.0)
    features, _ = run(layer, skip, skip_certainty, deep, deep_certainty)
    assert np.array_equal(features, deep)


@pytest.mark.both_backends
def test_gradients_are_finite_where_neither_side_is_certain():
    inputs = [ops.convert_to_tensor(x) for x in case()]
    inputs[1] = 0.0 * inputs[1]
    inputs[3] = 0.0 * inputs[3]
    layer = CertaintySkip()
    layer.build([x.shape for x in case()])
    weights = [variable.value for variable in layer.trainable_variables]

    def total(weights, inputs):
        features, certainty = layer.stateless_call(weights, [], inputs)[0]
        return ops.sum(features) + ops.sum(certainty), None

    _, _, gradients = backend.value_and_grad(total, weights, inputs)
    for gradient in (*gradients[0], *gradients[1]):
        assert np.isfinite(ops.convert_to_numpy(gradient)).all()


def test_certainty_stays_in_single_precision_and_half_precision_rounds_the_features():
    half, single = CertaintySkip(dtype="mixed_bfloat16"), CertaintySkip()
    features, certainty = half(case())
    assert "bfloat16" in str(features.dtype)
    assert "float32" in str(certainty.dtype)
    expected, expected_certainty = run(single, *case())
    # Eight bits of mantissa in each factor and in the sum.
    np.testing.assert_allclose(
        ops.convert_to_numpy(ops.cast(features, "float32")), expected, atol=0.03
    )
    assert np.array_equal(ops.convert_to_numpy(certainty), expected_certainty)


def test_the_layer_has_two_weights_and_can_be_made_again_from_its_configuration():
    layer = CertaintySkip(name="skip_8")
    layer.build([x.shape for x in case()])
    assert [float(w) for w in layer.get_weights()] == [1.0, 1.0]
    assert CertaintySkip.from_config(layer.get_config()).name == "skip_8"


def test_sides_of_different_shapes_are_refused():
    shapes = [(2, 8, 8, 3), (2, 8, 8, 1), (2, 4, 4, 3), (2, 4, 4, 1)]
    with pytest.raises(ValueError, match="must be of one shape"):
        CertaintySkip().build(shapes)
