"""The hole of two rectangles: planted sizes, and where the discriminators look."""

import numpy as np
import pytest

from semantic_inpaint.masks import two_rectangles, validate_known


def test_the_two_holes_are_where_their_boxes_say():
    known = two_rectangles(64, 128)
    expected = np.ones((64, 128), dtype=bool)
    expected[16:36, 8:32] = False
    expected[24:48, 64:104] = False
    assert known.dtype == np.bool_
    assert np.array_equal(known, expected)


@pytest.mark.parametrize("size", [16, 64, 128])
def test_one_hole_lies_in_the_left_third_and_one_in_the_rest(size):
    hole, third = ~two_rectangles(size, size), round(size / 3)
    assert hole[:, :third].any()
    assert hole[:, third:].any()
    # Neither is cut by the border between the parts.
    assert not hole[:, third - 1 : third + 1].any()
    assert hole.mean() == pytest.approx(45 / 256)


@pytest.mark.parametrize(("height", "width"), [(2, 2), (3, 2), (7, 31), (65, 64)])
def test_small_and_oblong_images_have_a_hole_as_well(height, width):
    known = two_rectangles(height, width)
    assert known.shape == (height, width)
    validate_known(known)


def test_boxes_are_moved_by_their_options_alone():
    known = two_rectangles(10, 10, first=(0, 0, 0.2, 0.2), second=(0.9, 0.9, 1, 1))
    assert (~known).sum() == 5
    assert not known[:2, :2].any()
    assert not known[9, 9]


@pytest.mark.parametrize(
    "box", [(0.5, 0.1, 0.5, 0.9), (0.1, 0.9, 0.5, 0.2), (-0.1, 0, 1, 1), (0, 0, 1)]
)
def test_a_box_that_is_no_rectangle_in_the_image_is_refused(box):
    with pytest.raises(ValueError, match=r"`second` must be \(top, left"):
        two_rectangles(8, 8, second=box)


def test_a_hole_of_everything_and_a_tiny_image_are_refused():
    with pytest.raises(ValueError, match="no pixel is known"):
        two_rectangles(8, 8, first=(0, 0, 1, 1))
    with pytest.raises(ValueError, match="at least 2; got 1 x 8"):
        two_rectangles(1, 8)
