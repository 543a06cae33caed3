"""From the records of a benchmark to a folder that a reader can open."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from semantic_inpaint.benchmark.aggregate import Resampling
from semantic_inpaint.benchmark.analysis import Analysis, analyse
from semantic_inpaint.benchmark.records import ARCHIVE_FILE, compress_records
from semantic_inpaint.report.document import Gallery, Section
from semantic_inpaint.report.files import tables_csv, write_file
from semantic_inpaint.report.latex import table_1, table_2
from semantic_inpaint.report.markdown import render_markdown
from semantic_inpaint.report.mosaic import draw_mosaic
from semantic_inpaint.report.page import render_page
from semantic_inpaint.report.sections import make_sections

PAGE = "index.html"
GALLERY_COUNT = 8


def build_report(
    records: Sequence[Mapping[str, Any]],
    folder: str | Path,
    *,
    title: str = "Inpainting benchmark",
    pictures: str | Path | None = None,
    count: int = GALLERY_COUNT,
    resampling: Resampling | None = None,
) -> Analysis:
    """Write a report: `index.html`, `report.md`, `tables.csv`, LaTeX and figures.

    Beside them the records, compressed: a report can be made anew from its own folder.

    The same records give the same bytes; nothing but records and pictures is read.

    Args:
        records: As `benchmark.records.read_records` gives them.
        folder: To write to; files of the same names are replaced.
        title: Of the report.
        pictures: Folder of the benchmark, with `pictures/` inside; None: without
            pictures of images, as data demand that may not be shown.
        count: Images of each gallery.
        resampling: How intervals are made; None: with the defaults.

    Returns:
        What was computed.

    Raises:
        ValueError: Records that may not stand in one report, see
            `benchmark.frame.to_frame`; or `count` is negative.
        OSError: A file could not be read or written.
    """
    if count < 0:
        raise ValueError(f"`count` must be 0 or more; got {count}.")
    folder = Path(folder)
    analysis = analyse(records, resampling=resampling)
    sections = make_sections(
        analysis, pictures=None if pictures is None else Path(pictures), count=count
    )
    write_file(folder / ARCHIVE_FILE, compress_records(records))
    write_file(folder / "tables.csv", tables_csv(analysis))
    for name, make in (("table1.tex", table_1), ("table2.tex", table_2)):
        text = make(analysis)
        if text is not None:
            write_file(folder / name, text)
    _write_figures(folder / "figures", sections)
    write_file(folder / "report.md", render_markdown(title, sections))
    write_file(folder / PAGE, render_page(title, sections))
    return analysis


def _write_figures(folder: Path, sections: Sequence[Section]) -> None:
    for section in sections:
        for block in section.blocks:
            if isinstance(block, tuple):
                for figure in block:
                    write_file(folder / f"{figure.name}.png", figure.png)
                    write_file(folder / f"{figure.name}.svg", figure.svg)
            elif isinstance(block, Gallery):
                write_file(folder / f"{block.name}.png", draw_mosaic(block))
