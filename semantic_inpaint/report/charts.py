"""Charts by matplotlib, each small enough to be read on a telephone."""

from __future__ import annotations

import io

import matplotlib as mpl
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure as Canvas
from matplotlib.ticker import FormatStrFormatter, LogLocator, NullLocator

from semantic_inpaint.benchmark.aggregate import metric_of
from semantic_inpaint.benchmark.analysis import Analysis
from semantic_inpaint.benchmark.comparisons import UNDECIDED, Comparison
from semantic_inpaint.benchmark.frame import mask_title
from semantic_inpaint.benchmark.published import AFTER, BEFORE, published_value
from semantic_inpaint.report.document import Figure
from semantic_inpaint.report.paper_tables import COMPARED

WIDTH = 4.6
COLOURS = ("#1b5e9b", "#c4561a", "#3c7d3c", "#7a4a9e", "#8a6d00", "#0f7f86")
MARKS = "osD^vPX*"
DOTS_PER_INCH = 160
# The same records give the same bytes.
SETTINGS = {"svg.hashsalt": "semantic_inpaint", "font.size": 10.0}


def gain_charts(analysis: Analysis) -> list[Figure]:
    """Change of each metric by mask, with intervals, and the paper's beside it."""
    tables = {c: t for c, t in analysis.gains.items() if c.after[1] == "refined"}
    if not tables:
        return []
    return [_gain_chart(tables, metric) for metric in COMPARED]


def time_chart(analysis: Analysis) -> Figure | None:
    """Pooled PSNR over the hole against seconds an image; None without masks shared."""
    table = analysis.overall
    if not len(table):
        return None
    points = table[(table["metric"] == "psnr_pooled") & (table["seconds"] > 0.0)]
    with mpl.rc_context(SETTINGS):
        canvas, axes = _axes(3.6)
        for i, row in enumerate(points.itertuples()):
            below, above = row.value - row.low, row.high - row.value
            axes.errorbar(
                [row.seconds],
                [row.value],
                yerr=[[below], [above]] if below == below else None,
                fmt=MARKS[i % len(MARKS)],
                color=COLOURS[i % len(COLOURS)],
                capsize=3,
                label=row.method,
            )
        axes.set_xscale("log")
        # Labels of all three meet where there are many decades.
        crowded = points["seconds"].max() > 100.0 * points["seconds"].min()
        subs = (1.0,) if crowded else (1.0, 2.0, 5.0)
        axes.xaxis.set_major_locator(LogLocator(subs=subs))
        axes.xaxis.set_major_formatter(FormatStrFormatter("%g"))
        axes.xaxis.set_minor_locator(NullLocator())
        axes.margins(x=0.15)
        axes.set_xlabel("seconds an image")
        axes.set_ylabel("PSNR over the hole, dB")
        axes.legend(fontsize=8, frameon=False)
        masks = ", ".join(analysis.shared_masks)
        return _finish(
            canvas,
            "quality-against-time",
            f"Quality against time of the last stages; masks: {masks}.",
        )


def _gain_chart(tables: dict[Comparison, pd.DataFrame], metric: str) -> Figure:
    """One row a mask; a filled point is a verdict, a hollow one is none."""
    masks = list(dict.fromkeys(m for t in tables.values() for m in t["mask"]))
    positions = {mask: i for i, mask in enumerate(masks)}
    step = 0.6 / max(len(tables), 1)
    with mpl.rc_context(SETTINGS):
        canvas, axes = _axes(1.0 + 0.36 * len(masks))
        for i, (comparison, table) in enumerate(tables.items()):
            colour = COLOURS[i % len(COLOURS)]
            offset = (i - (len(tables) - 1) / 2) * step
            axes.plot([], [], "o", color=colour, label=comparison.title)
            for row in table[table["metric"] == metric].itertuples():
                _point(axes, row, positions[row.mask] + offset, colour)
        _published(axes, positions, metric)
        axes.axvline(0.0, color="0.6", linewidth=0.8, zorder=0)
        axes.set_yticks(range(len(masks)), [mask_title(mask) for mask in masks])
        axes.set_ylim(len(masks) - 0.5, -0.5)
        better = "right" if metric_of(metric).sign > 0 else "left"
        unit = ", dB" if metric.startswith("psnr") else ""
        title = metric_of(metric).title
        axes.set_xlabel(f"change in {title}{unit} (better: {better})")
        axes.legend(
            fontsize=8, frameon=False, loc="lower right", bbox_to_anchor=(1.0, 1.0)
        )
        return _finish(
            canvas,
            f"gain-{metric.split('_')[0]}",
            f"Change in {title} over the hole by mask, with intervals; filled where a "
            "verdict is carried, hollow where not.",
        )


def _point(axes: Axes, row: tuple, position: float, colour: str) -> None:
    if row.low == row.low:
        axes.plot([row.low, row.high], [position] * 2, color=colour, linewidth=1.2)
    face = "white" if row.verdict == UNDECIDED else colour
    axes.plot([row.change], [position], "o", color=colour, markerfacecolor=face, ms=5)


def _published(axes: Axes, positions: dict[str, int], metric: str) -> None:
    """The paper's changes as crosses, where it has the mask."""
    field, label = COMPARED[metric], "the paper, as printed"
    for mask, position in positions.items():
        try:
            ends = [published_value(mask, side, field) for side in (BEFORE, AFTER)]
        except KeyError:
            continue
        axes.plot([ends[1] - ends[0]], [position], "x", color="0.35", ms=5, label=label)
        label = None


def _axes(height: float) -> tuple[Canvas, Axes]:
    canvas = Canvas(figsize=(WIDTH, height), dpi=DOTS_PER_INCH, layout="constrained")
    axes = canvas.add_subplot()
    axes.spines[["top", "right"]].set_visible(False)
    return canvas, axes


def _finish(canvas: Canvas, name: str, caption: str) -> Figure:
    FigureCanvasAgg(canvas)
    svg, png = io.StringIO(), io.BytesIO()
    canvas.savefig(svg, format="svg", metadata={"Date": None, "Creator": None})
    canvas.savefig(png, format="png", metadata={"Software": None})
    return Figure(name, caption, svg.getvalue(), png.getvalue())
