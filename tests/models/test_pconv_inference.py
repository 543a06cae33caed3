"""The U-Net of partial convolutions in the form that infers fastest."""

import dataclasses

import numpy as np
import pytest
from keras import layers, ops

from semantic_inpaint.masks import make_known
from semantic_inpaint.models.inpainting_files import load_network, save_network
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


@pytest.mark.slow_on_jax
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
    # From pixel 2 windows of 7, 5, 5 and 3 reach place 2, and 1 of the fourth level;
    # each row back goes from place p to 2 p + 2.
    rows = sum(layer.name.startswith("pconv_") for layer in trained.layers)
    reach = {6: 31, 8: 47}[rows]
    for filled in (found, expected):
        assert np.all(filled[:, :reach, :reach] != 0.0)
        assert not filled[:, reach:].any()
        assert not filled[:, :, reach:].any()


def test_in_bfloat16_it_makes_nearly_what_it_makes_in_float32(trained, tmp_path):
    size = 2 ** (sum(x.name.startswith("pconv_") for x in trained.layers) // 2 + 1)
    save_network(
        tmp_path,
        trained,
        kind="pconv",
        architecture={"image_size": size, "width": 3},
        facts={"image_size": size},
    )
    rng = np.random.default_rng(3)
    images = rng.uniform(-1, 1, (4, size, size, 3)).astype(np.float32)
    known = make_known("random-square", 4, size, size)[..., None].astype(np.float32)
    exact, rough = (
        load_network(tmp_path, precision=precision).faster
        for precision in ("float32", "bfloat16")
    )
    assert rough.get_layer("row_2").kernel.dtype == "bfloat16"
    expected, found = (fill(model, images, known) for model in (exact, rough))
    # Each of up to eight rows rounds kernel, map, scale and result to eight bits, some
    # 2^-9 of them and independently: sqrt(32) / 512 of the spread. Twice that is let
    # pass, before pixels are cut off to their range.
    error = np.sqrt(np.mean(np.square(found - expected)))
    assert 0 < error < 2 * np.sqrt(32) / 512 * expected.std()


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


def test_another_model_drops_the_faster_form_of_the_first(tiny_network_folders):
    network = load_network(tiny_network_folders["pconv"])
    other = build_pconv_unet(image_size=16, width=2, seed=9)
    replaced = dataclasses.replace(network, model=other)
    assert replaced.faster is None
    rng = np.random.default_rng(2)
    images = rng.random((1, 16, 16, 3), dtype=np.float32)
    known = make_known("center", 1, 16, 16)
    inputs = [images * 2.0 - 1.0, known[..., None].astype(np.float32)]
    expected = np.clip(fill(other, *inputs) * 0.5 + 0.5, 0, 1)
    found = replaced.generate(images, known)
    np.testing.assert_allclose(found, expected, atol=1e-5)
    assert np.abs(found - network.generate(images, known)).max() > 0.01
    # What is replaced beside the model keeps it.
    renamed = dataclasses.replace(network, sha256="0" * 64)
    assert renamed.faster is network.faster is not None
