"""The sample faces: those that ship, and what a sheet and its card must be."""

import hashlib
import json

import numpy as np
import pytest
from PIL import Image

from semantic_inpaint.datasets.samples import (
    SAMPLES,
    sample_card,
    sample_faces,
    sample_names,
)
from semantic_inpaint.images import fit_image, load_image

ASSETS = SAMPLES.parent


@pytest.fixture
def planted(tmp_path):
    """Five noise images of 8x8 in a sheet of three columns; gives folder and tiles."""
    tiles = np.random.default_rng(3).integers(0, 256, (5, 8, 8, 3), dtype=np.uint8)
    sheet = np.zeros((16, 24, 3), np.uint8)
    for number, tile in enumerate(tiles):
        row, column = divmod(number, 3)
        sheet[8 * row : 8 * row + 8, 8 * column : 8 * column + 8] = tile
    Image.fromarray(sheet).save(tmp_path / "faces.png")
    digest = hashlib.sha256((tmp_path / "faces.png").read_bytes()).hexdigest()
    card = {"format": 1, "count": 5, "image_size": 8, "sheet": {"sha256": digest}}
    (tmp_path / "card.json").write_text(json.dumps(card))
    return tmp_path, tiles


def test_a_sheet_gives_its_images_row_by_row_and_no_empty_place(planted):
    folder, tiles = planted
    faces = sample_faces(size=8, folder=folder)
    assert faces.dtype == np.float32
    np.testing.assert_array_equal(np.rint(faces * 255), tiles)
    np.testing.assert_array_equal(sample_faces(2, size=8, folder=folder), faces[:2])
    assert sample_faces(0, size=8, folder=folder).shape == (0, 8, 8, 3)


def test_another_size_is_that_of_each_image_alone(planted):
    folder, tiles = planted
    found = sample_faces(4, size=6, folder=folder)
    for face, tile in zip(found, tiles[:4], strict=True):
        expected, _ = fit_image(tile.astype(np.float32) / 255, 6)
        np.testing.assert_array_equal(face, expected)


@pytest.mark.parametrize("count", [-1, 6])
def test_more_faces_than_there_are_are_refused(planted, count):
    with pytest.raises(ValueError, match="`count` must be 0 to 5; got"):
        sample_faces(count, size=8, folder=planted[0])


def test_a_sheet_that_is_not_its_card_s_is_refused(planted):
    folder, _ = planted
    sheet = folder / "faces.png"
    Image.fromarray(np.zeros((16, 24, 3), np.uint8)).save(sheet)
    with pytest.raises(ValueError, match=r"faces\.png is not the sheet of its card"):
        sample_faces(folder=folder)
    sheet.unlink()
    with pytest.raises(ValueError, match=r"faces\.png cannot be read"):
        sample_faces(folder=folder)


@pytest.mark.parametrize("text", ["{", "[]", "{}", '{"format": 1, "count": 5}'])
def test_a_damaged_card_is_refused(planted, text):
    folder, _ = planted
    (folder / "card.json").write_text(text)
    with pytest.raises(ValueError, match="is no card of sample faces"):
        sample_names(folder=folder)


def test_a_card_of_another_format_and_a_missing_one_are_refused(planted):
    folder, _ = planted
    card = json.loads((folder / "card.json").read_text())
    (folder / "card.json").write_text(json.dumps(card | {"format": 2}))
    with pytest.raises(ValueError, match="format 2, not 1"):
        sample_card(folder)
    (folder / "card.json").unlink()
    with pytest.raises(ValueError, match="is no card of sample faces"):
        sample_card(folder)


def test_256_faces_ship_at_64_pixels_each_with_a_name_of_its_own():
    faces, names = sample_faces(), sample_names()
    assert faces.shape == (256, 64, 64, 3)
    assert faces.min() >= 0
    assert faces.max() <= 1
    assert (names[0], names[-1], len(set(names))) == ("sample-000", "sample-255", 256)
    sheet = load_image(SAMPLES / "faces.png")
    assert sheet.shape == (1024, 1024, 3)
    # The eighteenth stands second in the second row.
    np.testing.assert_array_equal(faces[17], sheet[64:128, 64:128])
    # No two are alike, as they would be after a collapse: one level is 1 / 255.
    flat = faces.reshape(256, -1)
    squares = (flat**2).sum(axis=1)
    distances = squares[:, None] + squares - 2 * flat @ flat.T
    np.fill_diagonal(distances, np.inf)
    assert distances.min() / flat.shape[1] > (4 / 255) ** 2


def test_what_ships_is_small_and_its_card_tells_all():
    files = {path.name: path.stat().st_size for path in SAMPLES.iterdir()}
    assert files.keys() == {"faces.png", "card.json"}
    assert sum(files.values()) < 3_000_000
    card = sample_card()
    assert "does not exist" in card["statement"]
    assert "non-commercial" in card["licence"]
    assert card["data"]["note"]
    assert card["rule"]["lowest_kept"] >= card["rule"]["highest_left_out"]
    assert card["rule"]["candidates"] >= 4096
    assert card["generator"]["images_seen"] > 0


def test_the_generator_is_none_of_the_priors_that_ship():
    cards = [path.parent / "card.json" for path in ASSETS.glob("*/weights.safetensors")]
    shipped = {json.loads(card.read_text())["weights"]["sha256"] for card in cards}
    assert shipped
    assert sample_card()["generator"]["weights_sha256"] not in shipped
