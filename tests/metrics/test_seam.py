import numpy as np
import pytest

from semantic_inpaint.masks import PATTERNS, make_known
from semantic_inpaint.metrics import relative_seam_energy, seam_energy


def filled(known, *, inside, outside=0.2):
    """Paint the hole and the rest in one value each."""
    values = np.where(known, np.float32(outside), np.float32(inside))
    return np.repeat(values[..., None], 3, axis=-1)


def slope(height, width, *, step):
    """Rise by `step` from column to column."""
    row = np.arange(width, dtype=np.float32) * np.float32(step)
    return np.broadcast_to(row[None, None, :, None], (1, height, width, 3)).copy()


def by_hand(image, known):
    """Both energies of one image, pair by pair."""
    height, width, _ = image.shape
    neighbours = {
        (i, j): [
            (i + di, j + dj)
            for di, dj in ((0, 1), (1, 0), (0, -1), (-1, 0))
            if 0 <= i + di < height and 0 <= j + dj < width
        ]
        for i in range(height)
        for j in range(width)
    }
    at_seam = {
        p for p in neighbours if known[p] and any(not known[q] for q in neighbours[p])
    }
    across = [
        np.abs(image[p] - image[q]).mean()
        for p in at_seam
        for q in neighbours[p]
        if not known[q]
    ]
    beside = [
        np.abs(image[p] - image[q]).mean()
        for p in neighbours
        for q in neighbours[p]
        if p < q and known[p] and known[q] and (p in at_seam or q in at_seam)
    ]
    return np.mean(across), np.mean(across) / np.mean(beside)


@pytest.mark.parametrize("pattern", PATTERNS)
def test_a_fill_of_one_value_differs_by_the_offset_all_along_the_seam(pattern):
    known = make_known(pattern, 2, 16, 16)
    energy = seam_energy(filled(known, inside=0.5), known)
    # float32 pictures.
    np.testing.assert_allclose(energy, 0.3, rtol=1e-6)


def test_an_even_slope_is_as_smooth_at_the_seam_as_beside_it():
    known = np.ones((1, 1, 8), bool)
    known[..., 5:] = False
    image = slope(1, 8, step=0.1)
    np.testing.assert_allclose(seam_energy(image, known), 0.1, rtol=1e-6)
    np.testing.assert_allclose(relative_seam_energy(image, known), 1.0, rtol=1e-6)


def test_a_jump_at_the_seam_counts_in_steps_of_the_slope():
    known = np.ones((1, 1, 8), bool)
    known[..., 5:] = False
    image = slope(1, 8, step=0.05)
    image[:, :, 5:] += 0.15
    # A step of the slope and the jump, three times as high.
    np.testing.assert_allclose(relative_seam_energy(image, known), 4.0, rtol=1e-5)


@pytest.mark.parametrize("pattern", PATTERNS)
def test_both_energies_equal_those_counted_pair_by_pair(pattern):
    rng = np.random.default_rng(3)
    images = rng.random((3, 12, 12, 3))
    known = make_known(pattern, 3, 12, 12)
    expected = [by_hand(*pair) for pair in zip(images, known, strict=True)]
    found = seam_energy(images, known), relative_seam_energy(images, known)
    np.testing.assert_allclose(np.transpose(found), expected, rtol=1e-12)


def test_nothing_wraps_round_the_image_border():
    # The left half is missing; the right border is white, and no neighbour of it.
    known = np.ones((1, 6, 8), bool)
    known[:, :, :4] = False
    image = filled(known, inside=0.2)
    image[:, :, -1] = 1.0
    image[:, -1] = image[:, 0]
    np.testing.assert_array_equal(seam_energy(image, known), 0.0)


def test_pixels_away_from_the_seam_change_nothing():
    rng = np.random.default_rng(1)
    known = np.ones((1, 12, 12), bool)
    known[:, 5:8, 5:8] = False
    image = rng.random((1, 12, 12, 3))
    other = rng.random((1, 12, 12, 3))
    # The hole, its known rim, and the neighbours of that.
    other[:, 3:10, 3:10] = image[:, 3:10, 3:10]
    for energy in (seam_energy, relative_seam_energy):
        np.testing.assert_array_equal(energy(image, known), energy(other, known))


def test_flat_surroundings_count_as_one_level_of_255():
    known = make_known("center", 1, 16, 16)
    image = filled(known, inside=0.2 + 5 / 255)
    np.testing.assert_allclose(relative_seam_energy(image, known), 5.0, rtol=1e-5)
    smooth = filled(known, inside=0.2)
    np.testing.assert_array_equal(relative_seam_energy(smooth, known), 0.0)


def test_without_known_neighbours_there_is_nothing_to_compare_with():
    board = (np.indices((4, 4)).sum(axis=0) % 2 == 0)[None]
    image = filled(board, inside=0.5)
    np.testing.assert_allclose(seam_energy(image, board), 0.3, rtol=1e-6)
    assert np.isnan(relative_seam_energy(image, board)).all()


def test_images_without_a_seam_and_what_is_no_mask_are_refused():
    image = np.zeros((2, 4, 4, 3), np.float32)
    known = np.ones((2, 4, 4), bool)
    known[0, 1, 1] = False
    with pytest.raises(ValueError, match=r"image\(s\) \[1\] have no seam"):
        seam_energy(image, known)
    with pytest.raises(ValueError, match="no seam"):
        seam_energy(image, np.zeros_like(known))
    with pytest.raises(ValueError, match="must have shape"):
        seam_energy(image, known[:1])
    with pytest.raises(TypeError, match="boolean"):
        seam_energy(image, known.astype(np.float32))
    with pytest.raises(ValueError, match=r"must lie in \[0, 1\]"):
        seam_energy(image + 2, known)
