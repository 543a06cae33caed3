"""How every command tells that something could not be done."""

import sys

USAGE_ERROR = 2
INTERRUPTED = 130


def refuse(error: Exception) -> int:
    """Name an error in one line on stderr.

    Returns:
        The exit code of bad input, 2.
    """
    sys.stderr.write(f"error: {' '.join(str(error).split())}\n")
    return USAGE_ERROR


def interrupt() -> int:
    """Say in one line on stderr how a command that was stopped goes on.

    Returns:
        The exit code of what the keyboard interrupted, 130.
    """
    sys.stderr.write("stopped; begin again with the same words to go on\n")
    return INTERRUPTED
