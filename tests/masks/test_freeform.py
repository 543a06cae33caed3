import itertools
from fractions import Fraction

import numpy as np
import pytest
from scipy.ndimage import distance_transform_edt

from semantic_inpaint.masks import (
    FREE_FORM_GROUPS,
    PATTERNS,
    brush_strokes,
    draw_free_form,
    make_free_form,
    validate_known,
)
from semantic_inpaint.masks import brush as brush_module

RATIOS = [(0.01, 0.1), (0.1, 0.2), (0.2, 0.3), (0.3, 0.4), (0.4, 0.5), (0.5, 0.6)]


def within(point, start, end, radius):
    """Whether a point is within `radius` of a straight line, in exact fractions."""
    line = [b - a for a, b in zip(start, end, strict=True)]
    offset = [p - a for p, a in zip(point, start, strict=True)]
    squared = sum(x * x for x in line)
    share = Fraction(0)
    if squared:
        along = Fraction(sum(x * y for x, y in zip(line, offset, strict=True)), squared)
        share = min(max(along, Fraction(0)), Fraction(1))
    gaps = [x - share * y for x, y in zip(offset, line, strict=True)]
    return sum(x * x for x in gaps) <= radius * radius


def test_the_twelve_groups_are_those_of_the_partial_convolutions():
    groups = list(FREE_FORM_GROUPS.values())
    assert list(FREE_FORM_GROUPS) == [group.name for group in groups]
    assert [(g.above, g.up_to) for g in groups[::2]] == RATIOS
    assert [(g.above, g.up_to) for g in groups[1::2]] == RATIOS
    assert [group.touches_border for group in groups] == 6 * [False, True]
    assert groups[0].name == "free-form-01-10-inside"
    assert groups[0].title == "Free-form 1% to 10%, clear of the border"
    assert groups[-1].name == "free-form-50-60-border"
    assert groups[-1].title == "Free-form 50% to 60%, touching the border"
    streams = [entry.number for entry in [*PATTERNS.values(), *groups]]
    assert len(set(streams)) == 18


@pytest.mark.parametrize("name", FREE_FORM_GROUPS)
def test_a_hole_has_the_share_and_the_place_of_its_group(name):
    group = FREE_FORM_GROUPS[name]
    known = make_free_form(name, 24, 64, 64, seed=5)
    assert (known.shape, known.dtype) == ((24, 64, 64), np.bool_)
    validate_known(known)
    share = (~known).mean(axis=(1, 2))
    assert ((share > group.above) & (share <= group.up_to)).all()
    assert len(np.unique(known.reshape(24, -1), axis=0)) == 24
    if group.touches_border:
        outermost = np.ones((64, 64), dtype=bool)
        outermost[1:-1, 1:-1] = False
        assert (~known & outermost).any(axis=(1, 2)).all()
    else:  # 50 of 512 pixels are 6.25 of 64.
        assert known[:, :7].all() and known[:, -7:].all()
        assert known[:, :, :7].all() and known[:, :, -7:].all()


def test_at_the_size_of_the_paper_50_pixels_stay_clear():
    known = make_free_form("free-form-50-60-inside", 2, 512, 512)
    missing = np.argwhere(~known)[:, 1:]
    assert missing.min() == 50
    assert missing.max() == 512 - 51


@pytest.mark.parametrize("shape", [(32, 32), (40, 96), (96, 40), (65, 64)])
def test_odd_and_oblong_sizes_are_served(shape):
    for name, group in FREE_FORM_GROUPS.items():
        known = make_free_form(name, 2, *shape)
        assert known.shape == (2, *shape)
        share = (~known).mean(axis=(1, 2))
        assert ((share > group.above) & (share <= group.up_to)).all()


def test_a_hole_depends_on_its_place_and_the_seed_alone():
    name = "free-form-20-30-border"
    many = make_free_form(name, 6, 32, 32, seed=1)
    assert np.array_equal(make_free_form(name, 3, 32, 32, seed=1), many[:3])
    assert not np.array_equal(make_free_form(name, 6, 32, 32, seed=2), many)


def test_holes_of_many_strokes_do_not_all_end_at_the_start_of_their_range():
    # They grow in small steps: taken as soon as it is large enough, half of the holes
    # of this group would have a share below .412.
    known = make_free_form("free-form-40-50-inside", 64, 64, 64, seed=1)
    assert np.median((~known).mean(axis=(1, 2))) > 0.42


@pytest.mark.parametrize("seed", range(6))
def test_a_piece_covers_just_the_pixels_near_its_line(seed):
    rng = np.random.default_rng(seed)
    side, grid = 12, brush_module._GRID
    start, end = rng.integers(-2 * grid, (side + 2) * grid, (2, 2)).tolist()
    end = start if seed == 0 else end  # a piece without length is a disc
    radius = int(rng.integers(grid // 2, 3 * grid))
    hole = np.zeros((side, side), dtype=bool)
    brush_module._paint_piece(hole, start, end, radius)
    centres = [grid * i + grid // 2 for i in range(side)]
    expected = [
        [within((row, column), start, end, radius) for column in centres]
        for row in centres
    ]
    assert hole.tolist() == expected


def strokes(count):
    """Corners of strokes so far from any bound that none was cut off."""
    rng = np.random.default_rng(0)
    bounds = 2 * [(-(10**7), 10**7)]
    grid, diagonal = brush_module._GRID, 8000.0
    for _ in range(count):
        corners = np.array(brush_module._vertices(bounds, diagonal, rng))
        yield np.diff(corners, axis=0) / grid / (diagonal / 8)


def test_strokes_zigzag_as_published():
    numbers, lengths, slopes, directions = set(), [], [], set()
    for pieces in strokes(2000):
        numbers.add(len(pieces))
        sizes = np.hypot(*pieces.T)
        lengths.extend(sizes)
        # Up and down in turns, and on the whole to one side; a piece of no length, cut
        # off at zero, has no direction.
        down, across = pieces[sizes > 0.01].T
        down = down * np.resize([1, -1], len(pieces))[sizes > 0.01]
        aside = np.sign(across.sum())
        assert len(set(np.sign(down))) == 1
        directions.add((np.sign(down[0]), aside))
        slopes.extend(np.arctan2(abs(down), aside * across))
    assert numbers == set(range(4, 12))
    assert directions == set(itertools.product((-1, 1), repeat=2))
    # 15,000 draws with a deviation of .5: the mean is off by .004, the deviation by
    # .003. A normal cut off at two deviations to either side keeps .959 of its own.
    assert abs(np.mean(lengths) - 1) < 0.02
    assert abs(np.std(lengths) - 0.5 * 0.959) < 0.02
    assert max(lengths) <= 2.001
    # Angles of 72 degrees, give or take 24 at the most; the ends are seldom reached.
    slopes = np.degrees(slopes)
    assert 72 - 24.5 < min(slopes) < 72 - 20
    assert 72 + 20 < max(slopes) < 72 + 24.5
    assert abs(np.mean(slopes) - 72) < 0.5


@pytest.mark.parametrize("size", [256, 64])
def test_the_thickness_follows_the_size_of_the_image(size):
    rng = np.random.default_rng(1)
    thinnest, thickest = 12 * size / 256, 39 * size / 256
    radii = []
    for _ in range(200):
        hole = np.zeros((size, size), dtype=bool)
        brush_module.paint_stroke(hole, rng, margins=(0, 0))
        radii.append(distance_transform_edt(np.pad(hole, 1)).max())
    # The largest disc within a stroke is the brush or, where the stroke meets itself,
    # one up to about twice as large; a pixel for its centre's distance to the rim.
    assert thinnest / 2 - 1 < min(radii) < thinnest
    assert 0.9 * thickest / 2 < max(radii) < thickest + 1


def test_strokes_end_at_the_border_or_turn_back_before_the_margin():
    rng = np.random.default_rng(2)
    cut, whole = np.zeros((2, 32, 32), dtype=bool)
    for _ in range(50):
        brush_module.paint_stroke(cut, rng)
        brush_module.paint_stroke(whole, rng, margins=(5, 9))
    assert cut[0].any() and cut[-1].any() and cut[:, 0].any() and cut[:, -1].any()
    rows, columns = np.nonzero(whole)
    assert (rows.min(), rows.max()) == (5, 31 - 5)
    assert (columns.min(), columns.max()) == (9, 31 - 9)


def test_only_raw_bits_are_drawn():
    rng, bits = np.random.default_rng(7), np.random.PCG64(7)
    drawn = [brush_module.uniform(rng) for _ in range(1000)]
    raw = bits.random_raw(1000)
    # The middle of one of 2^52 equal cells: within (0, 1) at either end.
    expected = [Fraction(2 * (int(r) >> 12) + 1, 2**53) for r in raw]
    assert [Fraction(value) for value in drawn] == expected
    whole = {brush_module.uniform_integer(rng, 4, 6) for _ in range(200)}
    assert whole == {4, 5, 6}


@pytest.mark.parametrize("name", ["free-form-10-20-inside", "free-form-40-50-border"])
def test_one_hole_of_a_group_is_the_strokes_of_its_range_and_place(name):
    group = FREE_FORM_GROUPS[name]
    first, second = np.random.default_rng(4), np.random.default_rng(4)
    for _ in range(3):
        expected = draw(
            40,
            48,
            first,
            above=group.above,
            up_to=group.up_to,
            touches_border=group.touches_border,
        )
        found = draw_free_form(group, 40, 48, second)
        assert np.array_equal(found, expected)
    # As much was drawn from the one generator as from the other.
    assert first.random() == second.random()


def draw(height=32, width=32, rng=None, **changed):
    options = {"above": 0.2, "up_to": 0.3, "touches_border": True} | changed
    rng = rng or np.random.default_rng(0)
    return brush_strokes(height, width, rng, **options)


def test_what_cannot_be_drawn_is_refused():
    with pytest.raises(ValueError, match="Did you mean 'free-form-10-20-inside'"):
        make_free_form("free-form-10-20-insid", 1, 32, 32)
    with pytest.raises(ValueError, match=r"unknown free-form group 'zzz'\. The groups"):
        make_free_form("zzz", 1, 32, 32)
    with pytest.raises(ValueError, match="`count` must be at least 1; got 0"):
        make_free_form("free-form-10-20-inside", 0, 32, 32)
    with pytest.raises(ValueError, match="`seed` must be 0 or more; got -1"):
        make_free_form("free-form-10-20-inside", 1, 32, 32, seed=-1)
    with pytest.raises(ValueError, match="must be at least 8; got 32 x 7"):
        draw(width=7)
    for above, up_to in [(-0.1, 0.2), (0.3, 0.3), (0.5, 0.4), (0.5, 1.0)]:
        with pytest.raises(ValueError, match="0 <= above < up_to < 1; got"):
            draw(above=above, up_to=up_to)
    with pytest.raises(ValueError, match="MT19937 draws 32"):
        draw(rng=np.random.Generator(np.random.MT19937(0)))


def test_a_hole_that_cannot_be_found_ends_in_an_error():
    with pytest.raises(ValueError, match=r"leave a share of 0\.65 to paint"):
        draw(512, 512, above=0.7, up_to=0.8, touches_border=False)
    # 13 of 64 pixels are .203 and 14 are .219: no hole has such a share.
    with pytest.raises(ValueError, match=r"8 x 8 pixels made no hole.*\(0.21, 0.215\]"):
        draw(8, 8, above=0.21, up_to=0.215)
