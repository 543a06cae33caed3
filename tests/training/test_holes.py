"""The holes of a training: every kind, and the same at the same step."""

import collections
import hashlib

import numpy as np
import pytest

from semantic_inpaint.masks import PATTERNS, make_known, two_rectangles
from semantic_inpaint.training.holes import training_holes

SIDE = 32


def rectangle(hole):
    """Rows and columns of the hole's bounding box, and whether it fills it."""
    rows, columns = np.flatnonzero(hole.any(1)), np.flatnonzero(hole.any(0))
    box = hole[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1]
    return box.shape, (rows[0], columns[0]), box.all()


def kind_of(known):
    """Name a hole by its shape alone."""
    hole = ~known
    if not hole.any():
        return "none"
    (height, width), place, full = rectangle(hole)
    if not full:
        fixed = make_known("stripes", 1, SIDE, SIDE)[0]
        return "stripes" if np.array_equal(known, fixed) else "pixels"
    if (height, width) == (SIDE, SIDE // 2):
        return "left" if place == (0, 0) else "right"
    if (height, width) == (SIDE // 2, SIDE):
        return "top" if place == (0, 0) else "bottom"
    return "square" if height == width else "other"


def draw(steps=100, count=20):
    return np.concatenate(
        [training_holes(count, SIDE, seed=3, step=step) for step in range(steps)]
    )


def test_every_kind_comes_as_often_as_promised():
    known = draw()
    assert known.shape == (2000, SIDE, SIDE)
    assert known.dtype == bool
    counts = collections.Counter(map(kind_of, known))
    pattern = 0.5 / len(PATTERNS)
    expected = {
        "none": 0.1,
        "stripes": pattern,
        # Half of them are turned, and a quarter of these comes to lie as before.
        "left": pattern * 5 / 8,
        "right": pattern / 8,
        "top": pattern / 8,
        "bottom": pattern / 8,
        "square": 0.2 + 3 * pattern,
        "pixels": 0.2 + pattern,
    }
    assert counts.keys() == expected.keys()
    for kind, share in expected.items():
        # Four standard deviations of a count.
        spread = 4 * np.sqrt(len(known) * share * (1 - share))
        assert abs(counts[kind] - len(known) * share) < spread, kind


def test_shares_lie_between_their_bounds_and_use_them():
    known = draw()
    shares = collections.defaultdict(list)
    for one in known:
        shares[kind_of(one)].append((~one).mean())
    squares, pixels = np.array(shares["square"]), np.array(shares["pixels"])
    # A side is rounded to whole pixels, 1 of 32.
    assert 0.03 < squares.min() < 0.07
    assert 0.45 < squares.max() < 0.54
    assert 0.199 < pixels.min() < 0.25
    assert 0.85 < pixels.max() < 0.901
    # Something is always known.
    assert known.any(axis=(1, 2)).all()


def test_squares_come_everywhere():
    hit = np.any([~one for one in draw() if kind_of(one) == "square"], axis=0)
    assert hit.all()


def test_the_holes_are_a_function_of_seed_and_step_alone():
    first = training_holes(12, 16, seed=1, step=7)
    training_holes(12, 16, seed=1, step=8)
    np.testing.assert_array_equal(training_holes(12, 16, seed=1, step=7), first)
    for seed, step in ((1, 8), (2, 7)):
        other = training_holes(12, 16, seed=seed, step=step)
        assert not np.array_equal(other, first)


def test_no_images_have_no_holes():
    assert training_holes(0, 16, seed=0, step=0).shape == (0, 16, 16)


def test_the_holes_of_an_encoder_s_training_stay_what_they_were():
    known = np.concatenate([training_holes(20, 32, seed=3, step=t) for t in range(10)])
    # Of the version that shipped the encoder of the slim prior.
    assert hashlib.sha256(np.packbits(known).tobytes()).hexdigest() == (
        "a7bdbbcf2505bd667a273f3eafeec3a8817dba8f36d1be97753128ec9835eaeb"
    )


def test_brush_strokes_fill_the_six_published_ratios_alike():
    known = np.concatenate(
        [training_holes(24, 32, seed=1, step=t, holes="freeform") for t in range(25)]
    )
    shares = 1.0 - known.mean(axis=(1, 2))
    counts, _ = np.histogram(shares, [0.01, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6])
    assert counts.sum() == len(known) == 600
    # Four standard deviations of a count of one sixth.
    assert np.all(np.abs(counts - 100) < 4 * np.sqrt(600 * 5 / 36))
    rim = np.ones((32, 32), bool)
    rim[1:-1, 1:-1] = False
    touching = (~known)[:, rim].any(axis=1).mean()
    assert abs(touching - 0.5) < 4 * np.sqrt(0.25 / 600)


def test_super_resolution_keeps_a_pixel_of_every_2_3_or_4_squared():
    known = np.concatenate(
        [
            training_holes(15, 24, seed=1, step=t, holes="super-resolution")
            for t in range(20)
        ]
    )
    counts = collections.Counter(known.sum(axis=(1, 2)).tolist())
    assert counts.keys() == {144, 64, 36}
    # Four standard deviations of a count of one third.
    assert all(abs(count - 100) < 4 * np.sqrt(300 * 2 / 9) for count in counts.values())


def test_any_hole_is_a_brush_stroke_in_every_fourth_image():
    mixed, either = (
        np.stack(
            [training_holes(16, 32, seed=2, step=t, holes=holes) for t in range(40)]
        )
        for holes in ("mixed", "any")
    )
    stroked = np.any(either != mixed, axis=(2, 3))
    # Four standard deviations of a count.
    assert abs(stroked.sum() - 160) < 4 * np.sqrt(640 * 0.25 * 0.75)
    strokes = either[stroked]
    # Neither whole images nor any of the others' shapes, and of the published ratios.
    assert {kind_of(known) for known in strokes} == {"pixels"}
    shares = 1.0 - strokes.mean(axis=(1, 2))
    assert 0.01 < shares.min() < 0.1
    assert 0.5 < shares.max() <= 0.6


def test_a_pattern_by_its_name_is_that_pattern_and_fresh_in_every_step():
    fixed = training_holes(3, 16, seed=0, step=5, holes="center")
    np.testing.assert_array_equal(fixed, make_known("center", 3, 16, 16))
    drawn = [training_holes(3, 16, seed=0, step=t, holes="random") for t in (0, 1)]
    expected = make_known("random", 6, 16, 16)
    np.testing.assert_array_equal(np.concatenate(drawn), expected)


def test_of_joined_kinds_each_image_has_one_as_often_as_its_word_comes():
    kinds = ("mixed", "center", "center")
    parts, joined = (
        np.stack(
            [training_holes(20, SIDE, seed=2, step=t, holes=holes) for t in range(45)]
        )
        for holes in ("mixed", "+".join(kinds))
    )
    center = make_known("center", 1, SIDE, SIDE)[0]
    central = np.all(joined == center, axis=(2, 3))
    np.testing.assert_array_equal(joined[~central], parts[~central])
    # A twelfth of the mixed holes is central too; four standard deviations of a count.
    share = 2 / 3 + 1 / 3 * 0.5 / len(PATTERNS)
    assert abs(central.sum() - 900 * share) < 4 * np.sqrt(900 * share * (1 - share))
    again = training_holes(20, SIDE, seed=2, step=44, holes="+".join(kinds))
    np.testing.assert_array_equal(again, joined[-1])


def test_the_two_rectangles_are_the_same_for_all():
    known = training_holes(3, 16, seed=0, step=5, holes="two-rectangles")
    np.testing.assert_array_equal(known, np.repeat(two_rectangles(16, 16)[None], 3, 0))


@pytest.mark.parametrize(
    ("holes", "size", "message"),
    [
        ("centre", 64, "'center'"),
        ("freeform", 16, "32 x 32 pixels or more; got 16"),
        ("any", 16, "32 x 32 pixels or more; got 16"),
        ("center+any", 16, "32 x 32 pixels or more; got 16"),
        ("any+centre", 64, "joined by '\\+'; got 'centre'. Did you mean 'center'"),
    ],
)
def test_holes_that_cannot_be_drawn_are_refused(holes, size, message):
    with pytest.raises(ValueError, match=message):
        training_holes(1, size, seed=0, step=0, holes=holes)
