"""The command without images: a real face, and faces of people who do not exist."""

import json

import numpy as np
import pytest

from semantic_inpaint.app.inputs import read_images
from semantic_inpaint.app.options import RunOptions
from semantic_inpaint.datasets import sample_faces, sample_names
from semantic_inpaint.datasets.examples import astronaut
from semantic_inpaint.images import load_image

NAMES = ["astronaut", *(f"sample-{i:03d}" for i in range(7))]


def names_in(out):
    images = json.loads((out / "options.json").read_text())["images"]
    return [image["name"] for image in images]


def test_without_images_the_astronaut_and_seven_samples_are_filled(run):
    code, out, *_ = run()
    assert code == 0
    assert names_in(out) == NAMES
    assert sorted(p.name for p in (out / "images").iterdir()) == NAMES
    metrics = json.loads((out / "metrics.json").read_text())["masks"]["center"]
    assert [image["name"] for image in metrics["images"]] == NAMES
    mean = np.mean([image["refined"]["hole"]["mae"] for image in metrics["images"]])
    assert metrics["means"]["refined"]["hole"]["mae"] == pytest.approx(mean)
    # A row for each, of 1.28 inches at 200 dots.
    assert load_image(out / "figure.png").shape[0] > 8 * 256


@pytest.mark.parametrize(("limit", "count"), [(1, 1), (3, 3), (10, 10), (999, 257)])
def test_the_limit_counts_the_astronaut_and_ends_with_the_samples(limit, count):
    images = read_images(RunOptions(limit=limit), 8)
    assert images.names == ["astronaut", *sample_names()][:count]
    assert len(images.sources) == len(images.notes) == count
    expected = np.concatenate([astronaut(8)[None], sample_faces(size=8)])[:count]
    np.testing.assert_array_equal(images.pixels, expected)


def test_images_that_are_named_come_without_examples(run, photo):
    _, out, *_ = run("--images", photo())
    assert names_in(out) == ["photo"]


def test_all_masks_make_a_figure_for_each_example(run):
    _, out, *_ = run("--mask", "all", "--limit", 2)
    figures = sorted(p.name for p in out.glob("figure*"))
    assert figures == ["figure-astronaut.png", "figure-sample-000.png"]
