import math

import numpy as np
import pytest
from keras import ops

from semantic_inpaint.latent.schedule import at_step, learning_rates


def rates(schedule, num_steps=100, learning_rate=0.2):
    return learning_rates(num_steps, learning_rate=learning_rate, schedule=schedule)


def test_the_constant_rate_stays():
    np.testing.assert_allclose(rates("constant"), 0.2, rtol=1e-6)


def test_the_cosine_rises_over_five_steps_and_falls_to_zero():
    got = rates("cosine")
    np.testing.assert_allclose(got[:5], [0.04, 0.08, 0.12, 0.16, 0.2], rtol=1e-5)
    half = 0.2 * 0.5 * (1 + math.cos(math.pi * 45 / 95))
    assert got[50] == pytest.approx(half, rel=1e-5)
    assert 0 < got[-1] < 1e-3
    assert np.all(np.diff(got[5:]) < 0)


def test_the_stepped_rate_falls_by_a_twentieth_at_every_hundredth_and_the_first():
    got = rates("stepped", num_steps=301, learning_rate=0.01)
    np.testing.assert_allclose(got[:100], 0.0095, rtol=1e-6)
    np.testing.assert_allclose(got[100:200], 0.01 * 0.95**2, rtol=1e-6)
    np.testing.assert_allclose(got[300], 0.01 * 0.95**4, rtol=1e-6)


def test_one_step_has_a_rate():
    assert rates("cosine", num_steps=1) == [pytest.approx(0.2)]


def test_an_unknown_schedule_is_named():
    with pytest.raises(ValueError, match=r"constant, cosine, stepped; got 'linear'"):
        rates("linear")


@pytest.mark.both_backends
def test_each_row_takes_the_value_of_its_own_step_and_at_last_keeps_the_last():
    table = np.array([0.5, 0.25, 0.125], np.float32)
    taken = at_step(table, ops.convert_to_tensor(np.array([1, 0, 3, 2], np.int32)))
    np.testing.assert_array_equal(
        ops.convert_to_numpy(taken), [[0.25], [0.5], [0.125], [0.125]]
    )
