"""Files of a report, each written whole or not at all."""

from __future__ import annotations

import uuid
from pathlib import Path

import pandas as pd

from semantic_inpaint.benchmark.analysis import Analysis


def write_file(path: Path, content: str | bytes) -> None:
    """Write a file under a temporary name and rename it; folders are made."""
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f".{path.name}.{uuid.uuid4().hex}.tmp")
    data = content.encode() if isinstance(content, str) else content
    try:
        temporary.write_bytes(data)
        temporary.replace(path)
    finally:
        temporary.unlink(missing_ok=True)


def tables_csv(analysis: Analysis) -> str:
    """All tables in one, told apart by their first column.

    `table` is `scores`, `scores by size`, `gains`, `gains by size` or `published`;
    columns that a table has not are empty. Numbers are unrounded.
    """
    parts = [
        frame.assign(table="scores", region=region)
        for region, frame in analysis.scores.items()
    ]
    parts.append(analysis.scores_by_size.assign(table="scores by size", region="hole"))
    for name, tables in (
        ("gains", analysis.gains),
        ("gains by size", analysis.gains_by_size),
    ):
        parts += [
            frame.assign(table=name, region="hole", comparison=comparison.title)
            for comparison, frame in tables.items()
        ]
    published = analysis.published.rename(columns={"table": "paper_table"})
    parts.append(published.assign(table="published"))
    whole = pd.concat([part for part in parts if len(part)], ignore_index=True)
    first = ["table", "region", "comparison", "mask", "method", "stage", "metric"]
    first = [name for name in first if name in whole.columns]
    rest = [name for name in whole.columns if name not in first]
    return whole[first + rest].to_csv(index=False, lineterminator="\n")
