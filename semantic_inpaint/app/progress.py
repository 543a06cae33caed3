"""A progress bar for searches."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator

from rich.console import Console
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    TextColumn,
    TimeElapsedColumn,
    TimeRemainingColumn,
)

TITLES = {
    "search": "inpainting",
    "refine": "refining",
    "encode": "inpainting",
    "generate": "inpainting",
}


@contextlib.contextmanager
def search_progress(
    console: Console, total: int
) -> Iterator[Callable[[str, int], None]]:
    """Show how many of `total` steps are done; yields what an inpainter calls."""
    progress = Progress(
        TextColumn("{task.description:<10}"),
        BarColumn(),
        MofNCompleteColumn(),
        TextColumn("steps"),
        TimeElapsedColumn(),
        TextColumn("left"),
        TimeRemainingColumn(),
        console=console,
    )
    with progress:
        task = progress.add_task("starting", total=total)

        def advance(stage: str, steps: int) -> None:
            progress.update(task, description=TITLES[stage], advance=steps)

        yield advance
