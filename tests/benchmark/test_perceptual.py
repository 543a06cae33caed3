"""Names, borders and refusals; the formula and the network are proven below this."""

import re

import numpy as np
import pytest

from semantic_inpaint.benchmark import perceptual
from semantic_inpaint.benchmark.perceptual import (
    PERCEPTUAL,
    PerceptualMetric,
    load_perceptual,
)
from semantic_inpaint.models import vgg


def mean_difference(images, reference):
    return np.abs(images - reference).mean(axis=(1, 2, 3))


def test_every_distance_states_network_weights_and_resizing():
    assert list(PERCEPTUAL) == ["lpips-alex", "lpips-vgg", "st-lpips-vgg"]
    for kind in PERCEPTUAL.values():
        assert re.search(r"LPIPS 0\.\d \(.* \d{4}\)", kind.description)
        assert kind.resizing.startswith("none")


def test_a_metric_goes_through_its_images_in_order_and_in_double_precision(monkeypatch):
    monkeypatch.setattr(perceptual, "BATCH_SIZE", 2)
    images, reference = np.random.default_rng(0).random((2, 5, 31, 40, 3))
    sizes = []

    def distance(images, reference):
        sizes.append(len(images))
        assert images.dtype == reference.dtype == np.float32
        return mean_difference(images, reference)

    found = PerceptualMetric("lpips-alex", distance)(images, reference)
    assert found.dtype == np.float64
    assert sizes == [2, 2, 1]
    # Single precision.
    np.testing.assert_allclose(found, mean_difference(images, reference), rtol=1e-5)


def test_images_that_the_network_cannot_take_are_refused():
    metric = PerceptualMetric("lpips-alex", mean_difference)
    small = np.zeros((1, 30, 64, 3))
    with pytest.raises(ValueError, match=r"lpips-alex needs images .* of 31 pixels"):
        metric(small, small)
    grey = np.zeros((1, 64, 64, 1))
    with pytest.raises(ValueError, match="needs images"):
        metric(grey, grey)
    images = np.zeros((1, 64, 64, 3))
    with pytest.raises(ValueError, match=r"`images` must lie in \[0, 1\]"):
        metric(images + 2, images)


def test_an_unknown_distance_is_refused_by_name():
    with pytest.raises(ValueError, match="no perceptual distance 'lpips'; there are"):
        load_perceptual("lpips")


@pytest.mark.parametrize("name", ["lpips-alex", "lpips-vgg"])
def test_without_a_package_the_way_to_get_it_is_told_in_one_line(name, monkeypatch):
    monkeypatch.setattr(perceptual, "PACKAGES", ("numpy", "no_such_package_lpips"))
    with pytest.raises(ValueError, match="needs no_such_package_lpips; get it") as told:
        load_perceptual(name)
    assert "pip install 'semantic-inpaint[perceptual]'" in str(told.value)
    assert "\n" not in str(told.value)


def test_without_its_weights_st_lpips_tells_where_they_are(monkeypatch):
    monkeypatch.setattr(vgg, "PACKAGE", "no_such_package_stlpips")
    with pytest.raises(ValueError, match="pip install --no-deps stlpips-pytorch"):
        load_perceptual("st-lpips-vgg")
