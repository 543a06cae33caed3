"""A gallery as one picture, for a paper or a slide."""

from __future__ import annotations

import io
from pathlib import Path

import matplotlib as mpl
import numpy as np
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from PIL import Image

from semantic_inpaint.report.document import Gallery

# In dots: 64 pixels are shown as 192, so that each is a whole number of dots.
DOTS_PER_INCH = 200
CELL = 192
STRIDE = 202
TOP = 72
FONT = 7.0


def draw_mosaic(gallery: Gallery) -> bytes:
    """Draw a gallery as PNG: rows with their labels, columns under their headings.

    Args:
        gallery: With one row or more.
    """
    left = 40 + 11 * max(len(row.label) for row in gallery.rows)
    width = left + len(gallery.headings) * STRIDE
    height = TOP + len(gallery.rows) * STRIDE
    canvas = np.full((height, width, 3), 255, np.uint8)
    with mpl.rc_context({"font.size": FONT}):
        figure = Figure(
            figsize=(width / DOTS_PER_INCH, height / DOTS_PER_INCH), dpi=DOTS_PER_INCH
        )
        for j, heading in enumerate(gallery.headings):
            x, text = left + j * STRIDE + CELL / 2, heading.replace(": ", ":\n")
            place = (x / width, 1.0 - (TOP - 8) / height)
            figure.text(*place, text, ha="center", va="bottom", parse_math=False)
        for i, row in enumerate(gallery.rows):
            y = TOP + i * STRIDE
            place = ((left - 14) / width, 1.0 - (y + CELL / 2) / height)
            figure.text(*place, row.label, ha="right", va="center", parse_math=False)
            for j, path in enumerate(row.pictures):
                if path is not None:
                    x = left + j * STRIDE
                    canvas[y : y + CELL, x : x + CELL] = _read(path)
        figure.figimage(canvas)
        FigureCanvasAgg(figure)
        buffer = io.BytesIO()
        figure.savefig(buffer, format="png", metadata={"Software": None})
    return buffer.getvalue()


def _read(path: Path) -> np.ndarray:
    with Image.open(path) as picture:
        scaled = picture.convert("RGB").resize((CELL, CELL), Image.Resampling.NEAREST)
        return np.asarray(scaled)
