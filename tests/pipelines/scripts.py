"""Scripts of `pipelines`, started as a person would."""

import subprocess
import sys
from pathlib import Path

PIPELINES = Path(__file__).resolve().parents[2] / "pipelines"


def start(script, *words, cwd):
    """Run a script to its end, and return what it said."""
    return subprocess.run(
        [sys.executable, str(PIPELINES / script), *map(str, words)],
        cwd=cwd,
        capture_output=True,
        text=True,
        check=False,
    )
