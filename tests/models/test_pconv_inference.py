"""The U-Net of partial convolutions in the form that infers fastest."""

import numpy as np
import pytest
from keras import layers, ops

from semantic_inpaint.masks import make_known
from semantic_inpaint.models.inpainting_files import load_network
from semantic_inpaint.models.pconv_inference import prepare_pconv_unet
from semantic_inpaint.models.pconv_unet import build_pconv_unet


@pytest.fixture(scope="module", params=[16, 32])
def trained(request):
    """A network whose normalisations do something, as after a training."""
    model = build_pconv_unet(image_size=request.param, width=3)
    rng = np.random.default_rng(0)
    for variable in model.variables:
        if variable.name in ("gamma", "moving_variance"):
            variable.assign(rng.uniform(0.5, 2.0, variable.shape))
        elif variable.name != "kernel":
            variable.assign(rng.normal(0.0, 0.3, variable.shape))
    return model


def fill(model, images, known):
    return model.predict_on_batch([images, known])


@pytest.mark.parametrize(
    "pattern",
    ["center", "left", pytest.param("random", marks=pytest.mark.both_backends)],
)
def test_it_makes_what_the_trained_network_makes(trained, pattern):
    rng = np.random.default_rng(1)
    images = rng.uniform(-1, 1, (2, 32, 64, 3)).astype(np.float32)
    known = make_known(pattern, 2, 32, 64)[..., None].astype(np.float32)
    expected = fill(trained, images, known)
    found = fill(prepare_pconv_unet(trained), images, known)
    assert expected.std() > 0.1
    np.testing.assert_allclose(found, expected, atol=2e-5 * np.abs(expected).max())


def test_what_cannot_be_reached_stays_0_and_nan_in_the_hole_is_not_seen(trained):
    images = np.full((1, 64, 64, 3), np.nan, np.float32)
    known = np.zeros((1, 64, 64, 1), np.float32)
    images[:, :3, :3], known[:, :3, :3] = 0.5, 1.0
    expected = fill(trained, images, known)
    found = fill(prepare_pconv_unet(trained), images, known)
    assert np.all(np.isfinite(found))
    assert np.abs(found).max() > 0.0
    np.testing.assert_allclose(found, expected, atol=2e-5 * np.abs(expected).max())


def test_no_normalisation_and_no_repetition_is_left(trained):
    faster = prepare_pconv_unet(trained)
    slow = (layers.BatchNormalization, layers.UpSampling2D, layers.Concatenate)
    assert not any(isinstance(layer, slow) for layer in faster.layers)
    assert any(isinstance(layer, slow) for layer in trained.layers)
    assert faster.input_shape == trained.input_shape


def test_a_loaded_network_infers_so_and_keeps_the_trained_one(tiny_network_folders):
    network = load_network(tiny_network_folders["pconv"])
    rng = np.random.default_rng(2)
    images = rng.random((2, 16, 16, 3), dtype=np.float32)
    known = make_known("random-square", 2, 16, 16)
    made = network.generate(images, known)
    assert network.faster is not None
    # Without its weights the other makes nothing of it.
    for variable in network.faster.variables:
        variable.assign(ops.zeros(variable.shape))
    assert np.ptp(network.generate(images, known)) == 0.0
    inputs = [images * 2.0 - 1.0, known[..., None].astype(np.float32)]
    slow = fill(network.model, *inputs)
    np.testing.assert_allclose(made, np.clip(slow * 0.5 + 0.5, 0, 1), atol=1e-5)
    assert load_network(tiny_network_folders["conv"]).faster is None
