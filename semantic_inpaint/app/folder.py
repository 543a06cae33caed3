"""The folder of a run: claimed before the work, filled whole at its end."""

from __future__ import annotations

import datetime
import itertools
from pathlib import Path

UNFINISHED = "unfinished"
LAST = "options.json"


class RunFolder:
    """A folder whose files appear together, when all are written.

    Until then they are in its subfolder `unfinished`, where a failure leaves what was
    done; a run that fails before it wrote anything leaves no trace.
    """

    def __init__(self, out: Path | None, name: str) -> None:
        """Claim a folder.

        Args:
            out: A new or empty folder; None: a new one in `outputs/`, named after
                `name` and the time.
            name: What is done.

        Raises:
            ValueError: `out` is in use, or cannot be written.
        """
        try:
            self.path = _claim_new(name) if out is None else _claim(out)
            self.work = self.path / UNFINISHED
            self.work.mkdir()
        except OSError as error:
            raise ValueError(
                f"cannot write to {out or 'outputs'} ({error.strerror}); name another "
                "folder with --out."
            ) from error

    def finish(self) -> None:
        """Move every file to its place, the list of the options last."""
        for entry in sorted(self.work.iterdir(), key=lambda e: (e.name == LAST, e)):
            entry.replace(self.path / entry.name)
        self.work.rmdir()

    def abandon(self) -> Path | None:
        """Remove the folder if nothing is in it; else return where things are."""
        if any(self.work.iterdir()):
            return self.work
        self.work.rmdir()
        self.path.rmdir()
        return None


def _claim(out: Path) -> Path:
    out = out.absolute()
    if out.exists() and (not out.is_dir() or any(out.iterdir())):
        raise ValueError(
            f"{out} exists and is not an empty folder; name another with --out, so "
            "that no result is overwritten."
        )
    out.mkdir(parents=True, exist_ok=True)
    return out


def _claim_new(name: str) -> Path:
    now = datetime.datetime.now().astimezone()
    parent = Path("outputs").absolute()
    parent.mkdir(exist_ok=True)
    for number in itertools.count(1):
        suffix = f"-{number}" if number > 1 else ""
        path = parent / f"{name}-{now:%Y%m%d-%H%M%S}{suffix}"
        try:
            path.mkdir()
        except FileExistsError:
            continue
        return path
    raise ValueError("no free name in outputs/; name a folder with --out.")
