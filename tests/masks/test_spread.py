"""The hole of super-resolution: where the pixels of a smaller image come to lie."""

import numpy as np
import pytest

from semantic_inpaint.masks import spread_pixels


def test_pixels_lie_where_the_paper_puts_them():
    known = spread_pixels(8, 12, 4)
    expected = np.zeros((8, 12), bool)
    for x in range(3):
        for y in range(2):
            expected[4 * y + 2, 4 * x + 2] = True
    assert known.dtype == bool
    np.testing.assert_array_equal(known, expected)


@pytest.mark.parametrize(("factor", "share"), [(2, 1 / 4), (3, 1 / 9), (5, 1 / 25)])
def test_one_pixel_of_each_square_is_known(factor, share):
    side = 3 * factor
    assert spread_pixels(side, side, factor).mean() == pytest.approx(share)


@pytest.mark.parametrize("factor", [1, 0, -2, 9])
def test_a_factor_that_leaves_out_nothing_or_all_is_refused(factor):
    with pytest.raises(ValueError, match="`factor` must be at least 2 and at most"):
        spread_pixels(8, 16, factor)
