"""Numbers as they are printed."""

from __future__ import annotations

import math

from semantic_inpaint.benchmark.aggregate import metric_of
from semantic_inpaint.report.document import Cell


def number(value: float, digits: int, *, signed: bool = False) -> str:
    """Write a number; what is undefined is a dash, and no zero bears a sign."""
    if value is None or math.isnan(value):
        return "-"
    if math.isinf(value):
        return "inf" if value > 0 else "-inf"
    text = f"{value:+.{digits}f}" if signed else f"{value:.{digits}f}"
    return text.lstrip("+-") if float(text) == 0.0 else text


def interval(low: float, high: float, digits: int, *, signed: bool = False) -> str:
    """Write the ends of an interval; empty where it is undefined."""
    if math.isnan(low) or math.isnan(high):
        return ""
    ends = (number(end, digits, signed=signed) for end in (low, high))
    return f"[{', '.join(ends)}]"


def p_value(value: float) -> str:
    """Write a p-value to the precision in which it means something."""
    if math.isnan(value):
        return "-"
    return "<0.001" if value < 0.001 else f"{value:.3f}"


def words(text: str) -> Cell:
    """A cell that sorts by what it says."""
    return Cell(text)


def count(value: int) -> Cell:
    """A cell with a whole number."""
    return Cell(str(int(value)), key=float(value))


def figure_cell(
    metric: str,
    value: float,
    low: float = math.nan,
    high: float = math.nan,
    *,
    signed: bool = False,
    bold: bool = False,
) -> Cell:
    """A cell with a metric's value and interval."""
    digits = metric_of(metric).digits
    return Cell(
        number(value, digits, signed=signed),
        interval(low, high, digits, signed=signed),
        key=None if math.isnan(value) else float(value),
        bold=bold,
    )


def share_cell(value: float) -> Cell:
    """A cell with a percentage."""
    return Cell(f"{100 * value:.0f}%", key=float(value))
