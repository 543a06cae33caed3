"""Losses of a GAN, against closed forms in float64."""

import numpy as np
import pytest
from keras import ops

from semantic_inpaint import backend
from semantic_inpaint.losses.adversarial import (
    discriminator_fake_loss,
    discriminator_real_loss,
    generator_loss,
    get_loss,
    gradient_penalty,
    unit_slope_penalty,
)

pytestmark = pytest.mark.both_backends

LOGITS = np.linspace(-8.0, 8.0, 9)[:, None]
EXTREME = np.array([[-1e4], [1e4]], np.float32)


def sigmoid(x):
    return 1.0 / (1.0 + np.exp(-x))


def value(loss, logits, **options):
    logits = ops.convert_to_tensor(logits, "float32")
    return ops.convert_to_numpy(loss(logits, **options))


def cross_entropy(label):
    probability = sigmoid(LOGITS[:, 0])
    return -label * np.log(probability) - (1 - label) * np.log(1 - probability)


@pytest.mark.parametrize("label", [1.0, 0.9, 0.5])
def test_the_real_loss_is_the_cross_entropy_to_its_label(label):
    found = value(discriminator_real_loss, LOGITS, label=label)
    np.testing.assert_allclose(found, cross_entropy(label), rtol=1e-5)


def test_the_real_loss_is_least_where_the_probability_is_the_label():
    fine = np.linspace(-6.0, 6.0, 1201)[:, None]
    best = fine[np.argmin(value(discriminator_real_loss, fine, label=0.9)), 0]
    assert sigmoid(best) == pytest.approx(0.9, abs=2e-3)  # The grid is 0.01 apart.


def test_the_fake_loss_is_the_cross_entropy_to_zero():
    found = value(discriminator_fake_loss, LOGITS)
    np.testing.assert_allclose(found, cross_entropy(0.0), rtol=1e-5)


def test_the_generators_loss_is_minus_the_log_of_the_probability():
    found = value(generator_loss, LOGITS)
    np.testing.assert_allclose(found, -np.log(sigmoid(LOGITS[:, 0])), rtol=1e-5)


@pytest.mark.parametrize(
    ("loss", "expected"),
    [
        (discriminator_real_loss, [1e4, 0.0]),
        (discriminator_fake_loss, [0.0, 1e4]),
        (generator_loss, [1e4, 0.0]),
    ],
)
def test_extreme_logits_have_finite_losses_and_slopes(loss, expected):
    np.testing.assert_allclose(value(loss, EXTREME), expected, rtol=1e-6)
    _, _, (slope,) = backend.value_and_grad(
        lambda x: (ops.sum(loss(x)), None), ops.convert_to_tensor(EXTREME)
    )
    sign = -1.0 if expected[0] else 1.0
    steep = [[1.0], [0.0]] if expected[0] else [[0.0], [1.0]]
    np.testing.assert_allclose(slope, sign * np.array(steep), atol=1e-6)


def test_the_penalty_is_the_squared_norm_of_each_image():
    gradients = np.random.default_rng(0).normal(size=(3, 4, 5, 2))
    found = gradient_penalty(ops.convert_to_tensor(gradients, "float32"))
    expected = [np.linalg.norm(g) ** 2 for g in gradients]
    np.testing.assert_allclose(found, expected, rtol=1e-5)


@pytest.mark.parametrize(
    "loss", [discriminator_real_loss, discriminator_fake_loss, generator_loss]
)
def test_an_image_has_one_value_of_its_own(loss):
    whole = value(loss, LOGITS)
    assert whole.shape == (9,)
    for i in range(9):
        # A processor's vector instructions may round the last digit otherwise.
        alone = value(loss, LOGITS[i : i + 1])
        np.testing.assert_allclose(alone, whole[i : i + 1], rtol=1e-6)


@pytest.mark.parametrize(
    ("name", "real", "fake", "generator"),
    [
        ("hinge", np.maximum(0, 1 - LOGITS), np.maximum(0, 1 + LOGITS), -LOGITS),
        ("wasserstein", -LOGITS, LOGITS, -LOGITS),
    ],
)
def test_the_other_losses_are_their_formulas(name, real, fake, generator):
    loss = get_loss(name)
    np.testing.assert_allclose(value(loss.real, LOGITS), real[:, 0], rtol=1e-6)
    np.testing.assert_allclose(value(loss.fake, LOGITS), fake[:, 0], rtol=1e-6)
    np.testing.assert_allclose(
        value(loss.generator, LOGITS), generator[:, 0], rtol=1e-6
    )


@pytest.mark.parametrize("name", ["logistic", "wasserstein"])
def test_the_ratio_is_that_of_the_two_slopes(name):
    loss = get_loss(name)
    logits = ops.convert_to_tensor(LOGITS, "float32")

    def slope(of):
        _, _, (found,) = backend.value_and_grad(
            lambda x: (ops.sum(of(x)), None), logits
        )
        return ops.convert_to_numpy(found)

    ratio = ops.convert_to_numpy(loss.ratio(logits))
    np.testing.assert_allclose(
        slope(loss.fake) * ratio, slope(loss.generator), rtol=1e-4
    )


def test_the_label_of_real_images_reaches_the_logistic_loss():
    found = value(get_loss("logistic", real_label=0.9).real, LOGITS)
    np.testing.assert_allclose(found, cross_entropy(0.9), rtol=1e-5)


def test_an_unknown_loss_is_refused_by_name():
    with pytest.raises(ValueError, match="'least-squares'"):
        get_loss("least-squares")


def test_the_slope_penalty_is_the_squared_distance_of_the_norm_from_one():
    gradients = np.random.default_rng(0).normal(size=(3, 4, 5, 2))
    found = unit_slope_penalty(ops.convert_to_tensor(gradients, "float32"))
    expected = [(np.linalg.norm(g) - 1.0) ** 2 for g in gradients]
    np.testing.assert_allclose(found, expected, rtol=1e-5)
    flat = unit_slope_penalty(ops.zeros((1, 2, 2, 3)))
    np.testing.assert_allclose(flat, [1.0], rtol=1e-5)
