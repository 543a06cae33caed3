"""Feature maps against Keras' VGG16, against convolutions of SciPy, on any weights."""

import keras
import numpy as np
import pytest
from keras import ops
from safetensors.numpy import save_file
from scipy.ndimage import correlate

from semantic_inpaint.models import perceptual_features, vgg
from semantic_inpaint.models.perceptual_features import (
    CAFFE_SCALE,
    build_pools,
    check_source,
    keras_pools,
    load_perceptual_features,
    torchvision_pools,
)
from tests.models.torch_files import checkpoint, older_tensor, state

WIDTHS = (3, 4, 2)
# Where torchvision's checkpoint keeps each convolution.
PLACES = ((0, 2), (5, 7), (10, 12, 14))
SHAPES = [(2, 8, 8), (2, 4, 4), (2, 2, 2)]


def images_in_network_range(*shape):
    return np.random.default_rng(1).uniform(-1, 1, shape).astype(np.float32)


@pytest.fixture(scope="module")
def tensors():
    rng = np.random.default_rng(0)
    found, before = {}, 3
    for width, places in zip(WIDTHS, PLACES, strict=True):
        for place in places:
            kernel = rng.normal(size=(width, before, 3, 3)) / before**0.5
            found[f"features.{place}.weight"] = kernel.astype(np.float32)
            bias = rng.normal(0.5, 0.1, width)
            found[f"features.{place}.bias"] = bias.astype(np.float32)
            before = width
    return found


def by_hand(image, tensors):
    """Maps of one image in [-1, 1], in double precision."""
    x = (image.astype(np.float64) / 2 + 0.5 - vgg.MEAN) / vgg.DEVIATION
    maps = []
    for places in PLACES:
        for place in places:
            kernel = tensors[f"features.{place}.weight"].astype(np.float64)
            bias = tensors[f"features.{place}.bias"]
            planes = [
                sum(
                    correlate(x[..., i], row[i], mode="constant")
                    for i in range(x.shape[-1])
                )
                for row in kernel
            ]
            x = np.maximum(np.stack(planes, -1) + bias, 0)
        height, width, channels = x.shape
        windows = x.reshape(height // 2, 2, width // 2, 2, channels)
        x = windows.max(axis=(1, 3))
        maps.append(x)
    return maps


@pytest.mark.both_backends
def test_maps_of_torchvisions_weights_equal_those_computed_by_hand(tensors):
    features = torchvision_pools(tensors, name="mine", widths=WIDTHS)
    images = images_in_network_range(2, 16, 16, 3)
    found = [ops.convert_to_numpy(m) for m in features(images)]
    assert [m.shape[:3] for m in found] == SHAPES
    for i, image in enumerate(images):
        for maps, expected in zip(found, by_hand(image, tensors), strict=True):
            # Seven convolutions in single precision.
            np.testing.assert_allclose(maps[i], expected, rtol=1e-4, atol=1e-5)


def test_maps_of_keras_weights_are_its_own_but_for_their_scale():
    """Of a narrow VGG16, by the layers' names, since the full one has 15 million."""
    rng = np.random.default_rng(0)
    caffe = keras.Sequential(
        [
            keras.Input((16, 16, 3)),
            *(
                layer
                for block, depth in enumerate((2, 2, 3), 1)
                for layer in (
                    *(
                        keras.layers.Conv2D(
                            2 + block,
                            3,
                            padding="same",
                            activation="relu",
                            name=f"block{block}_conv{number}",
                        )
                        for number in range(1, depth + 1)
                    ),
                    keras.layers.MaxPooling2D(2, name=f"block{block}_pool"),
                )
            ),
        ]
    )
    for variable in caffe.trainable_variables:
        # Biases large enough to matter beside pixels to 255.
        spread = 0.3 if variable.name == "kernel" else 50.0
        variable.assign(rng.normal(0.0, spread, variable.shape).astype(np.float32))
    pools = [caffe.get_layer(f"block{b}_pool").output for b in (1, 2, 3)]
    whole = keras.Model(caffe.inputs[0], pools)

    images = images_in_network_range(2, 16, 16, 3)
    pixels = keras.applications.vgg16.preprocess_input((images / 2 + 0.5) * 255.0)
    found = keras_pools(caffe, name="caffe")(images)
    for maps, expected in zip(found, whole(pixels), strict=True):
        expected = ops.convert_to_numpy(expected) / CAFFE_SCALE
        np.testing.assert_allclose(maps, expected, rtol=1e-4, atol=1e-4)
        assert expected.max() > 0.1


def save_pth(arrays, path):
    """Write a state as PyTorch did in 2017, a storage for each tensor."""
    entries = {
        name: older_tensor(
            "FloatStorage", name, array.size, 0, array.shape,
            [stride // array.itemsize for stride in array.strides],
        )
        for name, array in arrays.items()
    }  # fmt: skip
    return checkpoint(path, state(entries), arrays)


@pytest.mark.parametrize("file", ["vgg.safetensors", "vgg16-397923af.pth"])
def test_a_file_of_torchvisions_weights_is_read_by_its_path(tmp_path, file):
    path = tmp_path / file
    full = build_pools()
    convs = [la for la in full.layers if isinstance(la, keras.layers.Conv2D)]
    names = [f"features.{place}" for places in PLACES for place in places]
    arrays = {}
    for name, conv in zip(names, convs, strict=True):
        kernel, bias = conv.get_weights()
        arrays[f"{name}.weight"] = np.ascontiguousarray(kernel.transpose(3, 2, 0, 1))
        arrays[f"{name}.bias"] = bias
    save_file(arrays, path) if path.suffix == ".safetensors" else save_pth(arrays, path)
    features = load_perceptual_features(f"vgg16:{path}")
    images = images_in_network_range(1, 16, 16, 3)
    for found, expected in zip(features(images), full(images / 2 + 0.5), strict=True):
        np.testing.assert_allclose(found, expected, rtol=1e-6, atol=1e-6)
    assert features.name == f"vgg16:{path}"
    assert not features.network.trainable_variables


def test_the_stand_in_has_the_maps_of_the_network_it_comes_from(monkeypatch):
    source = vgg.build_vgg16(widths=vgg.WIDTHS)
    space = vgg.FeatureSpace("random", source)
    monkeypatch.setattr(perceptual_features, "load_vgg_features", lambda: space)
    features = load_perceptual_features("stlpips-vgg16")
    images = images_in_network_range(1, 18, 18, 3)
    pooled = [source.get_layer(f"blur_{block}").output for block in (2, 3, 4)]
    expected = keras.Model(source.input, pooled)(images / 2 + 0.5)
    for found, wanted in zip(features(images), expected, strict=True):
        np.testing.assert_allclose(found, wanted, rtol=1e-5, atol=1e-6)
    assert features.name == "stlpips-vgg16"


def test_half_precision_gives_nearly_the_same_maps(tensors):
    images = images_in_network_range(1, 16, 16, 3)
    whole, half = (
        torchvision_pools(tensors, name="mine", widths=WIDTHS, dtype=dtype)(images)
        for dtype in ("float32", "mixed_bfloat16")
    )
    for a, b in zip(whole, half, strict=True):
        assert b.dtype == "bfloat16"
        # Eight bits, through up to seven convolutions.
        difference = np.abs(np.float32(a) - np.float32(ops.cast(b, "float32")))
        assert difference.max() < 0.05 * np.float32(a).max()


@pytest.mark.parametrize(
    ("name", "damage"),
    [
        ("features.5.weight", lambda a: None),
        ("features.5.weight", lambda a: a[:, :, :1]),
        ("features.14.bias", lambda a: a * np.nan),
    ],
)
def test_weights_that_do_not_fit_are_named(tensors, name, damage):
    with pytest.raises(ValueError, match=f"lack {name}.*torchvision"):
        damaged = tensors | {name: damage(tensors[name])}
        torchvision_pools(damaged, name="", widths=WIDTHS)


@pytest.mark.parametrize("word", ["vgg", "vgg16:", "none:here", "stlpips-vgg16:x", ""])
def test_words_that_name_no_features_are_refused(word):
    with pytest.raises(ValueError, match="`perceptual` must be stlpips-vgg16, vgg16"):
        check_source(word)


def test_none_means_none_and_missing_weights_are_told(tmp_path, monkeypatch):
    assert load_perceptual_features("none") is None
    with pytest.raises(ValueError, match=r"no file .*absent\.h5"):
        load_perceptual_features(f"vgg16:{tmp_path / 'absent.h5'}")
    (tmp_path / "damaged.h5").write_bytes(b"no weights")
    with pytest.raises(ValueError, match=r"cannot be had.*stlpips-vgg16"):
        load_perceptual_features(f"vgg16:{tmp_path / 'damaged.h5'}")
    monkeypatch.setattr(vgg, "PACKAGE", "no_such_package_stlpips")
    with pytest.raises(ValueError, match="pip install --no-deps stlpips-pytorch"):
        load_perceptual_features("stlpips-vgg16")
