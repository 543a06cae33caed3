"""The console command `semantic-inpaint`: the first word chooses what runs.

Each command lives in `semantic_inpaint.app` and is loaded only when it is asked for, so
that `--help` and a misspelt word are answered at once.
"""

import difflib
import sys
from collections.abc import Callable, Sequence

from semantic_inpaint import __version__
from semantic_inpaint.app.refusal import USAGE_ERROR

COMMANDS = {
    "run": "fill the holes of images, save the results and their metrics",
    "benchmark": "compare methods on masks and images, record every answer",
    "report": "tables, figures and a page from the records of a benchmark",
}


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command.

    Args:
        argv: The words after the program's name; None takes those of the process.

    Returns:
        The exit code: 0 when all went well, 2 for a usage that is not understood.
    """
    words = list(sys.argv[1:] if argv is None else argv)
    if not words:
        sys.stderr.write(_help())
        return USAGE_ERROR
    first, rest = words[0], words[1:]
    if first in ("-h", "--help"):
        sys.stdout.write(_help())
        return 0
    if first == "--version":
        sys.stdout.write(f"semantic-inpaint {__version__}\n")
        return 0
    if first not in COMMANDS:
        sys.stderr.write(_unknown(first))
        return USAGE_ERROR
    return _load(first)(rest)


def _load(command: str) -> Callable[[Sequence[str]], int]:
    """Import a command; one branch each, so that tools can follow the imports."""
    if command == "run":
        from semantic_inpaint.app import run

        return run.main
    if command == "benchmark":
        from semantic_inpaint.app import benchmark

        return benchmark.main
    if command == "report":
        from semantic_inpaint.app import report

        return report.main
    raise ValueError(f"No module for the command {command!r}; add it here.")


def _help() -> str:
    """Say what can be run, one line a command."""
    commands = "".join(f"  {name:<10}{about}\n" for name, about in COMMANDS.items())
    return (
        "usage: semantic-inpaint COMMAND [options]\n\n"
        f"commands:\n{commands}\n"
        "options:\n"
        "  --help    show this text; after a command, the options of that command\n"
        "  --version show the version\n"
    )


def _unknown(word: str) -> str:
    """Say in one line what came, and the nearest or all that would have been right."""
    nearest = difflib.get_close_matches(word, COMMANDS, n=1, cutoff=0.4)
    hint = (
        f"did you mean {nearest[0]!r}?"
        if nearest
        else f"expected one of: {', '.join(COMMANDS)}."
    )
    return f"semantic-inpaint: unknown command {word!r}; {hint}\n"
