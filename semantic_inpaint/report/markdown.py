"""A report as Markdown, with its figures beside it."""

from __future__ import annotations

from collections.abc import Sequence

from semantic_inpaint.report.document import Cell, Gallery, Section, Table


def render_markdown(title: str, sections: Sequence[Section]) -> str:
    """Write a report as Markdown; charts and galleries link to `figures/`."""
    lines = [f"# {title}", ""]
    for section in sections:
        lines += [f"## {section.title}", ""]
        for block in section.blocks:
            if isinstance(block, str):
                lines += [_escaped(block), ""]
            elif isinstance(block, Table):
                lines += [*_table(block), ""]
            elif isinstance(block, Gallery):
                lines += [f"![{block.rule}](figures/{block.name}.png)", ""]
                lines += [f"*{_escaped(block.rule)}*", ""]
            else:
                for figure in block:
                    lines += [f"![{figure.caption}](figures/{figure.name}.png)", ""]
    return "\n".join(lines)


def _table(table: Table) -> list[str]:
    numeric = [
        any(row[i].key is not None for row in table.rows)
        for i in range(len(table.headings))
    ]
    rule = "|".join("---:" if right else "---" for right in numeric)
    rows = [f"| {' | '.join(map(_cell, row))} |" for row in table.rows]
    heading = f"| {' | '.join(map(_escaped, table.headings))} |"
    return [f"{_escaped(table.caption)}", "", heading, f"|{rule}|", *rows]


def _cell(cell: Cell) -> str:
    text = f"**{_escaped(cell.text)}**" if cell.bold else _escaped(cell.text)
    return f"{text} {_escaped(cell.note)}".strip()


def _escaped(text: str) -> str:
    return (
        text.replace("\\", "\\\\")
        .replace("|", "\\|")
        .replace("*", "\\*")
        .replace("<", "&lt;")
    )
