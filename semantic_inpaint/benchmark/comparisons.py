"""Two methods or stages on the same images and holes: differences, tests, verdicts."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd

from semantic_inpaint.benchmark.aggregate import (
    Resampling,
    column_intervals,
    measured,
    metric_of,
    unit_means,
)
from semantic_inpaint.benchmark.frame import mask_order, method_stages, stages_of
from semantic_inpaint.benchmark.statistics import (
    holm,
    paired_p_value,
    pooled_gain_interval,
)
from semantic_inpaint.metrics import psnr_from_mse

BETTER = "better"
WORSE = "worse"
UNDECIDED = "undecided"

# Multiples of others of the list, which would add nothing but tests to correct for.
REDUNDANT = ("rmse", "l1_percent")
# The test of the pooled PSNR is that of the squared error: its gain is zero where the
# mean squared errors are equal.
SHARES_A_TEST = {"psnr_pooled": "mse"}


@dataclasses.dataclass(frozen=True)
class Comparison:
    """What is compared.

    Attributes:
        before: Method and stage.
        after: Method and stage.
    """

    before: tuple[str, str]
    after: tuple[str, str]

    @property
    def title(self) -> str:
        """In words, such as `"refined: inpainted to refined"`."""
        (method, stage), (other, other_stage) = self.before, self.after
        if method == other:
            return f"{method}: {stage} to {other_stage}"
        return f"{method} ({stage}) to {other} ({other_stage})"


def default_comparisons(frame: pd.DataFrame) -> list[Comparison]:
    """Find what the records compare: refinement, the paper's control, blending.

    Args:
        frame: Of `to_frame`.

    Returns:
        For each method with both: inpainted to refined (Malesevic et al., table 1);
        `plain` steps to each of those (table 2); unblended to inpainted.
    """
    both = [
        method
        for method in frame["method"].unique()
        if {"inpainted", "refined"} <= set(stages_of(frame, method))
    ]
    found = [Comparison((m, "inpainted"), (m, "refined")) for m in both]
    plain = [stage for method, stage in method_stages(frame) if method == "plain"]
    found += [Comparison(("plain", plain[-1]), (m, "refined")) for m in both if plain]
    found += [
        Comparison((method, "unblended"), (method, "inpainted"))
        for method in frame["method"].unique()
        if {"unblended", "inpainted"} <= set(stages_of(frame, method))
    ]
    return found


def gain_table(
    frame: pd.DataFrame,
    comparison: Comparison,
    *,
    region: str = "hole",
    by: str = "mask",
    resampling: Resampling | None = None,
) -> pd.DataFrame:
    """Changes of every metric, over the images that both sides have.

    Args:
        frame: Of `to_frame`.
        comparison: Before and after.
        region: Over which the errors are taken, or `"extras"`; see `measured`.
        by: Column whose values make the groups, `"mask"` or `"hole_bin"`.
        resampling: How intervals are made; None: with the defaults.

    Returns:
        `by`, `"metric"`, `"n"`, `"before"`, `"after"`, `"change"` (after less before),
        `"low"`, `"high"`, `"improved"` (share of the images), `"p"`, `"p_holm"`
        (corrected for all tests of the table) and `"verdict"`: `"better"` or `"worse"`
        where the interval excludes zero and the corrected p-value agrees, else
        `"undecided"`.
    """
    resampling = resampling or Resampling()
    columns = {k: v for k, v in measured(frame, region).items() if k not in REDUNDANT}
    before, after = (
        _by_hole(frame, side, list(columns.values()), by)
        for side in (comparison.before, comparison.after)
    )
    pairs = before.add_suffix("/before").join(after.add_suffix("/after"), how="inner")
    rows = []
    for group in _ordered(pairs.index.get_level_values(by).unique(), by):
        of_group = pairs.xs(group, level=by).groupby("image").mean()
        rows += [{by: group, **row} for row in _changes(of_group, columns, resampling)]
    return _judged(pd.DataFrame(rows), resampling.confidence)


def best_cells(
    frame: pd.DataFrame,
    scores: pd.DataFrame,
    *,
    region: str = "hole",
    resampling: Resampling | None = None,
) -> set[tuple[str, str, str, str]]:
    """Tell which means of a table are the best of their mask beyond doubt.

    Args:
        frame: Of `to_frame`.
        scores: Of `score_table`, by mask, method and stage.
        region: Of the scores.
        resampling: How intervals are made; None: with the defaults.

    Returns:
        `(mask, method, stage, metric)` of each mean that is better than that of every
        other method and stage on the same mask, each by a verdict of `gain_table` on
        the images that both have. Where no other was run, none is.
    """
    best = set()
    for mask in scores["mask"].unique():
        of_mask = frame[frame["mask"] == mask]
        wins: dict[tuple[str, str], set[str]] = {}
        entries = method_stages(of_mask)
        for entry in entries if len(entries) > 1 else []:
            candidates = _leading(scores[scores["mask"] == mask], entry)
            for other in entries:
                if other != entry and candidates:
                    table = gain_table(
                        of_mask,
                        Comparison(other, entry),
                        region=region,
                        resampling=resampling,
                    )
                    candidates &= (
                        set(table.loc[table["verdict"] == BETTER, "metric"])
                        if len(table)
                        else set()
                    )
            wins[entry] = candidates
        best |= {
            (mask, *entry, metric)
            for entry, metrics in wins.items()
            for metric in metrics
        }
    return best


def _leading(scores: pd.DataFrame, entry: tuple[str, str]) -> set[str]:
    """Metrics in which no other mean of a mask is better."""
    found = set()
    for metric, of_metric in scores.groupby("metric"):
        signed = metric_of(metric).sign * of_metric["value"]
        first = of_metric.loc[signed.idxmax()] if signed.notna().any() else None
        if first is not None and (first["method"], first["stage"]) == entry:
            found.add(metric)
    return found


def _by_hole(
    frame: pd.DataFrame, side: tuple[str, str], columns: Sequence[str], by: str
) -> pd.DataFrame:
    """Mean over the seeds of each image with each hole, failed records left out."""
    method, stage = side
    chosen = frame[(frame["method"] == method) & (frame["stage"] == stage)]
    index = list(dict.fromkeys([by, "mask", "known_sha256"]))
    return unit_means(chosen[~chosen["failed"]], columns, by=index)


def _changes(
    pairs: pd.DataFrame, columns: Mapping[str, str], resampling: Resampling
) -> list[dict]:
    before, after = (
        pairs[[f"{column}/{side}" for column in columns.values()]].set_axis(
            list(columns), axis=1
        )
        for side in ("before", "after")
    )
    # Two exact answers, both of infinite PSNR, have no difference.
    difference = after - before
    rows = []
    for name, interval in column_intervals(difference, resampling).items():
        there = difference[name].dropna()
        n, change, low, high = interval
        row = {
            "metric": name,
            "n": n,
            "before": before.loc[there.index, name].mean(),
            "after": after.loc[there.index, name].mean(),
            "change": change,
            "low": low,
            "high": high,
            "improved": float((metric_of(name).sign * there > 0.0).mean()),
            "p": paired_p_value(there.to_numpy()),
        }
        rows.append(row)
        if name == "mse":
            sides = before.loc[there.index, "mse"], after.loc[there.index, "mse"]
            rows.append(row | _pooled_change(*sides, resampling))
    return rows


def _pooled_change(
    before: pd.Series, after: pd.Series, resampling: Resampling
) -> dict[str, float | str]:
    change, low, high = pooled_gain_interval(
        before.to_numpy(), after.to_numpy(), **dataclasses.asdict(resampling)
    )
    return {
        "metric": "psnr_pooled",
        "before": float(psnr_from_mse(before.mean())),
        "after": float(psnr_from_mse(after.mean())),
        "change": change,
        "low": low,
        "high": high,
    }


def _judged(table: pd.DataFrame, confidence: float) -> pd.DataFrame:
    """Correct the tests for their number, and say what can be said."""
    if not len(table):
        return table
    own = ~table["metric"].isin(SHARES_A_TEST)
    table["p_holm"] = np.nan
    table.loc[own, "p_holm"] = holm(table.loc[own, "p"].to_numpy())
    group = table.columns[0]
    corrected = table.set_index([group, "metric"])["p_holm"]
    table["p_holm"] = [
        corrected[(key, SHARES_A_TEST.get(metric, metric))]
        for key, metric in zip(table[group], table["metric"], strict=True)
    ]
    sign = table["metric"].map(lambda name: metric_of(name).sign)
    sure = table["p_holm"] < 1.0 - confidence
    up, down = sure & (table["low"] > 0.0), sure & (table["high"] < 0.0)
    table["verdict"] = np.select(
        [(up & (sign > 0)) | (down & (sign < 0)), up | down],
        [BETTER, WORSE],
        default=UNDECIDED,
    )
    return table


def _ordered(groups: Sequence[str], by: str) -> list[str]:
    return mask_order(groups) if by == "mask" else sorted(groups)
