"""All that a report shows, computed once from the records."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from typing import Any

import pandas as pd

from semantic_inpaint.benchmark.aggregate import Resampling, measured, score_table
from semantic_inpaint.benchmark.comparisons import (
    Comparison,
    best_cells,
    default_comparisons,
    gain_table,
)
from semantic_inpaint.benchmark.frame import (
    EXTRAS,
    REGIONS,
    mask_order,
    method_stages,
    stages_of,
    to_frame,
)
from semantic_inpaint.benchmark.provenance import Provenance, trace
from semantic_inpaint.benchmark.published import check_published

FINE = "fine"


@dataclasses.dataclass(frozen=True, eq=False)
class Analysis:
    """Tables of one benchmark.

    Attributes:
        frame: Of `to_frame`.
        provenance: What the records were made with.
        resampling: How intervals were made.
        scores: For each region and the extras, `score_table` by mask, method and stage.
        best: For the hole and the image, `best_cells`.
        gains: For each comparison, `gain_table` over the hole, by mask.
        gains_of_extras: The same of the metrics of no region.
        gains_by_size: The same by size of the hole; empty where all are of one bin.
        scores_by_size: Of the last stages, over the hole; empty likewise.
        overall: Of the last stages, over the hole, on the masks that all of them have.
        shared_masks: Those masks.
        failures: Rows of `frame` whose search failed or was judged, of the last stages.
        published: Of `check_published`.
    """

    frame: pd.DataFrame
    provenance: Provenance
    resampling: Resampling
    scores: Mapping[str, pd.DataFrame]
    best: Mapping[str, set[tuple[str, str, str, str]]]
    gains: Mapping[Comparison, pd.DataFrame]
    gains_of_extras: Mapping[Comparison, pd.DataFrame]
    gains_by_size: Mapping[Comparison, pd.DataFrame]
    scores_by_size: pd.DataFrame
    overall: pd.DataFrame
    shared_masks: tuple[str, ...]
    failures: pd.DataFrame
    published: pd.DataFrame

    @property
    def refinement(self) -> Comparison | None:
        """The first comparison of a method before and after its refinement."""
        stages = ("inpainted", "refined")
        for comparison in self.gains:
            if (comparison.before[1], comparison.after[1]) == stages:
                return comparison
        return None

    @property
    def control(self) -> tuple[str, str] | None:
        """Plain steps without refinement (the paper's table 2), and their stage."""
        answers = [entry for entry in method_stages(self.frame) if entry[0] == "plain"]
        return answers[-1] if answers else None

    def value(
        self, region: str, mask: str, entry: tuple[str, str] | None, metric: str
    ) -> float:
        """One mean; NaN where there is none."""
        if entry is None:
            return float("nan")
        table = self.scores[region]
        wanted = (mask, *entry, metric)
        found = table.loc[
            (table["mask"] == wanted[0])
            & (table["method"] == wanted[1])
            & (table["stage"] == wanted[2])
            & (table["metric"] == wanted[3]),
            "value",
        ]
        return float(found.iloc[0]) if len(found) else float("nan")


def analyse(
    records: Sequence[Mapping[str, Any]], *, resampling: Resampling | None = None
) -> Analysis:
    """Compute every table of a report.

    Args:
        records: As `benchmark.records` keeps them.
        resampling: How intervals are made; None: with the defaults.

    Raises:
        ValueError: Records that may not stand in one report; see `to_frame`.
    """
    resampling = resampling or Resampling()
    frame = to_frame(records)
    frame = frame.sort_values(
        "mask", key=_ranks(mask_order(frame["mask"])), kind="stable"
    ).reset_index(drop=True)
    regions = [r for r in (*REGIONS, EXTRAS) if measured(frame, r)]
    scores = {r: score_table(frame, region=r, resampling=resampling) for r in regions}
    comparisons = default_comparisons(frame)
    answers = frame[_is_answer(frame)]
    shared = _shared_masks(answers)
    several_bins = frame["hole_bin"].nunique() > 1

    def gains(by: str, region: str = "hole") -> dict[Comparison, pd.DataFrame]:
        tables = {
            c: gain_table(frame, c, region=region, by=by, resampling=resampling)
            for c in comparisons
        }
        return {c: table for c, table in tables.items() if len(table)}

    return Analysis(
        frame=frame,
        provenance=trace(records),
        resampling=resampling,
        scores=scores,
        best={
            r: best_cells(frame, scores[r], region=r, resampling=resampling)
            for r in ("hole", "image")
            if r in scores
        },
        gains=gains("mask"),
        gains_of_extras=gains("mask", EXTRAS),
        gains_by_size=gains("hole_bin") if several_bins else {},
        scores_by_size=_by(answers, "hole_bin", resampling)
        if several_bins
        else pd.DataFrame(),
        overall=_by(answers[answers["mask"].isin(shared)], None, resampling),
        shared_masks=shared,
        failures=answers[answers["failed"] | _is_judged(answers)],
        published=check_published(frame.groupby("mask")["hole_share"].mean().to_dict()),
    )


def _by(frame: pd.DataFrame, group: str | None, resampling: Resampling) -> pd.DataFrame:
    by = ("method", "stage") if group is None else (group, "method", "stage")
    if not len(frame):
        return pd.DataFrame()
    ordered = frame if group is None else frame.sort_values(group, kind="stable")
    return score_table(ordered, by=by, resampling=resampling)


def _is_answer(frame: pd.DataFrame) -> pd.Series:
    """Whether a row is of the last stage of its method."""
    last = {method: stages_of(frame, method)[-1] for method in frame["method"].unique()}
    return frame["stage"] == frame["method"].map(last)


def _is_judged(frame: pd.DataFrame) -> pd.Series:
    return (frame["status"] == "nonfinite") | (
        frame["verdict"].notna() & (frame["verdict"] != FINE)
    )


def _shared_masks(answers: pd.DataFrame) -> tuple[str, ...]:
    of_methods = [set(of["mask"]) for _, of in answers.groupby("method")]
    return tuple(mask_order(set.intersection(*of_methods)))


def _ranks(order: Sequence[str]):  # noqa: ANN202 - a key for sort_values
    ranks = {name: i for i, name in enumerate(order)}
    return lambda column: column.map(ranks)
