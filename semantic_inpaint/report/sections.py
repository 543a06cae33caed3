"""The order in which a report tells what it has to tell."""

from __future__ import annotations

from pathlib import Path

from semantic_inpaint.benchmark.analysis import Analysis
from semantic_inpaint.benchmark.frame import mask_order
from semantic_inpaint.benchmark.selection import by_gain
from semantic_inpaint.report.charts import gain_charts, time_chart
from semantic_inpaint.report.document import Cell, Section, Table
from semantic_inpaint.report.findings import (
    findings,
    leak_statement,
    method_of_statistics,
)
from semantic_inpaint.report.gallery import galleries
from semantic_inpaint.report.paper_tables import (
    against_table_1,
    against_table_2,
    checks_table,
    findings_on_paper,
    published_masks,
)
from semantic_inpaint.report.tables import (
    extremes_table,
    failures_table,
    gains_table,
    scores_table,
    size_table,
    verdict_counts,
)

# Images with the largest gains, and as many with the largest losses.
EXTREMES = 8


def make_sections(
    analysis: Analysis, *, pictures: Path | None, count: int
) -> list[Section]:
    """Put a report together.

    Args:
        analysis: Of the records.
        pictures: Folder of the benchmark; None: without pictures of images.
        count: Images of each gallery.
    """
    sections = [
        Section("Findings", (*findings(analysis), method_of_statistics(analysis))),
        _changes(analysis),
        _methods(analysis),
        _sizes(analysis),
        _paper(analysis),
        _gallery(analysis, pictures, count),
        _failures(analysis),
        _made_with(analysis),
    ]
    return [section for section in sections if section.blocks]


def _changes(analysis: Analysis) -> Section:
    charts = tuple(gain_charts(analysis))
    tables = [
        gains_table(table, comparison, folded=i > 0)
        for i, (comparison, table) in enumerate(analysis.gains.items())
    ]
    if analysis.refinement is not None:
        entry = analysis.refinement
        pairs = by_gain(analysis.frame, entry.before, entry.after)
        tables.append(extremes_table(pairs, entry, count=EXTREMES))
    extras = [
        gains_table(table, comparison, about=": seams, scores and the like")
        for comparison, table in analysis.gains_of_extras.items()
    ]
    return Section(
        "Before and after", (*([charts] if charts else []), *tables, *extras)
    )


def _methods(analysis: Analysis) -> Section:
    chart = time_chart(analysis)
    tables = [scores_table(analysis, region) for region in analysis.scores]
    return Section(
        "All methods",
        (
            *([(chart,)] if chart else []),
            *tables,
        ),
    )


def _sizes(analysis: Analysis) -> Section:
    if not len(analysis.scores_by_size):
        return Section("By size of the hole", ())
    gains = [
        gains_table(table, comparison)
        for comparison, table in analysis.gains_by_size.items()
        if comparison == analysis.refinement
    ]
    return Section("By size of the hole", (size_table(analysis), *gains))


def _paper(analysis: Analysis) -> Section:
    blocks = [*findings_on_paper(analysis), checks_table(analysis)]
    refinement = analysis.refinement
    if refinement is not None:
        masks = set(analysis.gains[refinement]["mask"])
        if masks & set(published_masks()):
            blocks.insert(-1, against_table_1(analysis))
        if "center" in masks:
            blocks.insert(-1, against_table_2(analysis))
    return Section("The paper's figures", tuple(blocks))


def _gallery(analysis: Analysis, pictures: Path | None, count: int) -> Section:
    if pictures is None:
        return Section("Gallery", ())
    shown = galleries(analysis, pictures, count=count)
    if not shown:
        return Section("Gallery", ())
    opening = (
        "Chosen by rules, not by eye: the first by number for each mask, then the best "
        "and the worst by gain. An answer that is not blended shows the generated "
        "image as it is."
    )
    return Section("Gallery", (opening, *shown))


def _failures(analysis: Analysis) -> Section:
    failed = int(analysis.frame["failed"].sum())
    if not len(analysis.failures):
        return Section("Failures", ("No search failed or was judged poor.",))
    opening = (
        f"{len(analysis.failures)} answers came from a search that failed or was "
        f"judged poor. Records without figures: {failed}; they are left out of every "
        "mean, and counted beside it."
    )
    return Section(
        "Failures", (opening, verdict_counts(analysis), failures_table(analysis))
    )


def _made_with(analysis: Analysis) -> Section:
    made = analysis.provenance
    lines = {
        "images": f"{made.num_images} of {made.images.get('name')}, "
        f"sha256 {str(made.images.get('sha256'))[:12]}",
        "masks": ", ".join(mask_order(analysis.frame["mask"])),
        "seeds": ", ".join(map(str, made.seeds)),
        "records": str(made.num_records),
        "computed by": "; ".join(made.machines),
    }
    lines |= {f"prior of {m}": prior for m, prior in made.priors.items()}
    lines |= {f"version of {n}": ", ".join(v) for n, v in made.versions.items()}
    rows = tuple((Cell(name), Cell(value)) for name, value in lines.items())
    options = tuple(
        (Cell(method), Cell(", ".join(masks)), Cell(text))
        for method, found in made.options.items()
        for text, masks in found
    )
    return Section(
        "What made it",
        (
            leak_statement(analysis),
            Table("Images, versions, machines.", ("what", "which"), rows),
            Table(
                "Options of every method.",
                ("method", "masks", "options"),
                options,
                True,
            ),
        ),
    )
