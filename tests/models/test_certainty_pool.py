"""The pooling that counts certain features more: its mean, and what it refuses."""

import keras
import numpy as np
import pytest
from keras import ops

from semantic_inpaint.models.imputed_conv import certainty_pool
from tests.reference.imputed_conv import weighted_pool


def case(*, shape=(2, 8, 6, 3)):
    """Features and certainties, the first image's corner unknown."""
    rng = np.random.default_rng(0)
    features = rng.standard_normal(shape).astype(np.float32)
    certainty = rng.random((*shape[:3], 1)).astype(np.float32)
    certainty[0, :5, :5] = 0.0
    return features, certainty


@pytest.mark.both_backends
def test_pooling_counts_certain_features_more_and_ignores_the_rest():
    features, certainty = case()
    pooled, mean = certainty_pool(
        ops.convert_to_tensor(features), ops.convert_to_tensor(certainty)
    )
    expected, expected_mean = weighted_pool(features, certainty)
    np.testing.assert_allclose(ops.convert_to_numpy(pooled), expected, atol=1e-6)
    np.testing.assert_allclose(ops.convert_to_numpy(mean), expected_mean, atol=1e-6)
    # The unknown corner: zeros, and no division by zero.
    assert not ops.convert_to_numpy(pooled)[0, :2, :2].any()


def test_features_keep_their_precision_and_certainty_is_pooled_in_float32():
    features, certainty = case()
    pooled, mean = certainty_pool(ops.cast(features, "bfloat16"), certainty)
    assert keras.backend.standardize_dtype(pooled.dtype) == "bfloat16"
    expected, expected_mean = weighted_pool(features, certainty)
    found = ops.convert_to_numpy(ops.cast(pooled, "float32"))
    # Eight bits of mantissa in the features, their products, their mean and the scale.
    np.testing.assert_allclose(found, expected, atol=0.02 * np.abs(expected).max())
    np.testing.assert_allclose(ops.convert_to_numpy(mean), expected_mean, atol=1e-6)


@pytest.mark.parametrize(("height", "width"), [(7, 6), (8, 5)])
def test_sides_that_cannot_be_halved_are_refused_and_not_cut_off(height, width):
    features, certainty = case(shape=(2, height, width, 3))
    with pytest.raises(ValueError, match=rf"must be even .* \({height}, {width}\)"):
        certainty_pool(features, certainty)


def test_a_certainty_of_other_sides_is_refused():
    features, certainty = case()
    with pytest.raises(ValueError, match="`certainty` must have the height and width"):
        certainty_pool(features, certainty[:, :1, :1])
