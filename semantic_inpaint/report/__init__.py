"""From the records of a benchmark to a page, tables and figures."""

from semantic_inpaint.report.build import build_report

__all__ = ["build_report"]
