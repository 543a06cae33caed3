"""The distance against convolutions by SciPy in double precision, planted weights."""

import numpy as np
import pytest
from scipy.ndimage import correlate

from semantic_inpaint.models import st_lpips, vgg
from semantic_inpaint.models.st_lpips import load_st_lpips, make_st_lpips
from semantic_inpaint.models.vgg import vgg_features

pytestmark = pytest.mark.both_backends

WIDTHS = (3, 4, 2, 5, 3)
# Where the checkpoint keeps the convolutions of each block.
PLACES = ((0, 2), (6, 8), (12, 14, 16), (20, 22, 24), (28, 30, 32))


@pytest.fixture(scope="module")
def tensors():
    rng = np.random.default_rng(0)
    found, before = {}, 3
    for block, (width, places) in enumerate(zip(WIDTHS, PLACES, strict=True)):
        for place in places:
            name = f"net.slice{block + 1}.{place}"
            kernel = rng.normal(size=(width, before, 3, 3)) / before**0.5
            found[f"{name}.weight"] = np.float32(kernel)
            found[f"{name}.bias"] = np.float32(rng.normal(0.5, 0.1, width))
            before = width
        importance = np.float32(rng.random((1, width, 1, 1)))
        found[f"lin{block}.model.1.weight"] = importance
    return found


@pytest.fixture(scope="module")
def distance(tensors):
    return make_st_lpips(vgg_features(tensors, widths=WIDTHS))


def pooled(x):
    """The 2x2 maximum at every pixel, mirrored by two, blurred, every second place."""
    x = np.maximum.reduce([x[:-1, :-1], x[1:, :-1], x[:-1, 1:], x[1:, 1:]])
    kernel = np.outer([1, 2, 1], [1, 2, 1]) / 16
    padded = np.pad(x, ((2, 2), (2, 2), (0, 0)), mode="reflect")
    full = np.stack([correlate(c, kernel) for c in np.moveaxis(padded, -1, 0)], -1)
    return full[1:-1:2, 1:-1:2]


def convolved(x, kernel, bias):
    planes = [
        sum(correlate(x[..., c], row[c], mode="constant") for c in range(x.shape[-1]))
        for row in kernel.astype(np.float64)
    ]
    return np.maximum(np.stack(planes, -1) + bias, 0)


def activations(image, tensors):
    x = (image.astype(np.float64) - vgg.MEAN) / vgg.DEVIATION
    for block, places in enumerate(PLACES):
        x = pooled(x) if block else x
        for place in places:
            name = f"net.slice{block + 1}.{place}"
            x = convolved(x, tensors[f"{name}.weight"], tensors[f"{name}.bias"])
        yield x / (np.linalg.norm(x, axis=-1, keepdims=True) + 1e-10)


def by_hand(first, second, tensors):
    layers = zip(activations(first, tensors), activations(second, tensors), strict=True)
    return sum(
        ((a - b) ** 2 @ tensors[f"lin{block}.model.1.weight"].ravel()).mean()
        for block, (a, b) in enumerate(layers)
    )


@pytest.mark.slow_on_jax
@pytest.mark.parametrize("shape", [(18, 18), (21, 26)])
def test_the_distance_equals_that_computed_by_hand(distance, tensors, shape):
    rng = np.random.default_rng(1)
    images, reference = rng.random((2, 3, *shape, 3), dtype=np.float32)
    expected = [by_hand(*pair, tensors) for pair in zip(images, reference, strict=True)]
    # Thirteen convolutions in single precision.
    np.testing.assert_allclose(distance(images, reference), expected, rtol=1e-4)
    assert min(expected) > 1e-2


def test_equal_images_have_no_distance_and_batches_do_not_matter(distance, monkeypatch):
    rng = np.random.default_rng(2)
    images, reference = rng.random((2, 5, 18, 18, 3), dtype=np.float32)
    whole = distance(images, reference)
    assert (distance(images, images) == 0).all()
    monkeypatch.setattr(st_lpips, "BATCH_SIZE", 2)
    np.testing.assert_allclose(distance(images, reference), whole, rtol=1e-4)


def test_without_the_package_the_way_to_get_it_is_told(monkeypatch):
    monkeypatch.setattr(vgg, "PACKAGE", "no_such_package_stlpips")
    with pytest.raises(ValueError, match="pip install --no-deps stlpips-pytorch"):
        load_st_lpips()
