"""The five losses of PConv-GAN, against their formulas in float64."""

import numpy as np
import pytest
from keras import ops

from semantic_inpaint.losses.pconv_gan import (
    discriminator_loss,
    generator_loss,
    hole_error,
    reconstruction_loss,
    valid_error,
)
from semantic_inpaint.masks import two_rectangles

pytestmark = pytest.mark.both_backends

RNG = np.random.default_rng(0)
# Whole grey values, as the paper has them: divided by 255.
TRUTH, OUTPUT = RNG.integers(0, 256, (2, 3, 16, 16, 3)) / 255.0
KNOWN = np.stack([two_rectangles(16, 16), RNG.random((16, 16)) < 0.5, np.eye(16) < 1])
REAL, FAKE = RNG.normal(0.0, 3.0, (2, 3, 1))


def value(loss, *arguments, **options):
    tensors = (ops.convert_to_tensor(a, "float32") for a in arguments)
    return ops.convert_to_numpy(loss(*tensors, **options))


def pictures():
    """Output, truth and known map as the losses take them, in [-1, 1]."""
    return 2 * OUTPUT - 1, 2 * TRUTH - 1, KNOWN[..., None]


def formula(weights):
    """`1/n ||(I_out - I) * weights||^2` of each image, n its number of elements."""
    weighted = (OUTPUT - TRUTH) * weights[..., None]
    return np.array([np.sum(w**2) / w.size for w in weighted])


def log_sigmoid(x):
    return -np.log1p(np.exp(-x[:, 0]))


def test_both_errors_are_shares_of_the_whole_image_in_the_paper_s_unit():
    # Float32 sums of 768 squares.
    np.testing.assert_allclose(
        value(hole_error, *pictures()), formula(~KNOWN), rtol=1e-5
    )
    np.testing.assert_allclose(
        value(valid_error, *pictures()), formula(KNOWN), rtol=1e-5
    )


def test_the_reconstruction_weighs_the_known_pixels_with_a_sixth():
    expected = formula(~KNOWN) + formula(KNOWN) / 6
    np.testing.assert_allclose(
        value(reconstruction_loss, *pictures()), expected, rtol=1e-5
    )
    alone = value(reconstruction_loss, *pictures(), valid_weight=0.0)
    np.testing.assert_allclose(alone, formula(~KNOWN), rtol=1e-5)


def test_the_adversarial_losses_are_logarithms_of_the_probability():
    # log(1 - sigmoid(x)) = log sigmoid(-x).
    expected = -log_sigmoid(REAL) - log_sigmoid(-FAKE)
    np.testing.assert_allclose(
        value(discriminator_loss, REAL, FAKE), expected, rtol=1e-5
    )
    expected = formula(KNOWN) - log_sigmoid(FAKE) / 2000
    np.testing.assert_allclose(
        value(generator_loss, formula(KNOWN), FAKE), expected, rtol=1e-5
    )
    heavy = value(generator_loss, formula(KNOWN), FAKE, adversarial_weight=1.0)
    np.testing.assert_allclose(heavy, formula(KNOWN) - log_sigmoid(FAKE), rtol=1e-5)


def test_what_an_image_loses_does_not_depend_on_its_batch():
    generated, images, known = pictures()
    alone = value(reconstruction_loss, generated[1:2], images[1:2], known[1:2])
    assert value(reconstruction_loss, *pictures())[1] == alone[0]
