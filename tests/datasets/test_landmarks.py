"""Landmarks: read for the square that is packed, and mirrored with the faces."""

import numpy as np
import pytest

from semantic_inpaint.datasets import folder_source
from semantic_inpaint.datasets.landmarks import (
    Landmarks,
    NumberedLandmarks,
    load_landmarks,
    mirror_landmarks,
)

HEADER = "lefteye_x lefteye_y righteye_x righteye_y nose_x nose_y leftmouth_x \
leftmouth_y rightmouth_x rightmouth_y"
ROWS = """000001.jpg  69 109 106 113  77 142  73 152 108 154
000002.jpg  35  55 143 163  89 109   0   0 178 218"""


@pytest.fixture
def celeba_list(tmp_path):
    path = tmp_path / "list_landmarks_align_celeba.txt"
    path.write_text(f"2\n{HEADER}\n{ROWS}\n")
    return path


def test_celeba_s_points_lie_in_the_centred_square(celeba_list):
    found = load_landmarks(celeba_list, ["000002.jpg", "000001.jpg"]).points
    assert found.dtype == np.float32
    # The square is 108 wide and begins 35 from the left and 55 from the top; what lies
    # outside is moved to its border.
    corners = [0, 0, 1, 1, 0.5, 0.5, 0, 0, 1, 1]
    np.testing.assert_allclose(found[0], corners)
    np.testing.assert_allclose(found[1][:2], [(69 - 35) / 108, (109 - 55) / 108])


def test_an_array_is_taken_as_it_is(tmp_path):
    points = np.random.default_rng(0).random((3, 14)).astype(np.float32)
    np.save(tmp_path / "points.npy", points)
    loaded = load_landmarks(tmp_path / "points.npy", ["a", "b", "c"])
    np.testing.assert_array_equal(loaded.points, points)
    assert loaded.sha256 == Landmarks.of(points).sha256
    assert loaded.sha256 != Landmarks.of(points[:2]).sha256


@pytest.mark.parametrize("shape", [(12, 14), (12, 7, 2)])
def test_files_called_by_numbers_have_their_rows_in_numerical_order(
    tmp_path, write_folder, shape
):
    # Each number's points say which it is; the set has 0, 1, 10, 11, 2 and so on.
    source = folder_source(
        write_folder(tmp_path / "128", [f"{number}.png" for number in range(12)])
    )
    points = np.repeat(np.arange(12.0) / 16, 14).reshape(shape)
    np.save(tmp_path / "landmarks.npy", points)
    found = load_landmarks(tmp_path / "landmarks.npy", source.ids).points
    assert source.ids[:4] == ("128/0.png", "128/1.png", "128/10.png", "128/11.png")
    numbers = [0, 1, 10, 11, *range(2, 10)]
    np.testing.assert_array_equal(found, np.repeat(numbers, 14).reshape(12, 14) / 16)


@pytest.mark.parametrize(
    ("ids", "rows"),
    [
        # Each folder in itself, in the order of the set.
        (["b/10.png", "b/9.png", "a/10.png", "a/2.png"], [1, 0, 3, 2]),
        # CelebA's, of two zips; a word among the numbers; digits that are no number.
        (["000007.jpg", "000001.jpg"], [0, 1]),
        (["s/10.png", "s/2.png", "s/mean.png"], [0, 1, 2]),
        (["s/10.png", "s/\u00b2.png"], [0, 1]),
    ],
)
def test_rows_are_sorted_folder_by_folder_and_by_plain_numbers_alone(
    tmp_path, ids, rows
):
    np.save(
        tmp_path / "points.npy", np.repeat(np.arange(len(ids)) / 4, 10).reshape(-1, 10)
    )
    found = load_landmarks(tmp_path / "points.npy", ids).points
    assert (found[:, 0] * 4).tolist() == rows


def test_numbered_landmarks_are_found_by_number_in_any_order():
    points = np.random.default_rng(2).random((3, 4)).astype(np.float32)
    found = NumberedLandmarks(points, [70, 5, 2**32 - 1])
    assert found.count == 2
    rows = found.of(np.array([5, 70, 5, 2**32 - 1]))
    np.testing.assert_array_equal(rows, points[[1, 0, 1, 2]])
    assert found.sha256 == Landmarks.of(points).sha256
    assert NumberedLandmarks(points, [1, 2, 3], "of the whole").sha256 == "of the whole"
    for missing in (4, 71, 2**32):
        with pytest.raises(ValueError, match=f"image of number {missing}"):
            found.of(np.array([5, missing]))
    for numbers in ([1, 2], [1, 2, 1]):
        with pytest.raises(ValueError, match="each once; got 2 different"):
            NumberedLandmarks(points, numbers)


def test_mirrored_twice_they_are_as_before_and_left_is_right_between():
    eyes_and_mouth = np.array([[0.3, 0.4, 0.7, 0.4, 0.5, 0.6, 0.35, 0.8, 0.65, 0.8]])
    # A face that is its own mirror image.
    np.testing.assert_allclose(mirror_landmarks(eyes_and_mouth), eyes_and_mouth)
    for count in (5, 7):
        points = np.random.default_rng(1).random((4, 2 * count))
        turned = mirror_landmarks(points)
        np.testing.assert_allclose(mirror_landmarks(turned), points)
        assert not np.allclose(turned, points)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("000001.jpg 1 2 3", "line 1: expected a file name and 10 numbers"),
        ("000001.jpg" + " x" * 10, "line 1: expected"),
        (ROWS.splitlines()[1], "no landmarks of 1 images"),
    ],
)
def test_a_list_that_is_not_understood_is_refused(tmp_path, text, message):
    path = tmp_path / "list.txt"
    path.write_text(text)
    with pytest.raises(ValueError, match=message):
        load_landmarks(path, ["000001.jpg"])


def test_arrays_and_files_that_do_not_fit_are_refused(tmp_path):
    with pytest.raises(ValueError, match="no file"):
        load_landmarks(tmp_path / "none.txt", [])
    np.save(tmp_path / "points.npy", np.zeros((2, 10)))
    with pytest.raises(ValueError, match="2 images, the packed set 3"):
        load_landmarks(tmp_path / "points.npy", ["a", "b", "c"])
    (tmp_path / "broken.npy").write_bytes(b"nothing")
    with pytest.raises(ValueError, match="cannot be read"):
        load_landmarks(tmp_path / "broken.npy", ["a"])
    for wrong in (np.zeros((2, 3)), np.full((2, 10), 1.5), np.zeros(10)):
        with pytest.raises(ValueError, match=r"float \[N, 2 L\] in \[0, 1\]"):
            Landmarks.of(wrong)
    with pytest.raises(ValueError, match="which of 3 landmarks are left and right"):
        mirror_landmarks(np.zeros((1, 6)))
