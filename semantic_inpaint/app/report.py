"""Write the report of a benchmark: what `pipelines/report.py` runs."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from pathlib import Path

import tyro
from rich.console import Console

from semantic_inpaint.app.refusal import refuse


@dataclasses.dataclass(frozen=True)
class ReportOptions:
    """Write a report from the records of a benchmark, and from nothing else."""

    records: Path
    """Folder of the benchmark, or of a report of it."""
    out: Path
    """Folder to write to: index.html, report.md, tables.csv, LaTeX, figures."""
    title: str | None = None
    """Of the report; default: after the folder of the benchmark."""
    pictures: bool = True
    """Show pictures of images, where the benchmark kept some. --no-pictures for data
    that may not be shown."""
    count: int = 8
    """Images of each gallery."""
    confidence: float = 0.95
    """Of the intervals and tests."""
    num_resamples: int = 5000
    """Of the bootstrap."""
    seed: int = 0
    """Of its draws."""

    def validate(self) -> None:
        """Check the words.

        Raises:
            ValueError: A number out of range, or a folder without records.
        """
        if not 0.0 < self.confidence < 1.0:
            raise ValueError(
                f"--confidence must be in (0, 1); got {self.confidence}; use 0.95."
            )
        for field, least in {"count": 0, "num_resamples": 1, "seed": 0}.items():
            if (value := getattr(self, field)) < least:
                word = field.replace("_", "-")
                raise ValueError(f"--{word} must be {least} or more; got {value}.")
        if self.out.exists() and not self.out.is_dir():
            raise ValueError(f"{self.out} is a file; name a folder with --out.")


def main(argv: Sequence[str] | None = None) -> int:
    """Parse the words, write the report, and say where it is.

    Args:
        argv: The words; None: those of the command line.

    Returns:
        0, or 2 after bad input, which is named in one line on stderr.
    """
    options = tyro.cli(
        ReportOptions,
        prog="report",
        description="Write the report of a benchmark.",
        args=None if argv is None else list(argv),
    )
    try:
        write_report(options, Console())
    except (ValueError, TypeError, OSError) as error:
        return refuse(error)
    return 0


def write_report(options: ReportOptions, console: Console) -> None:
    """Write the report, and print its findings.

    Raises:
        ValueError: Bad words or records.
        OSError: A file could not be read or written.
    """
    from semantic_inpaint.benchmark.aggregate import Resampling
    from semantic_inpaint.benchmark.records import read_records
    from semantic_inpaint.report import build_report
    from semantic_inpaint.report.findings import findings

    options.validate()
    records = read_records(options.records)
    if not records:
        raise ValueError(
            f"{options.records} holds no records; run pipelines/benchmark.py with "
            f"--out {options.records} first."
        )
    analysis = build_report(
        records,
        options.out,
        title=options.title or f"Inpainting benchmark: {options.records.name}",
        pictures=options.records if options.pictures else None,
        count=options.count,
        resampling=Resampling(options.confidence, options.num_resamples, options.seed),
    )
    for paragraph in findings(analysis):
        console.print(paragraph, markup=False, highlight=False)
    console.print(f"report in {options.out}", markup=False, highlight=False)
