"""The stages of one or more completions, side by side."""

from __future__ import annotations

import io
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

CELL_INCHES = 1.28
DOTS_PER_INCH = 200
# Of a wide letter at 9 points.
INCHES_PER_LETTER = 0.085


def save_stage_figure(
    path: Path,
    rows: Sequence[Sequence[np.ndarray]],
    *,
    row_names: Sequence[str],
    column_names: Sequence[str],
) -> None:
    """Draw pictures in a grid, each pixel as a whole number of dots.

    Args:
        path: PNG file to write.
        rows: Rows of float `[H, W, 3]` pictures in [0, 1].
        row_names: One for each row.
        column_names: One for each column.
    """
    longest = max(len(line) for name in row_names for line in name.splitlines())
    left, top, gap = 0.2 + INCHES_PER_LETTER * longest, 0.3, 0.06
    width = left + len(column_names) * (CELL_INCHES + gap)
    height = top + len(rows) * (CELL_INCHES + gap)
    figure = Figure(figsize=(width, height), dpi=DOTS_PER_INCH, facecolor="white")
    for i, (pictures, row_name) in enumerate(zip(rows, row_names, strict=True)):
        bottom = height - top - (i + 1) * (CELL_INCHES + gap) + gap
        for j, (picture, column_name) in enumerate(
            zip(pictures, column_names, strict=True)
        ):
            box = (left + j * (CELL_INCHES + gap), bottom, CELL_INCHES, CELL_INCHES)
            axes = figure.add_axes(
                [box[0] / width, box[1] / height, box[2] / width, box[3] / height]
            )
            # Of a picture with more pixels than there are dots, some would be left out.
            whole = max(picture.shape) <= CELL_INCHES * DOTS_PER_INCH
            axes.imshow(
                np.clip(picture, 0.0, 1.0),
                interpolation="nearest" if whole else "antialiased",
            )
            axes.set_axis_off()
            if i == 0:
                axes.set_title(column_name, fontsize=9, pad=4, parse_math=False)
        figure.text(
            (left - 0.1) / width,
            (bottom + CELL_INCHES / 2) / height,
            row_name,
            ha="right",
            va="center",
            fontsize=9,
            parse_math=False,
        )
    FigureCanvasAgg(figure)
    buffer = io.BytesIO()
    figure.savefig(buffer, format="png", dpi=DOTS_PER_INCH)
    path.write_bytes(buffer.getvalue())
