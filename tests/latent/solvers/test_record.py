import numpy as np
import pytest
from keras import ops

from semantic_inpaint.latent.solvers.record import (
    last_loss,
    new_record,
    seen,
    settled,
    stepped,
)

pytestmark = pytest.mark.both_backends


def record_of(*courses, num_steps=12, result="best"):
    """Enter one course of losses a row, all of the same length."""
    losses = np.array(courses, np.float32).T
    start = np.zeros((losses.shape[1], 2), np.float32)
    record = new_record(start, num_steps, result=result)
    for step, loss in enumerate(losses):
        codes = np.full((len(loss), 2), step, np.float32)
        record = stepped(record, ops.convert_to_tensor(codes), loss)
    return record


def ended(record, tolerance, window=3):
    return ops.convert_to_numpy(
        settled(record, window=window, tolerance=tolerance)
    ).tolist()


def test_the_best_code_and_the_course_are_kept_of_each_row():
    record = record_of([3, 1, 2], [5, 6, 4], num_steps=4)
    np.testing.assert_array_equal(ops.convert_to_numpy(record.best_loss), [1, 4])
    np.testing.assert_array_equal(ops.convert_to_numpy(record.best_z)[:, 0], [1, 2])
    np.testing.assert_array_equal(ops.convert_to_numpy(record.count), [3, 3])
    np.testing.assert_array_equal(
        ops.convert_to_numpy(record.trace),
        [[3, 1, 2, np.inf, np.inf], [5, 6, 4, np.inf, np.inf]],
    )
    last = seen(record, np.zeros((2, 2), np.float32), np.float32([0, 9]))
    np.testing.assert_array_equal(ops.convert_to_numpy(last.count), [3, 3])
    np.testing.assert_array_equal(ops.convert_to_numpy(last.trace)[:, 3], [0, 9])
    np.testing.assert_array_equal(ops.convert_to_numpy(last.best_loss), [0, 4])


def test_the_latest_code_of_a_finite_loss_stands_for_the_best_where_asked():
    codes = [np.full((3, 2), step, np.float32) for step in range(3)]
    losses = np.float32([[3, 3, np.nan], [1, 1, 5], [2, np.nan, np.inf]])
    record = new_record(codes[0], 4, result="last")
    for z, loss in zip(codes, losses, strict=True):
        record = stepped(record, z, loss)
    np.testing.assert_array_equal(ops.convert_to_numpy(record.best_loss), [2, 1, 5])
    np.testing.assert_array_equal(ops.convert_to_numpy(record.best_z)[:, 0], [2, 1, 1])


def test_which_code_is_kept_does_not_change_when_a_search_ends():
    course = [100, 50, 49, 60, 50, 70, 50, 80]
    for length in range(1, len(course) + 1):
        for tolerance in (0.001, 0.02):
            best, last = (
                ended(record_of(course[:length], result=result), tolerance)
                for result in ("best", "last")
            )
            assert best == last


def test_the_last_loss_is_that_of_the_last_step():
    assert ops.convert_to_numpy(
        last_loss(record_of([3, 1, 2], [5, 6, 4]))
    ).tolist() == [
        2,
        4,
    ]
    begun = new_record(np.zeros((2, 2), np.float32), 3)
    assert np.isinf(ops.convert_to_numpy(last_loss(begun))).all()


def test_a_search_ends_when_the_window_brought_less_than_the_tolerance():
    falls_on = [100, 80, 60, 40, 30, 20]
    # After the first step nothing below 50 but 1% of the whole fall.
    stands = [100, 50, 50, 50, 49.6, 49.6]
    record = record_of(falls_on, stands)
    assert ended(record, 0.0) == [False, False]
    assert ended(record, 0.02) == [False, True]
    assert ended(record, 0.001) == [False, False]


def test_the_whole_window_is_waited_for():
    stands = [7, 7, 7, 7]
    assert ended(record_of(stands[:3]), 0.5) == [False]
    assert ended(record_of(stands), 0.5) == [True]


def test_losses_that_are_no_numbers_end_a_search_but_not_without_tolerance():
    record = record_of([np.nan] * 5)
    assert ended(record, 0.01) == [True]
    assert ended(record, 0.0) == [False]


def test_the_number_of_steps_ends_every_search():
    assert ended(record_of([3, 2, 1], num_steps=3), 0.0) == [True]
