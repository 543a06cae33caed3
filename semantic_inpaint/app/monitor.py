"""TensorBoard events, on every backend.

This needs no TensorFlow, but TensorBoard uses its file access where installed.
"""

from __future__ import annotations

import io
import time
from pathlib import Path

import numpy as np
from PIL import Image
from tensorboard.compat.proto.event_pb2 import Event
from tensorboard.compat.proto.summary_pb2 import Summary
from tensorboard.summary.writer.event_file_writer import EventFileWriter


class TensorBoardMonitor:
    """Writes scalars and pictures into a folder that TensorBoard reads."""

    def __init__(self, folder: Path) -> None:
        """Remember `folder`; an event file is opened there by the first event."""
        self._folder = folder
        self._writer: EventFileWriter | None = None

    def scalars(self, values: dict[str, float], *, step: int) -> None:
        """Write named numbers at a step."""
        items = [
            Summary.Value(tag=f"training/{name}", simple_value=value)
            for name, value in values.items()
        ]
        self._add(Summary(value=items), step)

    def picture(self, name: str, picture: np.ndarray, *, step: int) -> None:
        """Write a picture, uint8 `[H, W, 3]`, at a step."""
        buffer = io.BytesIO()
        Image.fromarray(picture).save(buffer, format="PNG")
        image = Summary.Image(
            height=picture.shape[0],
            width=picture.shape[1],
            colorspace=3,
            encoded_image_string=buffer.getvalue(),
        )
        self._add(Summary(value=[Summary.Value(tag=name, image=image)]), step)

    def flush(self) -> None:
        """Make what was written visible."""
        if self._writer is not None:
            self._writer.flush()

    def close(self) -> None:
        """Write what is left and close the file."""
        if self._writer is not None:
            self._writer.close()

    def _add(self, summary: Summary, step: int) -> None:
        if self._writer is None:
            self._writer = EventFileWriter(str(self._folder))
        self._writer.add_event(Event(wall_time=time.time(), step=step, summary=summary))
