"""What the loss of each search was made of, and what came of it, as one figure."""

from __future__ import annotations

import io
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

from semantic_inpaint.app.diagnostics import FINE

COLUMNS = 4
PANEL_INCHES = (3.0, 2.3)
DOTS_PER_INCH = 150

TERM_COLOURS = {
    "content": "#1f77b4",
    "global_consensus": "#17a2a2",
    "inpainting_consensus": "#8c6bb1",
    "consensus": "#17a2a2",
    "prior": "#e08214",
    "anchor": "#777777",
}
FINE_COLOUR, OTHER_COLOUR = "#2a7d2a", "#b22222"


def save_diagnostics_figure(
    path: Path, names: Sequence[str], diagnoses: Sequence[Mapping[str, Any]]
) -> None:
    """Draw a panel for each image: its terms over the steps of all stages.

    Terms are drawn by their size, as the prior loss is negative; where one is 0, as
    the distance from an anchor is at the start, it has no point.

    Args:
        path: PNG file to write.
        names: Of the images, one or more.
        diagnoses: What `diagnose` says of each.
    """
    columns = min(COLUMNS, len(names))
    rows = -(-len(names) // columns)
    figure = Figure(
        figsize=(
            max(columns * PANEL_INCHES[0], 1.8 * PANEL_INCHES[0]),
            rows * PANEL_INCHES[1] + 0.5,
        ),
        dpi=DOTS_PER_INCH,
        facecolor="white",
        layout="constrained",
    )
    panels = figure.subplots(rows, columns, squeeze=False, sharey=True).ravel()
    for number, panel in enumerate(panels):
        if number < len(names):
            _draw(panel, names[number], diagnoses[number])
        else:
            panel.set_axis_off()
    for panel in panels[max(0, len(names) - columns) : len(names)]:
        panel.set_xlabel("steps", fontsize=8)
    _explain(figure, panels[: len(names)])
    FigureCanvasAgg(figure)
    buffer = io.BytesIO()
    figure.savefig(buffer, format="png", dpi=DOTS_PER_INCH)
    path.write_bytes(buffer.getvalue())


def _draw(panel: Axes, name: str, diagnosis: Mapping[str, Any]) -> None:
    begin = 0
    for number, curve in enumerate(diagnosis["curves"].values()):
        steps = begin + np.array(curve["steps"])
        if number:
            panel.axvline(begin, color="0.6", linestyle=":", linewidth=1)
        for term, values in curve["terms"].items():
            panel.plot(
                steps,
                np.where(np.equal(values, 0.0), np.nan, np.abs(values)),
                color=TERM_COLOURS.get(term),
                label=term.replace("_", " "),
                marker=".",
                markersize=4,
                linewidth=1.3,
            )
        begin = int(steps[-1])
    panel.set_yscale("log")
    panel.tick_params(labelsize=7)
    panel.grid(visible=True, axis="y", color="0.92", linewidth=0.8)
    panel.spines[["top", "right"]].set_visible(False)
    found = diagnosis["verdict"]
    panel.set_title(
        f"{name}: {found}",
        fontsize=9,
        color=FINE_COLOUR if found == FINE else OTHER_COLOUR,
        parse_math=False,
        pad=15,
    )
    panel.text(
        0.5,
        1.02,
        _summary(diagnosis),
        transform=panel.transAxes,
        ha="center",
        fontsize=6.5,
        color="0.3",
    )


def _summary(diagnosis: Mapping[str, Any]) -> str:
    seam = diagnosis["relative_seam_energy"]
    return (
        f"residual {diagnosis['residual']:.3f} (limit "
        f"{diagnosis['residual_limit']:.3f})   seam "
        f"{'-' if seam is None else f'{seam:.2f}'}   at bound "
        f"{diagnosis['at_bound']:.0%}"
    )


def _explain(figure: Figure, panels: Sequence[Axes]) -> None:
    """One legend of all terms that occur, below the panels."""
    lines = {}
    for panel in panels:
        for line, label in zip(*panel.get_legend_handles_labels(), strict=True):
            lines.setdefault(label, line)
    figure.legend(
        lines.values(),
        lines.keys(),
        loc="outside lower center",
        ncols=max(1, len(lines)),
        fontsize=8,
        frameon=False,
    )
