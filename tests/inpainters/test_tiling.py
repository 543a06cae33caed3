"""Tiles: they cover, they overlap, and they join without a trace."""

import numpy as np
import pytest

from semantic_inpaint.inpainters.tiling import (
    fill_in_tiles,
    pad_as_hole,
    round_up,
    tile_starts,
    tile_window,
)


def test_round_up_against_counting():
    for length in range(1, 40):
        for multiple in (1, 3, 8):
            first = next(n for n in range(length, 100) if n % multiple == 0)
            assert round_up(length, multiple) == first


def test_tiles_cover_the_axis_with_their_overlap_and_no_tile_too_many():
    for side, overlap in ((4, 0), (8, 2), (16, 5), (5, 4)):
        for length in range(side, 60):
            starts = tile_starts(length, side, overlap)
            assert starts[0] == 0
            assert starts[-1] == length - side
            steps = np.diff(starts)
            assert np.all((steps > 0) & (steps <= side - overlap))
            # One tile fewer could not reach the end.
            assert side + (len(starts) - 2) * (side - overlap) < length


def test_a_window_is_positive_symmetric_and_flat_inside():
    window = tile_window(8, 12, 3)
    assert window.min() > 0
    np.testing.assert_array_equal(window, window[::-1, ::-1])
    np.testing.assert_array_equal(window[3:5, 3:9], 1.0)
    np.testing.assert_allclose(window[4, :4], [0.25, 0.5, 0.75, 1.0])
    np.testing.assert_array_equal(tile_window(4, 4, 0), np.ones((4, 4)))


def test_what_pads_is_missing():
    images, known = np.ones((1, 2, 3, 3), np.float32), np.ones((1, 2, 3), bool)
    images, known = pad_as_hole(images, known, 4, 5)
    assert images.shape == (1, 4, 5, 3)
    assert known.sum() == 6
    assert known[0, :2, :3].all()


def scene(height, width, count=2):
    rng = np.random.default_rng(3)
    images = rng.random((count, height, width, 3), dtype=np.float32)
    known = np.ones((count, height, width), bool)
    known[0, 3:9, 4:7] = False
    known[-1, -2:, -5:] = False
    return images, known


@pytest.mark.parametrize("size", [(37, 23), (8, 8), (5, 30), (16, 16)])
@pytest.mark.parametrize("overlap", [0, 3])
def test_a_fill_that_sees_one_pixel_at_a_time_gives_the_picture_whole(size, overlap):
    images, known = scene(*size)
    filled = fill_in_tiles(
        lambda tiles, _, rows: tiles * 0.5 + rows[:, None, None, None],
        images,
        known,
        tile=(8, 8),
        overlap=overlap,
        batch_size=3,
    )
    expected = images * 0.5 + np.arange(2)[:, None, None, None]
    hole = ~known
    np.testing.assert_allclose(filled[hole], expected[hole], rtol=1e-5)
    # Each known pixel lies in a tile with a hole, or was left as it is.
    left = filled == images
    near = np.isclose(filled, expected, rtol=1e-5)
    assert np.all(left | near)


def test_tiles_are_weighed_where_they_overlap():
    images, known = np.zeros((1, 4, 6, 3), np.float32), np.zeros((1, 4, 6), bool)
    numbers = iter([0.0, 1.0])

    def fill(tiles, known, rows):
        return np.stack([np.full_like(tile, next(numbers)) for tile in tiles])

    filled = fill_in_tiles(fill, images, known, tile=(4, 4), overlap=2, batch_size=8)
    # The two columns in common: weights 2 and 1 of the left tile, 1 and 2 of the right.
    np.testing.assert_allclose(filled[0, 1, :, 0], [0, 0, 1 / 3, 2 / 3, 1, 1])


def test_only_tiles_with_a_hole_are_filled_in_batches_no_larger_than_asked():
    images, known = np.zeros((3, 64, 64, 3), np.float32), np.ones((3, 64, 64), bool)
    known[:, 1, 1] = False
    known[1, 60, 60] = False
    sizes = []

    def fill(tiles, tile_known, rows):
        sizes.append(len(tiles))
        assert not tile_known.all(axis=(1, 2)).any()
        return tiles

    fill_in_tiles(fill, images, known, tile=(8, 8), overlap=2, batch_size=3)
    assert sizes == [3, 1]


def test_a_tile_that_overflowed_leaves_no_number_in_its_image_alone():
    images, known = scene(16, 16)

    def fill(tiles, _, rows):
        return np.where(rows[:, None, None, None] == 0, np.float32(np.nan), tiles)

    filled = fill_in_tiles(fill, images, known, tile=(8, 8), overlap=2, batch_size=9)
    assert np.isnan(filled[0]).any()
    assert np.isfinite(filled[1]).all()
