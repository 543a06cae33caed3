"""Tables of a report, from those of the analysis."""

from __future__ import annotations

from collections.abc import Sequence

import pandas as pd

from semantic_inpaint.benchmark.aggregate import metric_of
from semantic_inpaint.benchmark.analysis import Analysis
from semantic_inpaint.benchmark.comparisons import BETTER, UNDECIDED, Comparison
from semantic_inpaint.benchmark.frame import EXTRAS, mask_title
from semantic_inpaint.report.document import Cell, Table
from semantic_inpaint.report.formats import (
    count,
    figure_cell,
    number,
    p_value,
    share_cell,
    words,
)

REGION_TITLES = {
    "hole": "All methods over the hole",
    "known": "All methods over the known pixels",
    "image": "All methods over the whole image",
    EXTRAS: "Seams, the discriminator's score and perceptual distances",
}
MAX_FAILURES = 40


def scores_table(analysis: Analysis, region: str) -> Table:
    """Mean of every metric for each mask, method and stage."""
    scores = analysis.scores[region]
    bold_rule = (
        "bold: better than every other of its mask, by interval and corrected test."
        if region in analysis.best
        else "nothing is bold here."
    )
    return _scores(
        scores,
        f"{REGION_TITLES[region]}; {bold_rule}",
        list(dict.fromkeys(scores["metric"])),
        best=analysis.best.get(region, set()),
        folded=region != "hole",
    )


def size_table(analysis: Analysis) -> Table:
    """Last stages by size of the hole."""
    scores = analysis.scores_by_size
    return _scores(
        scores,
        "All masks together, by the share of the image that is missing; over the hole.",
        list(dict.fromkeys(scores["metric"])),
        group="hole_bin",
    )


def gains_table(
    table: pd.DataFrame, comparison: Comparison, *, about: str = "", folded: bool = True
) -> Table:
    """Changes of one comparison, a row for each mask or size and metric."""
    group = table.columns[0]
    rows = []
    for row in table.itertuples():
        name = getattr(row, group)
        signed = figure_cell(
            row.metric,
            row.change,
            row.low,
            row.high,
            signed=True,
            bold=row.verdict != UNDECIDED,
        )
        rows.append(
            (
                words(mask_title(name) if group == "mask" else name),
                words(metric_of(row.metric).title),
                count(row.n),
                figure_cell(row.metric, row.before),
                figure_cell(row.metric, row.after, bold=row.verdict == BETTER),
                signed,
                share_cell(row.improved),
                Cell(p_value(row.p_holm), key=row.p_holm),
                words(row.verdict),
            )
        )
    headings = ("mask" if group == "mask" else "hole", "metric", "images", "before")
    headings += ("after", "change", "improved", "p (Holm)", "verdict")
    return Table(f"{comparison.title}{about}", headings, tuple(rows), folded)


def extremes_table(pairs: pd.DataFrame, comparison: Comparison, *, count: int) -> Table:
    """The images of the largest gains and losses, from `selection.by_gain`."""
    if len(pairs) > 2 * count:
        pairs = pd.concat([pairs.head(count), pairs.tail(count)])
    rows = [
        (
            words(row.image),
            words(mask_title(row.mask)),
            figure_cell("psnr_mean", row.before),
            figure_cell("psnr_mean", row.after),
            figure_cell("psnr_mean", row.gain, signed=True),
        )
        for row in pairs.itertuples()
    ]
    return Table(
        f"{comparison.title}: images of the largest gains and losses in PSNR over the "
        "hole.",
        ("image", "mask", "before", "after", "gain"),
        tuple(rows),
        folded=True,
    )


def failures_table(analysis: Analysis) -> Table:
    """Answers that failed or were judged, the worst first."""
    worst = analysis.failures.sort_values(
        ["hole_mse", "mask", "image"],
        ascending=[False, True, True],
        na_position="first",
    ).head(MAX_FAILURES)
    rows = [
        (
            words(row.image),
            words(mask_title(row.mask)),
            words(row.method),
            count(row.seed),
            words(row.status),
            words(row.verdict if isinstance(row.verdict, str) else "-"),
            figure_cell("psnr_mean", row.hole_psnr),
        )
        for row in worst.itertuples()
    ]
    headings = ("image", "mask", "method", "seed", "status", "verdict", "PSNR")
    return Table(
        f"The worst {len(rows)} of {len(analysis.failures)}, by error over the hole.",
        headings,
        tuple(rows),
        folded=len(rows) > 10,
    )


def verdict_counts(analysis: Analysis) -> Table:
    """How often each verdict was given, by method."""
    failures = analysis.failures.fillna({"verdict": "no verdict"})
    grouped = failures.groupby(["method", "status", "verdict"], sort=True).size()
    rows = [
        (words(method), words(status), words(verdict), count(size))
        for (method, status, verdict), size in grouped.items()
    ]
    headings = ("method", "status", "verdict", "records")
    return Table("How often, over all masks.", headings, tuple(rows))


def _scores(
    scores: pd.DataFrame,
    caption: str,
    metrics: Sequence[str],
    *,
    best: set | frozenset = frozenset(),
    group: str = "mask",
    folded: bool = False,
) -> Table:
    rows = []
    keys = [group, "method", "stage"]
    for key, of_row in scores.groupby(keys, sort=False):
        values = of_row.set_index("metric")
        first = of_row.iloc[0]
        title = mask_title(key[0]) if group == "mask" else key[0]
        cells = [words(title), share_cell(first["hole_share"]), *map(words, key[1:])]
        cells += [
            count(of_row["n"].max()),
            count(first["failed"]),
            Cell(number(first["seconds"], 3), key=float(first["seconds"])),
        ]
        for metric in metrics:
            if metric not in values.index:
                cells.append(Cell("-"))
                continue
            ends = values.loc[metric, ["value", "low", "high"]].astype(float)
            cells.append(figure_cell(metric, *ends, bold=(*key, metric) in best))
        rows.append(tuple(cells))
    headings = ("mask" if group == "mask" else "bin", "hole", "method", "stage")
    headings += ("images", "failed", "s/image")
    headings += tuple(metric_of(metric).title for metric in metrics)
    return Table(caption, headings, tuple(rows), folded)
