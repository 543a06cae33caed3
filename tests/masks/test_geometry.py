"""Mask files fitted like photos: planted holes, brute force, the photo itself."""

import numpy as np
import pytest
from PIL import Image

from semantic_inpaint.images import fit_image
from semantic_inpaint.masks import load_known


def save_hole(path, hole):
    Image.fromarray(np.where(hole, 255, 0).astype(np.uint8)).save(path)


def test_an_enlarged_mask_repeats_its_pixels_and_says_so(tmp_path):
    path = tmp_path / "mask.png"
    hole = np.zeros((6, 9), dtype=bool)
    hole[:2, :4] = True
    save_hole(path, hole)
    known, note = load_known(path, 18, 18)
    # Of 9 x 6 the centred 6 x 6: columns 1 to 6, each pixel three times.
    assert np.array_equal(known, ~hole[:, 1:7].repeat(3, axis=0).repeat(3, axis=1))
    assert note == (
        f"{path}: cropped from 9 x 6 to the centred 6 x 6, "
        "enlarged from 6 x 6 to 18 x 18"
    )


def test_enlarging_agrees_with_the_nearest_neighbour_of_pillow(tmp_path):
    path = tmp_path / "mask.png"
    hole = np.random.default_rng(0).integers(0, 2, (11, 11)).astype(bool)
    save_hole(path, hole)
    with Image.open(path) as image:
        fitted = np.asarray(image.resize((29, 29), Image.Resampling.NEAREST))
    assert np.array_equal(load_known(path, 29, 29)[0], fitted == 0)


@pytest.mark.parametrize(("side", "size"), [(16, 8), (13, 8), (108, 64), (65, 64)])
def test_a_reduced_pixel_is_missing_where_any_part_of_it_is(side, size, tmp_path):
    path = tmp_path / "mask.png"
    hole = np.random.default_rng(0).random((side, side)) < 0.1
    save_hole(path, hole)
    # Brute force in exact numbers: cut each pixel into `size` x `size` equal parts;
    # `side` x `side` of them make one new pixel.
    parts = hole.repeat(size, axis=0).repeat(size, axis=1)
    expected = parts.reshape(size, side, size, side).any(axis=(1, 3))
    assert np.array_equal(load_known(path, size, size)[0], ~expected)


@pytest.mark.parametrize("place", [200, 233, 511, 799])
def test_strokes_of_one_pixel_survive_a_strong_reduction(place, tmp_path):
    path = tmp_path / "mask.png"
    hole = np.zeros((1000, 1000), dtype=bool)
    hole[place, :] = True
    save_hole(path, hole)
    known, note = load_known(path, 64, 64)
    missing = ~known
    assert np.flatnonzero(missing.all(axis=1)).tolist() == [place * 64 // 1000]
    assert missing.sum() == 64
    assert "reduced from 1000 x 1000 to 64 x 64" in note


@pytest.mark.parametrize(
    ("height", "width"), [(218, 178), (178, 218), (90, 140), (131, 64), (64, 64)]
)
def test_a_mask_painted_on_a_photo_stays_where_the_photo_goes(height, width, tmp_path):
    path = tmp_path / "mask.png"
    hole = np.zeros((height, width), dtype=bool)
    row, column = height // 2 - 20, width // 2 - 9  # Off the middle, inside the crop.
    hole[row : row + 23, column : column + 31] = True
    save_hole(path, hole)
    photo = np.repeat(hole[..., None], 3, axis=-1).astype(np.float32)
    fitted, note_of_photo = fit_image(photo, 64)
    known, note = load_known(path, 64, 64)
    # Any part counts: all that is half white or more in the fitted photo is missing,
    # and nothing is that is more than one new pixel away from it.
    white = fitted[..., 0] > 0.5
    assert not (white & known).any()
    near = np.pad(white, 1)
    near = np.lib.stride_tricks.sliding_window_view(near, (3, 3)).any(axis=(2, 3))
    assert not (~known & ~near).any()
    assert note == (f"{path}: {note_of_photo}" if note_of_photo else None)


def test_a_celeba_mask_is_cropped_to_the_pixel(tmp_path):
    path = tmp_path / "mask.png"
    hole = np.random.default_rng(0).random((218, 178)) < 0.5
    save_hole(path, hole)
    known, note = load_known(path, 108, 108)
    assert np.array_equal(known, ~hole[55:163, 35:143])
    assert note == f"{path}: cropped from 178 x 218 to the centred 108 x 108"


def test_a_hole_lost_or_left_alone_by_fitting_is_reported_as_such(tmp_path):
    path = tmp_path / "mask.png"
    hole = np.zeros((60, 90), dtype=bool)
    hole[:, :15] = True  # All of it beside the centred square.
    save_hole(path, hole)
    with pytest.raises(ValueError, match=r"centred 60 x 60.*: no pixel is missing"):
        load_known(path, 6, 6)
    hole = np.arange(3600).reshape(60, 60) % 7 == 0  # A speck in every block of ten.
    save_hole(path, hole)
    with pytest.raises(ValueError, match="60 to 6 x 6: no pixel is known"):
        load_known(path, 6, 6)
