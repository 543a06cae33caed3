"""The gradient penalties of IConv, against NumPy and closed forms."""

import numpy as np
import pytest
from keras import ops

from semantic_inpaint import backend
from semantic_inpaint.losses.iconv import (
    get_penalty,
    hole_slope,
    hole_slope_penalty,
    revised_slope_penalty,
    standard_slope_penalty,
)

pytestmark = pytest.mark.both_backends


def drawn(seed=0):
    """Gradients of small and large norm, and holes of every size, one of them none."""
    rng = np.random.default_rng(seed)
    gradients = (
        rng.normal(size=(4, 5, 6, 3)) * np.array([0.01, 0.1, 1, 1])[:, None, None, None]
    )
    known = (rng.random((4, 5, 6, 1)) < 0.5).astype(np.float32)
    known[3] = 1.0
    return gradients.astype(np.float32), known


def slopes(gradients, known):
    """Norms over the missing pixels alone, picked and not multiplied."""
    return np.array(
        [
            np.linalg.norm(g[k[..., 0] == 0].astype(np.float64))
            for g, k in zip(gradients, known, strict=True)
        ]
    )


def value(function, gradients, known):
    return ops.convert_to_numpy(
        function(ops.convert_to_tensor(gradients), ops.convert_to_tensor(known))
    )


def test_each_penalty_is_its_equation():
    gradients, known = drawn()
    norms = slopes(gradients, known)
    assert norms.min() < 1 < norms.max()
    # The square root is smoothed by 1e-12: 1e-6 where the slope is 0.
    close = {"rtol": 1e-5, "atol": 2e-6}
    np.testing.assert_allclose(value(hole_slope, gradients, known), norms, **close)
    revised = value(revised_slope_penalty, gradients, known)
    np.testing.assert_allclose(revised, np.maximum(0, norms - 1), **close)
    in_hole = value(hole_slope_penalty, gradients, known)
    np.testing.assert_allclose(in_hole, (norms - 1) ** 2, **close)
    whole = value(standard_slope_penalty, gradients, known)
    everywhere = slopes(gradients, np.zeros_like(known))
    np.testing.assert_allclose(whole, (everywhere - 1) ** 2, **close)


def push(penalty, gradients, known):
    """Derivative of the penalty by the scale of the gradients: which way it pushes."""
    _, _, (found,) = backend.value_and_grad(
        lambda scale: (
            ops.sum(penalty(scale * ops.convert_to_tensor(gradients), known)),
            None,
        ),
        ops.convert_to_tensor(1.0),
    )
    return float(found)


def test_only_the_penalty_of_equation_9_turns_with_the_size_of_the_hole():
    # The same gradient, of norm 2 over the image, seen through holes of all its pixels
    # and of a hundredth of them.
    gradients = np.full((1, 10, 10, 1), 0.2, np.float32)
    large, small = np.zeros((2, 1, 10, 10, 1), np.float32)
    small[:] = 1.0
    small[0, 0, 0] = 0.0
    assert push(hole_slope_penalty, gradients, large) > 0
    assert push(hole_slope_penalty, gradients, small) < 0
    assert push(revised_slope_penalty, gradients, large) > 0
    assert push(revised_slope_penalty, gradients, small) == 0


@pytest.mark.parametrize("name", ["revised", "hole", "standard"])
def test_where_nothing_is_missing_or_nothing_slopes_the_push_is_finite(name):
    gradients = np.zeros((1, 4, 4, 3), np.float32)
    known = np.ones((1, 4, 4, 1), np.float32)
    assert push(get_penalty(name), gradients, known) == 0
    assert np.isfinite(push(get_penalty(name), gradients + 1, known))


def test_an_unknown_penalty_is_refused_by_name():
    with pytest.raises(ValueError, match="revised, hole, standard; got 'r1'"):
        get_penalty("r1")
