"""A report as one HTML page that needs nothing beside it."""

from __future__ import annotations

import base64
import html
import re
from collections.abc import Sequence
from pathlib import Path

from semantic_inpaint.report.document import (
    Cell,
    Figure,
    Gallery,
    GalleryRow,
    Section,
    Table,
)
from semantic_inpaint.report.page_style import SCRIPT, STYLE

# Cells with more characters are broken into lines.
LONG = 40


def render_page(title: str, sections: Sequence[Section]) -> str:
    """Write a report as HTML: style, script, charts and pictures are inside."""
    contents = "".join(
        f'<a href="#{_anchor(section.title)}">{html.escape(section.title)}</a>'
        for section in sections
    )
    body = "".join(map(_section, sections))
    return (
        '<!doctype html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        f"<title>{html.escape(title)}</title>\n<style>{STYLE}</style>\n</head>\n<body>\n"
        f"<header><h1>{html.escape(title)}</h1><nav>{contents}</nav></header>\n"
        f"<main>{body}</main>\n<script>{SCRIPT}</script>\n</body>\n</html>\n"
    )


def _section(section: Section) -> str:
    blocks = "".join(map(_block, section.blocks))
    anchor = _anchor(section.title)
    return (
        f'<section id="{anchor}">\n<h2>{html.escape(section.title)}</h2>\n'
        f"{blocks}</section>\n"
    )


def _block(block: str | Table | Gallery | tuple[Figure, ...]) -> str:
    if isinstance(block, str):
        return f"<p>{html.escape(block)}</p>\n"
    if isinstance(block, Table):
        return _folded(_table(block), block.caption, folded=block.folded)
    if isinstance(block, Gallery):
        return _folded(_gallery(block), block.rule, folded=block.folded)
    return f'<div class="charts">{"".join(map(_chart, block))}</div>\n'


def _folded(content: str, caption: str, *, folded: bool) -> str:
    state = "" if folded else " open"
    summary = f"<summary>{html.escape(caption)}</summary>"
    return f"<details{state}>{summary}\n{content}</details>\n"


def _table(table: Table) -> str:
    head = "".join(
        f'<th scope="col"{_kind(table, column)}><button type="button">'
        f"{html.escape(text)}</button></th>"
        for column, text in enumerate(table.headings)
    )
    rows = "".join(f"<tr>{''.join(map(_cell, row))}</tr>\n" for row in table.rows)
    return (
        '<div class="scroll" tabindex="0"><table>'
        f"<thead><tr>{head}</tr></thead>\n<tbody>\n{rows}</tbody></table></div>\n"
    )


def _kind(table: Table, column: int) -> str:
    numeric = any(row[column].key is not None for row in table.rows)
    return ' class="number"' if numeric else ""


def _cell(cell: Cell) -> str:
    text = html.escape(cell.text)
    if cell.bold:
        text = f"<strong>{text}</strong>"
    if cell.note:
        text += f"<small>{html.escape(cell.note)}</small>"
    if cell.key is None:
        kind = ' class="long"' if len(cell.text) > LONG else ""
        return f"<td{kind}>{text}</td>"
    return f'<td class="number" data-key="{cell.key!r}">{text}</td>'


def _chart(figure: Figure) -> str:
    # The XML heading has no place inside a page, and the ids of two charts may not
    # meet in it.
    svg = figure.svg[figure.svg.index("<svg") :]
    svg = re.sub(r'(id="|url\(#|xlink:href="#)', rf"\g<1>{figure.name}-", svg)
    caption = html.escape(figure.caption)
    return f"<figure>{svg}<figcaption>{caption}</figcaption></figure>\n"


def _gallery(gallery: Gallery) -> str:
    head = "".join(f"<th>{html.escape(text)}</th>" for text in gallery.headings)
    rows = "".join(_gallery_row(row, gallery.headings) for row in gallery.rows)
    return (
        '<div class="scroll" tabindex="0"><table class="gallery">'
        f"<thead><tr><th></th>{head}</tr></thead>\n<tbody>{rows}</tbody></table></div>\n"
    )


def _gallery_row(row: GalleryRow, headings: Sequence[str]) -> str:
    cells = "".join(
        f"<td>{_picture(path, f'{row.label}, {heading}')}</td>"
        for path, heading in zip(row.pictures, headings, strict=True)
    )
    return f'<tr><th scope="row">{html.escape(row.label)}</th>{cells}</tr>\n'


def _picture(path: Path | None, text: str) -> str:
    if path is None:
        return ""
    data = base64.b64encode(path.read_bytes()).decode()
    return f'<img alt="{html.escape(text)}" src="data:image/png;base64,{data}">'


def _anchor(title: str) -> str:
    return re.sub(r"[^a-z0-9]+", "-", title.lower()).strip("-")
