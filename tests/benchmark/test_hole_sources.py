"""Which hole an image gets: a function of the seed and its number alone."""

import dataclasses
import zipfile

import numpy as np
import pytest
from PIL import Image

from semantic_inpaint.benchmark.hole_sources import (
    FileHoles,
    PackHoles,
    PatternHoles,
    choose,
)
from semantic_inpaint.masks import PATTERNS, make_known, save_known
from tests.benchmark.suites import noise_images


@pytest.fixture
def squares():
    """bool `[6, 16, 16]`, each with a hole of its own."""
    known = np.ones((6, 16, 16), bool)
    for i, one in enumerate(known):
        one[2 * i : 2 * i + 3, 4:9] = False
    return known


@pytest.fixture
def mask_folder(tmp_path, squares):
    folder = tmp_path / "squares"
    folder.mkdir()
    for i, known in enumerate(squares):
        save_known(folder / f"{i}.png", known)
    return folder


def test_patterns_are_those_that_the_command_run_draws():
    images = noise_images()
    for name, pattern in PATTERNS.items():
        holes = PatternHoles(name).holes(images, seed=4)
        expected = make_known(name, 5, 16, 16, seed=4, indices=images.numbers)
        np.testing.assert_array_equal(holes.known, expected)
        assert holes.consensus_weight == pattern.consensus_weight
        assert set(holes.ids) == {name}


def test_an_unknown_pattern_is_answered_with_the_nearest():
    with pytest.raises(ValueError, match="'center'"):
        PatternHoles("centre")


def test_files_are_white_in_the_hole_and_named_in_the_answer(mask_folder, squares):
    holes = FileHoles(mask_folder).holes(noise_images(), seed=0)
    for known, name in zip(holes.known, holes.ids, strict=True):
        np.testing.assert_array_equal(known, squares[int(name[0])])
    assert holes.consensus_weight is None
    assert FileHoles(mask_folder).name == "squares"


def test_a_zip_gives_what_its_folder_gives(mask_folder, tmp_path):
    path = tmp_path / "zipped" / "squares.zip"
    path.parent.mkdir()
    with zipfile.ZipFile(path, "w") as archive:
        for file in sorted(mask_folder.iterdir()):
            archive.write(file, file.name)
    folder, zipped = FileHoles(mask_folder), FileHoles(path)
    images = noise_images()
    np.testing.assert_array_equal(
        zipped.holes(images, seed=1).known, folder.holes(images, seed=1).known
    )
    assert (zipped.name, zipped.identity) == (folder.name, folder.identity)


def test_masks_of_another_size_are_fitted(tmp_path):
    folder = tmp_path / "large"
    folder.mkdir()
    known = np.ones((64, 64), bool)
    known[16:48, 16:48] = False
    save_known(folder / "one.png", known)
    holes = FileHoles(folder).holes(noise_images(1), seed=0)
    np.testing.assert_array_equal(holes.known[0], known[::4, ::4])


def test_a_file_that_is_no_mask_and_an_empty_folder_are_named(tmp_path):
    bad, empty = tmp_path / "bad", tmp_path / "empty"
    bad.mkdir()
    empty.mkdir()
    Image.new("L", (16, 16), 0).save(bad / "black.png")
    with pytest.raises(ValueError, match=r"bad/black\.png"):
        FileHoles(bad).holes(noise_images(), seed=0)
    with pytest.raises(ValueError, match="empty holds no images"):
        FileHoles(empty)


def test_another_file_in_the_folder_is_another_source(mask_folder, squares):
    before = FileHoles(mask_folder).identity
    save_known(mask_folder / "0.png", squares[1])
    assert FileHoles(mask_folder).identity != before


def test_a_group_of_a_pack_gives_its_own_holes(squares):
    ids = tuple(f"{i}.png" for i in range(6))
    holes = PackHoles("brush", ids, squares).holes(noise_images(), seed=0)
    for known, name in zip(holes.known, holes.ids, strict=True):
        np.testing.assert_array_equal(known, squares[int(name[0])])
    assert holes.consensus_weight is None
    weight = PackHoles("center", ids, squares).holes(noise_images(), seed=0)
    assert weight.consensus_weight == PATTERNS["center"].consensus_weight
    with pytest.raises(ValueError, match="16x16, the images 24x24"):
        PackHoles("brush", ids, squares).holes(noise_images(size=24), seed=0)


def test_the_choice_depends_on_seed_name_and_number_and_spreads_evenly():
    numbers = np.arange(6000)
    first = choose("brush", 6, numbers, seed=0)
    counts = np.bincount(first, minlength=6)
    # Six standard deviations of a binomial count round 1000.
    assert np.all(np.abs(counts - 1000) < 6 * (6000 * 5 / 36) ** 0.5)
    # A longer list, or another order, changes nobody's hole.
    assert choose("brush", 6, numbers[::-1], seed=0) == first[::-1]
    assert choose("brush", 6, numbers, seed=1) != first
    assert choose("strokes", 6, numbers, seed=0) != first


def test_an_image_keeps_its_hole_whatever_stands_beside_it(mask_folder):
    images = noise_images(5)
    some = dataclasses.replace(
        images,
        pixels=images.pixels[3:],
        names=images.names[3:],
        numbers=images.numbers[3:],
    )
    for source in (FileHoles(mask_folder), PatternHoles("random")):
        whole, part = (source.holes(given, seed=2) for given in (images, some))
        np.testing.assert_array_equal(whole.known[3:], part.known)
        assert whole.ids[3:] == part.ids
