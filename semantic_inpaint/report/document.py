"""What a report consists of, before it becomes a page or a text."""

from __future__ import annotations

import dataclasses
from pathlib import Path


@dataclasses.dataclass(frozen=True)
class Cell:
    """One cell of a table.

    Attributes:
        text: What is read first.
        note: What is read second, such as an interval.
        key: By which a column sorts; None: by its text.
        bold: Whether the interval carries that this is the better one.
    """

    text: str
    note: str = ""
    key: float | None = None
    bold: bool = False


@dataclasses.dataclass(frozen=True)
class Table:
    """Rows under headings; `folded` ones are shown on demand."""

    caption: str
    headings: tuple[str, ...]
    rows: tuple[tuple[Cell, ...], ...]
    folded: bool = False


@dataclasses.dataclass(frozen=True)
class Figure:
    """A chart, `name` of its files and `caption` of what it shows."""

    name: str
    caption: str
    svg: str
    png: bytes


@dataclasses.dataclass(frozen=True)
class GalleryRow:
    """One image: its label, and a picture under each heading, or None."""

    label: str
    pictures: tuple[Path | None, ...]


@dataclasses.dataclass(frozen=True)
class Gallery:
    """Pictures in rows; `name` of its file, `rule` by which they were chosen."""

    name: str
    rule: str
    headings: tuple[str, ...]
    rows: tuple[GalleryRow, ...]
    folded: bool = False


@dataclasses.dataclass(frozen=True)
class Section:
    """A heading and what stands under it: paragraphs, tables, figures, galleries."""

    title: str
    blocks: tuple[str | Table | tuple[Figure, ...] | Gallery, ...]
