"""Means over images with intervals, from the table of all records."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from types import MappingProxyType

import numpy as np
import pandas as pd

from semantic_inpaint.benchmark.frame import EXTRAS, extra_metrics
from semantic_inpaint.benchmark.statistics import (
    CONFIDENCE,
    NUM_RESAMPLES,
    mean_intervals,
)
from semantic_inpaint.metrics import psnr_from_mse


@dataclasses.dataclass(frozen=True)
class Metric:
    """How a figure is shown.

    Attributes:
        title: In the head of a table.
        digits: After the point.
        sign: +1 where more is better, -1 where less is.
    """

    title: str
    digits: int
    sign: int


METRICS: Mapping[str, Metric] = MappingProxyType(
    {
        "mae": Metric("MAE", 2, -1),
        "mse": Metric("MSE", 1, -1),
        "rmse": Metric("RMSE", 2, -1),
        "psnr_pooled": Metric("PSNR", 2, +1),
        "psnr_mean": Metric("PSNR (mean)", 2, +1),
        "mssim": Metric("MSSIM", 4, +1),
        "l1_percent": Metric("L1 %", 3, -1),
        "score": Metric("score", 4, +1),
        "seam_energy": Metric("seam", 5, -1),
        "relative_seam_energy": Metric("relative seam", 3, -1),
    }
)
# In the records under these names, one value an image.
OF_IMAGES = {"psnr_mean": "psnr"}


@dataclasses.dataclass(frozen=True)
class Resampling:
    """How intervals are made.

    Attributes:
        confidence: In (0, 1).
        num_resamples: Of the bootstrap.
        seed: Of its draws.
    """

    confidence: float = CONFIDENCE
    num_resamples: int = NUM_RESAMPLES
    seed: int = 0


def metric_of(name: str) -> Metric:
    """How a metric is shown; any without an entry of its own: less is better."""
    return METRICS.get(name, Metric(name, 4, -1))


def measured(frame: pd.DataFrame, region: str) -> dict[str, str]:
    """Map the metrics that a region has to the columns of their values per image.

    Args:
        frame: Of `to_frame`.
        region: `"hole"`, `"known"`, `"image"`, or `"extras"` for those of none.
    """
    if region == EXTRAS:
        there = [name for name in extra_metrics(frame) if frame[name].notna().any()]
        listed = [name for name in METRICS if name in there]
        return {name: name for name in dict.fromkeys(listed + there)}
    columns = {}
    for name in METRICS:
        column = f"{region}_{OF_IMAGES.get(name, name)}"
        if column in frame.columns:
            columns[name] = column
    return columns


def unit_means(
    frame: pd.DataFrame, columns: Sequence[str], *, by: Sequence[str] = ()
) -> pd.DataFrame:
    """One row an image: the mean of its records in each group.

    Seeds and holes of one image are no independent samples, so that the image is what
    intervals draw and tests count.

    Args:
        frame: Of `to_frame`, failed records left out.
        columns: To average.
        by: Of the groups; none: all records are one.

    Returns:
        `columns`, with the index `(*by, "image")`.
    """
    grouped = frame.groupby([*by, "image"], sort=True, observed=True)
    return grouped[list(columns)].mean()


def score_table(
    frame: pd.DataFrame,
    *,
    region: str = "hole",
    by: Sequence[str] = ("mask", "method", "stage"),
    resampling: Resampling | None = None,
) -> pd.DataFrame:
    """Mean of every metric in every group, with intervals over images.

    Args:
        frame: Of `to_frame`.
        region: Over which the errors are taken; see `measured`.
        by: Columns whose values make the groups.
        resampling: How intervals are made; None: with the defaults.

    Returns:
        `by`, `"metric"`, `"n"` (images), `"failed"` (records without figures, which
        are left out), `"hole_share"`, `"seconds"` (means over records), `"value"`,
        `"low"`, `"high"`. `"psnr_pooled"` is the PSNR of the mean squared error, with
        the ends of that error's interval; `"psnr_mean"` the mean of the PSNR.
    """
    resampling = resampling or Resampling()
    columns = measured(frame, region)
    rows = []
    for key, group in frame.groupby(list(by), sort=False, observed=True):
        fit = group[~group["failed"]]
        about = dict(zip(by, key, strict=True)) | {
            "failed": int(group["failed"].sum()),
            "hole_share": group["hole_share"].mean(),
            "seconds": group["seconds"].mean(),
        }
        rows += [about | figures for figures in _figures(fit, columns, resampling)]
    return pd.DataFrame(rows)


def column_intervals(
    values: pd.DataFrame, resampling: Resampling
) -> dict[str, tuple[int, float, float, float]]:
    """Mean of each column with its interval, over the rows that have a value.

    Args:
        values: One row an image, one column a quantity; NaN where there is none.
        resampling: How intervals are made.

    Returns:
        For each column with a value: number of rows, mean, lower and upper end.
    """
    # Columns that are whole are drawn together, any other over the rows that it has.
    settings = dataclasses.asdict(resampling)
    whole = [name for name in values.columns if values[name].notna().all()]
    found = {}
    for names in [whole, *([name] for name in values.columns if name not in whole)]:
        rows = values[names].dropna().to_numpy(dtype=np.float64)
        if rows.size:
            ends = zip(*mean_intervals(rows, **settings), strict=True)
            for name, interval in zip(names, ends, strict=True):
                found[name] = (len(rows), *map(float, interval))
    return found


def _figures(
    frame: pd.DataFrame, columns: Mapping[str, str], resampling: Resampling
) -> list[dict]:
    """Mean and interval of each metric over the images of one group."""
    units = unit_means(frame, list(columns.values()))
    found = column_intervals(
        units[list(columns.values())].set_axis(list(columns), axis=1), resampling
    )
    if "mse" in found:
        n, *mse = found["mse"]
        value, high, low = (_decibels(end) for end in mse)
        found["psnr_pooled"] = (n, value, low, high)
    order = [name for name in METRICS if name in found]
    order += [name for name in found if name not in METRICS]
    fields = ("n", "value", "low", "high")
    return [{"metric": m, **dict(zip(fields, found[m], strict=True))} for m in order]


def _decibels(mse: float) -> float:
    """PSNR of a squared error on the scale to 255."""
    return float(psnr_from_mse(mse)) if np.isfinite(mse) else np.nan
