"""What the commands that train share: the data, the progress, the outcome."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn

from semantic_inpaint.app.quiet import load_backend
from semantic_inpaint.app.refusal import interrupt, refuse

if TYPE_CHECKING:
    from semantic_inpaint.datasets import PackedImages
    from semantic_inpaint.training.loop import TrainingData
    from semantic_inpaint.training.steps import Report


def run_training(train: Callable[[Console], list[Path]], product: str) -> int:
    """Train, and say where the result is.

    Args:
        train: Returns the folders of the result; shows its progress on the console.
        product: What the result is called.

    Returns:
        0, or 2 after bad input or a training that failed, or 130 where it was stopped,
        which is named in one line on stderr.
    """
    console = Console()
    try:
        for folder in train(console):
            console.print(
                f"{product} written to {folder}", soft_wrap=True, markup=False
            )
    except KeyboardInterrupt:
        return interrupt()
    except (
        ValueError,
        TypeError,
        OSError,
        ArithmeticError,
        ImportError,
        RuntimeError,
    ) as error:
        return refuse(error)
    return 0


def open_training_data(
    folder: Path, partitions: Sequence[int]
) -> tuple[PackedImages, TrainingData]:
    """Open a packed set, check its pixels, and only then load the backend.

    Args:
        folder: That prepare_data.py made.
        partitions: Those to train on.

    Returns:
        The set, and the rows of it to train on.

    Raises:
        ValueError: There is no such set or partition, or the pixels have changed.
        OSError: A file could not be read.
    """
    from semantic_inpaint.datasets import PackedImages

    packed = PackedImages.open(folder)
    indices = packed.indices(partitions)
    packed.verify()
    load_backend()
    from semantic_inpaint.training.loop import TrainingData

    found = tuple(np.unique(packed.partitions[indices]).tolist())
    return packed, TrainingData(packed.images, indices, packed.sha256, found)


@contextlib.contextmanager
def training_report(
    console: Console,
    out: Path,
    *,
    title: str,
    losses: Callable[[dict[str, float]], str],
    columns: int | None = None,
) -> Iterator[Callable[[Report], None]]:
    """Show a progress bar, and write events and sample sheets below `out`.

    Args:
        console: Where to show it.
        out: Folder of the run.
        title: Before the bar.
        losses: Makes what stands behind the bar of the scalars of a report.
        columns: Images in a row of a sheet; None: as many as make it about square.

    Yields:
        What the training loop calls with its reports.
    """
    from semantic_inpaint.app.monitor import TensorBoardMonitor
    from semantic_inpaint.images import save_image, tile_images, to_uint8

    monitor = TensorBoardMonitor(out / "tensorboard")
    progress = Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        TextColumn("{task.fields[steps]}"),
        TimeRemainingColumn(),
        TextColumn("{task.fields[losses]}"),
        console=console,
    )
    task = progress.add_task(title, total=None, steps="", losses="")

    def report(state: Report) -> None:
        progress.update(
            task,
            completed=state.step,
            total=state.num_steps,
            steps=f"{state.step}/{state.num_steps} steps",
            losses=losses(state.scalars),
        )
        monitor.scalars(state.scalars, step=state.step)
        if state.grid is not None:
            sheet = tile_images(state.grid / 2.0 + 0.5, columns=columns)
            monitor.picture("samples", to_uint8(sheet), step=state.step)
            save_image(out / "samples" / f"{state.step:07d}.png", sheet)
        monitor.flush()

    try:
        with progress:
            yield report
    finally:
        monitor.close()
