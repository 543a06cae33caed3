import types

import numpy as np
import pytest
from keras import ops

from semantic_inpaint.latent.solvers.box import backtrack, free_coordinates

pytestmark = pytest.mark.both_backends


class Quadratic:
    prior = types.SimpleNamespace(support=1.0)

    def __call__(self, codes, target):
        return ops.sum(ops.square(codes - target), axis=1)


def search(z, target, direction, searched=None):
    z, target, direction = (np.float32(x) for x in (z, target, direction))
    searched = np.ones(len(z), bool) if searched is None else np.array(searched)
    step = backtrack(
        Quadratic(),
        target,
        ops.convert_to_tensor(z),
        ops.convert_to_tensor(((z - target) ** 2).sum(1)),
        2 * (z - target),
        direction,
        searched,
    )
    return ops.convert_to_numpy(step.z), ops.convert_to_numpy(step.share)


def test_coordinates_at_a_bound_that_descent_would_cross_are_held():
    z = np.array([[1.0, 1.0, -1.0, -1.0, 0.3]], np.float32)
    gradient = np.array([[-1.0, 1.0, 1.0, -1.0, 5.0]], np.float32)
    free = ops.convert_to_numpy(free_coordinates(z, gradient, 1.0))
    np.testing.assert_array_equal(free, [[0, 1, 0, 1, 1]])


def test_each_row_takes_the_largest_half_that_lowers_its_loss_enough():
    # From 0 to a minimum at .5: steps of .5, 1.6 (too far, its half is not) and a
    # way uphill, of which no part is any good.
    z, share = search([[0.0]] * 3, [[0.5]] * 3, [[0.5], [1.6], [-1.0]])
    np.testing.assert_array_equal(share, [1.0, 0.5, 0.0])
    # Bent at the bound: 1.6 would be clipped to 1, and 1 is no better than 0.
    np.testing.assert_allclose(z[:, 0], [0.5, 0.8, 0.0], rtol=1e-6)


def test_rows_that_are_not_searched_stay():
    z, share = search([[0.0]] * 2, [[0.5]] * 2, [[0.5]] * 2, [True, False])
    np.testing.assert_array_equal(z[:, 0], [0.5, 0.0])
    np.testing.assert_array_equal(share, [1.0, 0.0])
