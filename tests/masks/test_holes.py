import numpy as np
import pytest

from semantic_inpaint.masks import (
    center_hole,
    left_half,
    random_pixels,
    random_square,
    stripes,
)

SIZES = [(64, 64), (63, 63), (17, 40), (33, 8), (5, 3), (2, 2)]


def is_rectangle(hole):
    rows, columns = np.flatnonzero(hole.any(1)), np.flatnonzero(hole.any(0))
    box = hole[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1]
    return bool(box.all()) and box.sum() == hole.sum()


@pytest.mark.parametrize(
    ("hole_fraction", "side"),
    [(0.25, 32), (0.5, 45)],  # 64 * sqrt(0.5) = 45.25
)
def test_random_square_leaves_out_one_square_of_the_stated_side(hole_fraction, side):
    for seed in range(20):
        rng = np.random.default_rng(seed)
        hole = ~random_square(64, 64, rng, hole_fraction=hole_fraction)
        assert is_rectangle(hole)
        assert hole.any(1).sum() == hole.any(0).sum() == side


def test_random_square_reaches_every_place_inside_the_image_and_no_other():
    rng = np.random.default_rng(0)
    corners = set()
    for _ in range(400):
        hole = ~random_square(6, 6, rng)  # a side of 3: 4 x 4 places
        corners.add(tuple(np.argwhere(hole)[0].tolist()))
    assert corners == {(row, column) for row in range(4) for column in range(4)}


def test_random_square_has_the_proportions_of_a_wide_image():
    hole = ~random_square(20, 80, np.random.default_rng(0))
    assert is_rectangle(hole)
    assert (hole.any(1).sum(), hole.any(0).sum()) == (10, 40)


def test_stripes_of_16_pixels_cross_in_the_middle_of_64():
    known = stripes(64, 64)
    expected = np.ones((64, 64), dtype=bool)
    expected[24:40, :] = False
    expected[:, 24:40] = False
    assert np.array_equal(known, expected)
    assert 1 - known.mean() == 0.4375


def test_stripes_follow_their_centre_and_stay_inside():
    hole = ~stripes(10, 20, stripe_fraction=0.2, center=(0.0, 1.0))
    expected = np.zeros((10, 20), dtype=bool)
    expected[:2, :] = True
    expected[:, 16:] = True
    assert np.array_equal(hole, expected)


@pytest.mark.parametrize(("width", "columns"), [(64, 32), (2, 1), (7, 4), (101, 50)])
def test_left_half_leaves_out_whole_columns_from_the_left_border(width, columns):
    known = left_half(9, width)  # half columns round to the even number
    assert not known[:, :columns].any()
    assert known[:, columns:].all()


def test_center_hole_of_64_is_exactly_a_quarter_in_the_middle():
    expected = np.ones((64, 64), dtype=bool)
    expected[16:48, 16:48] = False
    assert np.array_equal(center_hole(64, 64), expected)


@pytest.mark.parametrize(("height", "width"), SIZES)
@pytest.mark.parametrize("hole_fraction", [0.1, 0.25, 0.5])
def test_center_hole_has_the_nearest_area_and_equal_margins(
    height, width, hole_fraction
):
    hole = ~center_hole(height, width, hole_fraction=hole_fraction)
    assert is_rectangle(hole)
    rows, columns = np.flatnonzero(hole.any(1)), np.flatnonzero(hole.any(0))
    # Half a column of the hole; a hole of a single pixel cannot get any smaller.
    slack = max(len(rows) / 2, 1 - hole_fraction * height * width)
    assert abs(hole.sum() - hole_fraction * height * width) <= slack
    assert abs(rows[0] - (height - 1 - rows[-1])) <= 1
    assert abs(columns[0] - (width - 1 - columns[-1])) <= 1


@pytest.mark.parametrize(("height", "width"), SIZES)
@pytest.mark.parametrize("hole_fraction", [0.3, 0.7])
def test_random_pixels_leaves_out_exactly_the_rounded_number(
    height, width, hole_fraction
):
    rng = np.random.default_rng(3)
    known = random_pixels(height, width, rng, hole_fraction=hole_fraction)
    assert (~known).sum() == round(hole_fraction * height * width)


def test_random_pixels_are_equally_likely():
    rng = np.random.default_rng(0)
    count = 2000
    share = np.mean([~random_pixels(8, 8, rng) for _ in range(count)], axis=0)
    expected = 45 / 64  # round(0.7 * 64) of 64
    # Five standard deviations of a binomial share, for 64 pixels at once.
    sigma = (expected * (1 - expected) / count) ** 0.5
    np.testing.assert_allclose(share, expected, atol=5 * sigma)


def test_random_holes_depend_on_the_generator_alone():
    for make in (random_square, random_pixels):
        first = make(20, 20, np.random.default_rng(5))
        np.random.default_rng(6).random(100)
        again = make(20, 20, np.random.default_rng(5))
        other = make(20, 20, np.random.default_rng(6))
        assert np.array_equal(first, again)
        assert not np.array_equal(first, other)


@pytest.mark.parametrize("hole_fraction", [0.0, 1.0, 25.0, -0.1, float("nan")])
def test_a_share_out_of_range_is_refused(hole_fraction):
    rng = np.random.default_rng(0)
    for call in (
        lambda: random_square(8, 8, rng, hole_fraction=hole_fraction),
        lambda: random_pixels(8, 8, rng, hole_fraction=hole_fraction),
        lambda: left_half(8, 8, hole_fraction=hole_fraction),
        lambda: center_hole(8, 8, hole_fraction=hole_fraction),
        lambda: stripes(8, 8, stripe_fraction=hole_fraction),
    ):
        with pytest.raises(ValueError, match=r"must be in \(0, 1\); got"):
            call()


def test_an_image_too_small_for_a_hole_is_refused():
    with pytest.raises(ValueError, match="at least 2; got 1 x 64"):
        center_hole(1, 64)


def test_a_hole_that_rounding_lets_fill_the_image_is_refused():
    with pytest.raises(ValueError, match="no pixel is known"):
        random_square(4, 4, np.random.default_rng(0), hole_fraction=0.99)


def test_stripes_centred_outside_the_image_are_refused():
    with pytest.raises(ValueError, match=r"shares in \[0, 1\]; got \(0.5, 32\)"):
        stripes(64, 64, center=(0.5, 32))
