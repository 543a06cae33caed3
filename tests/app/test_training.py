"""How a command that trains ends."""

import pytest

from semantic_inpaint.app.training import run_training


def ending(error):
    def train(_):
        raise error

    return train


@pytest.mark.parametrize(
    "kind",
    [ValueError, TypeError, OSError, FloatingPointError, ImportError, RuntimeError],
)
def test_a_training_that_fails_is_one_line_and_exit_code_two(kind, capsys):
    assert run_training(ending(kind("no such\nthing")), "network") == 2
    assert capsys.readouterr().err == "error: no such thing\n"


def test_a_training_that_is_stopped_says_how_it_goes_on(capsys):
    assert run_training(ending(KeyboardInterrupt()), "network") == 130
    expected = "stopped; begin again with the same words to go on\n"
    assert capsys.readouterr().err == expected
