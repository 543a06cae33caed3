import numpy as np
import pytest

from semantic_inpaint.latent.weights import KINDS, importance_weights
from semantic_inpaint.masks import PATTERNS, center_hole, make_known

pytestmark = pytest.mark.both_backends


def brute_force(known, size, kind):
    """The formulas pixel by pixel, on the part of the window inside the image."""
    height, width = known.shape
    reach = size // 2
    weights = np.zeros((height, width))
    for i, j in np.argwhere(known):
        window = known[
            max(i - reach, 0) : i + reach + 1, max(j - reach, 0) : j + reach + 1
        ]
        missing, clean = (~window).sum(), window.sum()
        weights[i, j] = {
            "ratio": missing / clean,
            "fraction": missing / window.size,
            "inverted": clean / window.size,
            # One less the mean of the neighbours, of which the pixel is none.
            "neighbours": 1 - (clean - 1) / (window.size - 1),
            "uniform": 1.0,
        }[kind]
    return weights


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("name", PATTERNS)
def test_weights_equal_the_formula_pixel_by_pixel(name, kind):
    known = make_known(name, 2, 12, 15, seed=3)
    weights = importance_weights(known, window_size=5, kind=kind)
    for one, expected in zip(weights, known, strict=True):
        # float32 holds a ratio of small counts to seven digits.
        wanted = brute_force(expected, 5, kind)
        # One less a mean leaves some rounding where it is 0.
        rounding = 1e-12 if kind == "neighbours" else 0.0
        np.testing.assert_allclose(one, wanted, rtol=1e-6, atol=rounding)


def test_weights_grow_towards_the_hole_and_vanish_in_it_and_far_from_it():
    known = center_hole(32, 32)[None]
    weights = importance_weights(known, window_size=7)[0]
    row = weights[16]
    assert np.all(row[8:24] == 0)
    assert np.all(np.diff(row[4:8]) > 0)
    assert np.all(row[:5] == 0)


def test_inverted_weights_fall_towards_the_hole_as_no_paper_says():
    known = center_hole(32, 32)[None]
    row = importance_weights(known, window_size=7, kind="inverted")[0, 16]
    assert np.all(row[8:24] == 0)
    assert np.all(np.diff(row[4:8]) < 0)
    assert np.all(row[:5] == 1)


def test_ratio_of_a_lone_clean_pixel_is_its_missing_neighbours_unless_capped():
    known = np.zeros((1, 9, 9), bool)
    known[0, 4, 4] = True
    assert importance_weights(known, window_size=3)[0, 4, 4] == 8.0
    assert importance_weights(known, window_size=3, cap=2.5)[0, 4, 4] == 2.5


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"window_size": 4}, "window_size"),
        ({"window_size": 0}, "window_size"),
        ({"kind": "mean"}, "ratio, fraction, inverted, uniform, neighbours"),
        ({"cap": 0.0}, "cap"),
    ],
)
def test_bad_options_are_named(options, message):
    with pytest.raises(ValueError, match=message):
        importance_weights(center_hole(8, 8)[None], **options)
