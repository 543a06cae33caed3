"""The network against convolutions written with NumPy and SciPy, on planted weights."""

import numpy as np
import pytest
from keras import ops
from scipy.ndimage import correlate

from semantic_inpaint.models import vgg
from semantic_inpaint.models.vgg import BlurPool, load_vgg_features, vgg_features

pytestmark = pytest.mark.both_backends

WIDTHS = (3, 4, 2, 5, 3)
# Where the checkpoint of the shift-tolerant LPIPS keeps each convolution.
PLACES = (
    ("net.slice1.0", "net.slice1.2"),
    ("net.slice2.6", "net.slice2.8"),
    ("net.slice3.12", "net.slice3.14", "net.slice3.16"),
    ("net.slice4.20", "net.slice4.22", "net.slice4.24"),
    ("net.slice5.28", "net.slice5.30", "net.slice5.32"),
)


@pytest.fixture(scope="module")
def tensors():
    rng = np.random.default_rng(0)
    found, before = {}, 3
    for block, (width, places) in enumerate(zip(WIDTHS, PLACES, strict=True)):
        for place in places:
            kernel = rng.normal(size=(width, before, 3, 3)) / before**0.5
            found[f"{place}.weight"] = kernel.astype(np.float32)
            found[f"{place}.bias"] = rng.normal(0.5, 0.1, width).astype(np.float32)
            before = width
        importance = rng.uniform(0, 1, (1, width, 1, 1)).astype(np.float32)
        found[f"lin{block}.model.1.weight"] = importance
    return found


@pytest.fixture(scope="module")
def space(tensors):
    return vgg_features(tensors, widths=WIDTHS)


def blurred(x):
    """Mirror by two, weigh 3x3 neighbours by (1 2 1), keep every second place."""
    kernel = np.outer([1, 2, 1], [1, 2, 1]) / 16
    padded = np.pad(x, ((2, 2), (2, 2), (0, 0)), mode="reflect")
    full = np.stack([correlate(c, kernel) for c in np.moveaxis(padded, -1, 0)], -1)
    return full[1:-1:2, 1:-1:2]


def by_hand(image, tensors):
    """Features of one image in double precision."""
    x = (image - [0.485, 0.456, 0.406]) / [0.229, 0.224, 0.225]
    found = []
    for block, places in enumerate(PLACES):
        if block:
            x = np.maximum.reduce([x[:-1, :-1], x[1:, :-1], x[:-1, 1:], x[1:, 1:]])
            x = blurred(x)
        for place in places:
            kernel = tensors[f"{place}.weight"].astype(np.float64)
            planes = [
                sum(
                    correlate(x[..., i], row[i], mode="constant")
                    for i in range(x.shape[-1])
                )
                for row in kernel
            ]
            x = np.maximum(np.stack(planes, -1) + tensors[f"{place}.bias"], 0)
        lengths = np.linalg.norm(x, axis=-1, keepdims=True) + 1e-10
        importance = tensors[f"lin{block}.model.1.weight"].ravel()
        found.append((x / lengths).mean(axis=(0, 1)) * np.sqrt(importance))
    return np.concatenate(found) * np.sqrt(sum(WIDTHS))


@pytest.mark.parametrize("shape", [(18, 18), (21, 26)])
def test_features_equal_those_computed_by_hand(space, tensors, shape):
    images = np.random.default_rng(1).random((2, *shape, 3), dtype=np.float32)
    expected = [by_hand(image, tensors) for image in images.astype(np.float64)]
    # Thirteen convolutions in single precision.
    np.testing.assert_allclose(space(images), expected, rtol=1e-4, atol=1e-5)
    assert np.ptp(expected, axis=0).max() > 1e-2


@pytest.mark.parametrize(("side", "after"), [(3, 3), (4, 3), (7, 5), (32, 17)])
def test_blur_pool_equals_scipy(side, after):
    x = np.random.default_rng(2).normal(size=(1, side, side + 1, 2)).astype(np.float32)
    found = ops.convert_to_numpy(BlurPool()(x))[0]
    assert found.shape[0] == after
    np.testing.assert_allclose(found, blurred(x[0]), rtol=1e-5, atol=1e-6)


def test_features_do_not_depend_on_the_batch_and_take_8_bits(space, monkeypatch):
    images = np.random.default_rng(3).integers(0, 256, (5, 18, 18, 3), dtype=np.uint8)
    whole = space(images)
    monkeypatch.setattr(vgg, "BATCH_SIZE", 2)
    np.testing.assert_allclose(space(images), whole, rtol=1e-5, atol=1e-6)
    np.testing.assert_allclose(
        space(images.astype(np.float32) / 255), whole, rtol=1e-5, atol=1e-6
    )
    assert space.name == "stlpips-vgg16-mean"


@pytest.mark.parametrize(
    ("name", "damage"),
    [
        ("net.slice3.14.weight", lambda a: None),
        ("net.slice3.14.weight", lambda a: a[:, :, :1]),
        ("net.slice4.20.bias", lambda a: a * np.nan),
        ("lin2.model.1.weight", lambda a: -a),
        ("lin2.model.1.weight", lambda a: a[:, :, 0]),
    ],
)
def test_weights_that_do_not_fit_are_named(tensors, name, damage):
    with pytest.raises(ValueError, match=f"lack {name}.*stlpips-pytorch"):
        vgg_features(tensors | {name: damage(tensors[name])}, widths=WIDTHS)


def test_without_the_package_the_way_to_get_it_is_told(monkeypatch):
    monkeypatch.setattr(vgg, "PACKAGE", "no_such_package_stlpips")
    with pytest.raises(ValueError, match="pip install --no-deps stlpips-pytorch"):
        load_vgg_features()
