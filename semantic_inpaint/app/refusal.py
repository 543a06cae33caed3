"""How every command tells that something could not be done."""

import sys

USAGE_ERROR = 2


def refuse(error: Exception) -> int:
    """Name an error in one line on stderr.

    Returns:
        The exit code of bad input, 2.
    """
    sys.stderr.write(f"error: {' '.join(str(error).split())}\n")
    return USAGE_ERROR
