import dataclasses

import numpy as np
import pytest

from semantic_inpaint.masks import (
    PATTERNS,
    consensus_weight_for,
    get_pattern,
    make_known,
    validate_known,
)

NAMES = ["random-square", "big-random-square", "stripes", "left", "center", "random"]
RANDOM_NAMES = ["random-square", "big-random-square", "random"]


def test_the_six_patterns_stand_in_the_order_of_the_paper_with_its_weights():
    assert list(PATTERNS) == NAMES
    assert [pattern.name for pattern in PATTERNS.values()] == NAMES
    assert [pattern.number for pattern in PATTERNS.values()] == [1, 2, 3, 4, 5, 6]
    assert [pattern.consensus_weight for pattern in PATTERNS.values()] == [
        0.66,
        0.33,
        0.2,
        0.33,
        0.66,
        0.2,
    ]


def test_patterns_cannot_be_changed():
    with pytest.raises(TypeError):
        PATTERNS["center"] = PATTERNS["left"]
    with pytest.raises(dataclasses.FrozenInstanceError):
        PATTERNS["center"].number = 7


@pytest.mark.parametrize(
    ("name", "missing"),
    [
        ("random-square", 32 * 32),
        ("big-random-square", 45 * 45),
        ("stripes", 64 * 64 - 48 * 48),
        ("left", 32 * 64),
        ("center", 32 * 32),
        ("random", 2867),
    ],
)
def test_every_hole_at_64_has_the_published_area(name, missing):
    known = make_known(name, 5, 64, 64)
    assert known.shape == (5, 64, 64)
    assert known.dtype == np.bool_
    assert ((~known).sum(axis=(1, 2)) == missing).all()


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize(("height", "width"), [(2, 2), (3, 2), (7, 31), (65, 64)])
def test_every_pattern_serves_odd_and_oblong_sizes(name, height, width):
    known = make_known(name, 3, height, width, seed=1)
    assert known.shape == (3, height, width)
    validate_known(known)


@pytest.mark.parametrize("name", NAMES)
def test_the_hole_of_an_image_does_not_depend_on_the_count(name):
    many = make_known(name, 9, 24, 20, seed=4)
    assert np.array_equal(make_known(name, 4, 24, 20, seed=4), many[:4])


@pytest.mark.parametrize("name", RANDOM_NAMES)
def test_random_holes_differ_between_images_and_seeds(name):
    known = make_known(name, 8, 64, 64, seed=0)
    assert len(np.unique(known.reshape(8, -1), axis=0)) > 1
    assert not np.array_equal(known, make_known(name, 8, 64, 64, seed=1))


def test_the_two_random_squares_do_not_share_their_places():
    # Relative places would agree throughout if both drew from the same stream.
    small = make_known("random-square", 20, 64, 64)
    big = make_known("big-random-square", 20, 64, 64)
    tops_small = (~small).any(2).argmax(1) / 32
    tops_big = (~big).any(2).argmax(1) / 19
    assert np.abs(tops_small - tops_big).max() > 0.2


@pytest.mark.parametrize("name", ["stripes", "left", "center"])
def test_fixed_patterns_ignore_the_seed(name):
    known = make_known(name, 3, 16, 16, seed=0)
    assert np.array_equal(known, make_known(name, 3, 16, 16, seed=99))
    assert (known == known[0]).all()


def test_an_unknown_pattern_is_answered_with_the_nearest_and_all_names():
    with pytest.raises(ValueError, match="Did you mean 'center'") as caught:
        get_pattern("centre")
    assert all(name in str(caught.value) for name in NAMES)
    with pytest.raises(ValueError, match=r"unknown mask pattern 'zzz'. The patterns"):
        make_known("zzz", 1, 8, 8)


def test_numbers_out_of_range_are_refused():
    with pytest.raises(ValueError, match="`count` must be at least 1; got 0"):
        make_known("center", 0, 8, 8)
    with pytest.raises(ValueError, match="`seed` must be 0 or more; got -1"):
        make_known("center", 1, 8, 8, seed=-1)


def test_consensus_weight_falls_with_the_share_of_the_hole():
    known = np.ones((6, 10, 10), dtype=bool)
    for image, missing in zip(known, (1, 35, 36, 60, 61, 99), strict=True):
        image.flat[:missing] = False
    expected = [0.66, 0.66, 0.33, 0.33, 0.2, 0.2]
    assert consensus_weight_for(known).tolist() == expected


@pytest.mark.parametrize("name", [name for name in NAMES if name != "stripes"])
def test_consensus_weight_by_share_agrees_with_the_paper_on_its_patterns(name):
    weights = consensus_weight_for(make_known(name, 2, 64, 64))
    assert weights.tolist() == [PATTERNS[name].consensus_weight] * 2


def test_consensus_weight_wants_a_batch():
    with pytest.raises(ValueError, match=r"\[B, H, W\]; got \(4, 4\)"):
        consensus_weight_for(np.eye(4, dtype=bool))


def test_validate_known_names_the_images_without_known_or_missing_pixels():
    known = np.zeros((3, 4, 4), dtype=bool)
    known[:, :2] = True
    validate_known(known)
    validate_known(known[0])
    known[1] = False
    with pytest.raises(ValueError, match=r"no pixel is known in image\(s\) \[1\]"):
        validate_known(known)
    known[1] = True
    with pytest.raises(ValueError, match=r"no pixel is missing in image\(s\) \[1\]"):
        validate_known(known)


def test_validate_known_refuses_other_types_and_shapes():
    with pytest.raises(TypeError, match=r"boolean array.*got uint8"):
        validate_known(np.ones((4, 4), dtype=np.uint8))
    with pytest.raises(TypeError, match=r"boolean array.*got list"):
        validate_known([[True, False]])
    with pytest.raises(ValueError, match=r"got \(1, 4, 4, 1\)"):
        validate_known(np.ones((1, 4, 4, 1), dtype=bool))
    with pytest.raises(ValueError, match=r"got \(0, 4, 4\)"):
        validate_known(np.ones((0, 4, 4), dtype=bool))


def test_a_hole_belongs_to_the_number_of_its_image():
    some = make_known("random-square", 2, 16, 16, seed=3, indices=[7, 2])
    all_of_them = make_known("random-square", 8, 16, 16, seed=3)
    np.testing.assert_array_equal(some, all_of_them[[7, 2]])
    with pytest.raises(ValueError, match="`indices` must be 2 numbers"):
        make_known("center", 2, 16, 16, indices=[1])
