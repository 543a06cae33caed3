"""One process at a time in a folder."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator
from pathlib import Path

try:
    import fcntl
except ImportError:  # Not on every system; there, nothing is locked.
    fcntl = None


@contextlib.contextmanager
def locked_folder(folder: Path) -> Iterator[None]:
    """Keep other processes out of a folder for as long as this one works in it.

    The system holds the lock on the folder itself: no file is left behind, and the
    lock is gone with its process, however that ends. Where the system or the file
    system knows no such lock, none is taken.

    Args:
        folder: Of the work; made where missing.

    Raises:
        ValueError: Another process has the lock.
    """
    folder.mkdir(parents=True, exist_ok=True)
    if fcntl is None:
        yield
        return
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise ValueError(
                f"another process is working in {folder}. Wait for its end, or choose "
                "another folder."
            ) from None
        except OSError:
            pass  # Some network file systems lock no folders.
        yield
    finally:
        os.close(descriptor)
