"""The command on pictures in their own sizes."""

import json

import numpy as np
import pytest
from PIL import Image

from semantic_inpaint.images import load_image
from semantic_inpaint.masks import make_known, save_known

SIZES = {"wide": (16, 29), "tall": (41, 12)}


@pytest.fixture
def pictures(photo):
    return {name: photo(f"{name}.png", size=s[::-1]) for name, s in SIZES.items()}


@pytest.fixture
def masks(tmp_path):
    """A hole of its own for each picture, in a folder."""
    folder = tmp_path / "masks"
    folder.mkdir()
    known = {name: np.ones(size, bool) for name, size in SIZES.items()}
    known["wide"][3:9, 20:] = False
    known["tall"][30:, :5] = False
    for name, pixels in known.items():
        save_known(folder / f"{name}.png", pixels)
    return folder, known


def pixels(path):
    return np.asarray(Image.open(path))


def check(out, pictures, mask, known):
    """Sizes, and that what changed is the hole and nothing else."""
    for name, picture in pictures.items():
        made = pixels(out / "images" / name / f"{mask}-completed.png")
        given = pixels(picture)
        assert made.shape == given.shape
        np.testing.assert_array_equal(made[known[name]], given[known[name]])
        assert (made != given)[~known[name]].mean() > 0.5


def test_pictures_are_filled_in_their_own_sizes(fill, tiny_network_folders, pictures):
    words = ["--network", tiny_network_folders["conv"], "--whole", "--mask", "left"]
    code, out, shown, err = fill(*words, "--images", *pictures.values())
    assert (code, err) == (0, "")
    # Nothing was fitted.
    assert "note" not in shown
    known = {name: make_known("left", 1, *size)[0] for name, size in SIZES.items()}
    check(out, pictures, "left", known)
    assert (out / "figure.png").is_file()

    found = json.loads((out / "metrics.json").read_text())["masks"]["left"]
    assert [image["name"] for image in found["images"]] == list(SIZES)
    for name, image in zip(SIZES, found["images"], strict=True):
        # Of the pictures as they were written: half a level of rounding each.
        file = out / "images" / name / "left-completed.png"
        difference = load_image(file) - load_image(pictures[name])
        mae = 255 * np.abs(difference)[~known[name]].mean()
        assert image["inpainted"]["hole"]["mae"] == pytest.approx(mae, abs=0.5)
    maes = [image["inpainted"]["hole"]["mae"] for image in found["images"]]
    assert found["means"]["inpainted"]["hole"]["mae"] == pytest.approx(np.mean(maes))
    options = json.loads((out / "options.json").read_text())
    assert [image["fitted"] for image in options["images"]] == ["", ""]


def test_masks_are_files_of_the_pictures_own_sizes(
    fill, tiny_network_folders, pictures, masks
):
    folder, known = masks
    words = ["--network", tiny_network_folders["conv"], "--whole"]
    images = ["--images", *pictures.values()]
    assert fill(*words, *images, "--mask", folder)[0] == 0
    check(folder.parent / "out", pictures, "file", known)

    one = {"wide": pictures["wide"]}
    words += ["--images", one["wide"], "--mask", folder / "wide.png"]
    assert fill(*words, out="one")[0] == 0
    check(folder.parent / "one", one, "file", known)
    names = ("out", "one")
    first, alone = (
        pixels(folder.parent / name / "images" / "wide" / "file-completed.png")
        for name in names
    )
    # Another batch beside it changes nothing but the rounding.
    np.testing.assert_allclose(first, alone, atol=1)


def test_what_does_not_go_with_whole_pictures_is_refused(
    fill, refused, tiny_network_folders, pictures, masks, photo, tmp_path
):
    words = ["--network", tiny_network_folders["conv"], "--whole"]
    refused(fill("--whole"), "--whole is for networks without a prior")
    refused(fill(*words), "name some by --images")
    wide = ["--images", pictures["wide"]]
    refused(fill(*words, *wide, "--size", 32), "--size fits them")
    refused(fill(*words, *wide, "--mask", masks[0] / "tall.png"), "29 x 16")
    square = photo("square.png", size=(20, 20))
    save_known(tmp_path / "hole.png", make_known("center", 1, 24, 24)[0])
    refused(
        fill(*words, "--images", square, "--mask", tmp_path / "hole.png"),
        "another size than its image, 20 x 20",
    )
    refused(
        fill(*words, "--images", square, "--mask", masks[0]),
        "0 masks of the image 'square'",
    )
    small = photo("small.png", size=(30, 10))
    refused(fill(*words, "--images", small), "30 x 10", "11 x 11 or more")
