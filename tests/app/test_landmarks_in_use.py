"""Landmarks of a packed set, given to a network by `run` and by `benchmark`."""

import shutil

import numpy as np
import pytest

from semantic_inpaint.app import benchmark
from semantic_inpaint.benchmark.records import read_records
from semantic_inpaint.datasets import folder_source, pack_images
from semantic_inpaint.datasets.landmarks import NumberedLandmarks
from semantic_inpaint.images import load_image
from semantic_inpaint.inpainters import make_inpainter
from semantic_inpaint.masks import make_known
from semantic_inpaint.models.inpainting_files import load_network
from semantic_inpaint.problem import InpaintingProblem

POINTS = np.array(
    [[0.0, 0.0, 1.0, 0.0], [0.9, 0.1, 0.2, 0.8], [0.5, 1.0, 0.0, 0.3]], np.float32
)
# Those of the partition, and the same exchanged.
ROWS = ([1, 2], [2, 1])


@pytest.fixture
def packed(tmp_path, photo):
    """Three pictures, of which the first is a partition of its own, and landmarks."""
    pictures = tmp_path / "pictures"
    pictures.mkdir()
    for name in ("a.png", "b.png", "c.png"):
        shutil.move(photo(name), pictures / name)
    source = folder_source(pictures)
    object.__setattr__(source, "partitions", (0, 1, 1))
    pack_images([source], tmp_path / "set", size=16)
    np.save(tmp_path / "points.npy", POINTS)
    return tmp_path / "set", tmp_path / "points.npy"


def test_each_picture_of_a_partition_is_filled_with_its_own_landmarks(
    fill, packed, landmark_network_folder
):
    folder, points = packed
    words = ["--network", landmark_network_folder, "--mask", "left"]
    words += ["--images", folder, "--partition", 1]
    code, out, _, err = fill(*words, "--landmarks", points)
    assert (code, err) == (0, "")
    written, pixels = (
        np.stack([load_image(out / "images" / n / f"left-{s}.png") for n in "bc"])
        for s in ("completed", "original")
    )
    problem = InpaintingProblem(pixels, make_known("left", 2, 16, 16))
    network = load_network(landmark_network_folder)
    expected, other = (
        make_inpainter("iconv", network=network, landmarks=landmarks)
        .inpaint(problem)
        .completed
        for landmarks in (NumberedLandmarks(POINTS[rows], [0, 1]) for rows in ROWS)
    )
    # PNG rounds by half a level; the points make more of a difference.
    np.testing.assert_allclose(written, expected, atol=1 / 255)
    assert np.all(np.abs(other - expected).max(axis=(1, 2, 3)) > 3 / 255)


def test_a_benchmark_takes_them_and_does_not_mix_such_answers_with_others(
    packed, landmark_network_folder, tiny_network_folders, tmp_path, capfd
):
    folder, points = packed
    out = tmp_path / "out"
    # The side of the images is that of the network.
    words = ["--images", folder, "--masks", "left", "--methods", "iconv", "mean"]
    words = [*map(str, words), "--out", str(out), "--networks"]
    told = [*words, str(landmark_network_folder), "--landmarks", str(points)]
    assert benchmark.main(told) == 0
    records = read_records(out)
    assert len(records) == 6
    for record in records:
        given = record["options"].get("landmarks")
        assert (given is not None) == (record["method"] == "iconv")

    capfd.readouterr()
    assert benchmark.main(told[:-2]) == 2
    assert "options.landmarks is" in capfd.readouterr().err
    other = str(tiny_network_folders["iconv"])
    assert benchmark.main([*words, other, "--landmarks", str(points)]) == 2
    assert "none of iconv, mean was" in capfd.readouterr().err


def test_landmarks_that_do_not_go_with_images_or_network_are_refused(
    fill, refused, packed, tiny_network_folders, tmp_path
):
    folder, points = packed
    given = ["--landmarks", points]
    refused(fill("--images", folder, *given), "--landmarks is for networks without")
    words = ["--network", tiny_network_folders["conv"]]
    refused(fill(*words, *given), "one packed set")
    refused(fill(*words, *given, "--images", tmp_path / "pictures"), "one packed set")
    words = ["--images", folder, *words]
    refused(fill(*words, *given), "takes no landmarks; got 2")
    np.save(tmp_path / "few.npy", POINTS[:2])
    refused(fill(*words, "--landmarks", tmp_path / "few.npy"), "2 images, the packed")
