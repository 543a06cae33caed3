"""Small layers of IConv's networks, against NumPy and planted answers."""

import numpy as np
import pytest
from keras import ops

from semantic_inpaint.models.iconv_layers import (
    EmptyHole,
    OneHotPose,
    OutputConstraint,
    PixelNorm,
    fan_in_normal,
    level_widths,
)

pytestmark = pytest.mark.both_backends


def test_pixel_norm_leaves_each_pixel_with_a_mean_square_of_one():
    features = np.random.default_rng(0).normal(size=(2, 3, 4, 5)).astype(np.float32)
    found = ops.convert_to_numpy(PixelNorm()(features))
    power = np.mean(features.astype(np.float64) ** 2, axis=-1, keepdims=True)
    np.testing.assert_allclose(found, features / np.sqrt(power + 1e-7), rtol=1e-5)
    # The constant alone keeps a pixel of zeros finite.
    assert not ops.convert_to_numpy(PixelNorm()(np.zeros((1, 1, 1, 3)))).any()


def test_pixel_norm_computes_the_power_in_float32():
    # 300 squared is not exact in bfloat16, 2^-8 of the result is.
    features = np.full((1, 1, 1, 4), 300.0, np.float32)
    layer = PixelNorm(dtype="mixed_bfloat16")
    found = ops.convert_to_numpy(ops.cast(layer(features), "float32"))
    np.testing.assert_allclose(found, 1.0, atol=2**-8)


def test_a_hole_is_overwritten_whatever_stood_there():
    known = (np.random.default_rng(0).random((2, 4, 4, 1)) < 0.5).astype(np.float32)
    images = np.random.default_rng(1).random((2, 4, 4, 3), dtype=np.float32)
    poisoned = np.where(known > 0, images, np.nan).astype(np.float32)
    found = ops.convert_to_numpy(EmptyHole()([poisoned, known]))
    np.testing.assert_array_equal(found, images * known)


def test_the_output_constraint_is_equation_12_and_clips_only_what_is_shown():
    rng = np.random.default_rng(0)
    generated = rng.uniform(-3, 3, (2, 4, 4, 3)).astype(np.float32)
    observed = rng.uniform(-1, 1, (2, 4, 4, 3)).astype(np.float32)
    known = (rng.random((2, 4, 4, 1)) < 0.5).astype(np.float32)

    def constrained(training, **options):
        layer = OutputConstraint(**options)
        return ops.convert_to_numpy(
            layer([generated, observed, known], training=training)
        )

    shown = np.clip(generated, -1, 1)
    np.testing.assert_array_equal(
        constrained(False), np.where(known > 0, observed, shown)
    )
    np.testing.assert_array_equal(
        constrained(True), np.where(known > 0, observed, generated)
    )
    np.testing.assert_array_equal(constrained(False, constrain=False), shown)
    np.testing.assert_array_equal(constrained(True, constrain=False), generated)


@pytest.mark.parametrize("dtype", ["float32", "mixed_bfloat16"])
def test_each_landmark_is_drawn_at_its_pixel_in_a_channel_of_its_own(dtype):
    # Column 5 of 8 and row 2; the last pixel; beyond the border.
    landmarks = np.array([[0.626, 0.374, 1.0, 1.0, -0.2, 0.5]], np.float32)
    found = ops.convert_to_numpy(
        ops.cast(OneHotPose(8, dtype=dtype)(landmarks), "float32")
    )
    expected = np.zeros((1, 8, 8, 3), np.float32)
    expected[0, 2, 5, 0] = expected[0, 7, 7, 1] = expected[0, 4, 0, 2] = 1.0
    np.testing.assert_array_equal(found, expected)


def test_the_channels_are_the_papers_at_every_side():
    paper = level_widths(256, model_size=256, full_width_side=32)
    assert paper == {4: 256, 8: 256, 16: 256, 32: 256, 64: 128, 128: 64, 256: 32}
    assert level_widths(16, model_size=8, full_width_side=4) == {4: 8, 8: 4, 16: 2}


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"image_size": 48}, "`image_size` must be a power of two, 8 or more; got 48"),
        ({"full_width_side": 2}, "`full_width_side` must be .* 4 or more; got 2"),
        ({"model_size": 36}, "divisible by 8 for images of side 64 .* got 36"),
        ({"model_size": 0}, "got 0"),
    ],
)
def test_sizes_that_cannot_be_built_are_refused(options, message):
    options = {"image_size": 64, "model_size": 64, "full_width_side": 8} | options
    with pytest.raises(ValueError, match=message):
        level_widths(options.pop("image_size"), **options)


def test_initial_weights_have_the_scale_of_the_equalised_rate():
    kernel = ops.convert_to_numpy(fan_in_normal(0)((3, 3, 40, 200)))
    # 72,000 draws: the deviation is known to .3%.
    assert kernel.std() == pytest.approx(1 / np.sqrt(9 * 40), rel=0.02)
    assert np.abs(kernel).max() > 3 / np.sqrt(9 * 40)  # Not truncated.
