"""Records of a benchmark as one table, checked before anything is averaged."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np
import pandas as pd

from semantic_inpaint.masks import PATTERNS

SCHEMA = 1
REGIONS = ("hole", "known", "image")
# In place of a region, for metrics of none, such as the energy of a seam.
EXTRAS = "extras"
STAGES = ("unblended", "inpainted", "refined", "completed")
FIELDS = (
    "method",
    "stage",
    "mask",
    "mask_id",
    "image",
    "image_number",
    "seed",
    "known_sha256",
    "hole_share",
    "status",
    "verdict",
    "seconds",
    "leak_checked",
    "options_sha256",
)
# The bins of Liu et al. (PConv), section 4.2, carried on to a whole image.
BIN_EDGES = np.round(np.arange(0.0, 1.01, 0.1), 1)
# Shares are counted in pixels: 10% of 64x64 is no whole number of them.
BIN_SLACK = 1e-9


def to_frame(records: Iterable[Mapping[str, Any]]) -> pd.DataFrame:
    """Lay records out, one row each.

    Args:
        records: As `benchmark.records` keeps them, of schema 1. Of two with the same
            key the first counts.

    Returns:
        The fields of a record, with `"hole_bin"` (such as `"20-30%"`) and `"failed"`
        (no figures over the hole); a column for each metric, `"hole_mae"` and so on
        for those of a region, under its own name for any other. PSNR is inf where the
        squared error is zero; what is undefined is NaN.

    Raises:
        ValueError: No record, another schema, a field is missing, or records that may
            not stand in one table: of several sets of images, or of one method and
            mask with several options or weights.
    """
    unique: dict[str, Mapping[str, Any]] = {}
    for number, record in enumerate(records):
        _validate_record(record, number)
        unique.setdefault(record["key"], record)
    if not unique:
        raise ValueError("there are no records. Run the benchmark first.")
    kept = list(unique.values())
    _refuse_mixtures(kept)
    frame = pd.DataFrame([_row(record) for record in kept])
    frame["hole_bin"] = hole_bins(frame["hole_share"].to_numpy())
    return frame


def extra_metrics(frame: pd.DataFrame) -> list[str]:
    """Name the metrics that belong to no region, such as a seam's energy."""
    plain = {*FIELDS, "hole_bin", "failed"}
    prefixes = tuple(f"{region}_" for region in REGIONS)
    return [
        name
        for name in frame.columns
        if name not in plain and not name.startswith(prefixes)
    ]


def hole_bins(shares: np.ndarray) -> list[str]:
    """Name the bin of each hole share: above its lower edge, up to its upper one."""
    upper = np.searchsorted(BIN_EDGES, np.asarray(shares) - BIN_SLACK)
    return [
        f"{round(100 * BIN_EDGES[i - 1]):02d}-{round(100 * BIN_EDGES[i])}%"
        for i in np.clip(upper, 1, len(BIN_EDGES) - 1)
    ]


def mask_order(masks: Iterable[str]) -> list[str]:
    """The paper's six in its order, then all others by name."""
    return sorted(
        set(masks),
        key=lambda name: (PATTERNS[name].number if name in PATTERNS else 99, name),
    )


def mask_title(name: str) -> str:
    """What a mask is called in tables: its own name, the paper's six with number."""
    return f"{PATTERNS[name].number} {name}" if name in PATTERNS else name


def method_stages(frame: pd.DataFrame) -> list[tuple[str, str]]:
    """Methods in the order in which they came, each with its stages in theirs."""
    return [
        (method, stage)
        for method in frame["method"].unique()
        for stage in stages_of(frame, method)
    ]


def stages_of(frame: pd.DataFrame, method: str) -> list[str]:
    """Stages of a method, the last is its answer."""
    found = set(frame.loc[frame["method"] == method, "stage"])
    return [stage for stage in STAGES if stage in found] + sorted(found - {*STAGES})


def _row(record: Mapping[str, Any]) -> dict[str, Any]:
    row = {field: record[field] for field in FIELDS}
    for name, value in record["metrics"].items():
        if not isinstance(value, Mapping):
            row[name] = _number(value)
            continue
        for metric, of_region in value.items():
            row[f"{name}_{metric}"] = _number(of_region)
        # A record keeps null for the infinite PSNR of an exact answer.
        if row.get(f"{name}_mse") == 0.0:
            row[f"{name}_psnr"] = np.inf
    row["failed"] = bool(np.isnan(row.get("hole_mse", np.nan)))
    return row


def _validate_record(record: Mapping[str, Any], number: int) -> None:
    if record.get("schema") != SCHEMA:
        raise ValueError(
            f"record {number} has schema {record.get('schema')!r}, expected {SCHEMA}; "
            "read it with the version that wrote it."
        )
    missing = [f for f in (*FIELDS, "key", "metrics", "images") if f not in record]
    if missing:
        raise ValueError(
            f"record {number} lacks {', '.join(missing)}; remove it and run the "
            "benchmark again."
        )


def _refuse_mixtures(records: list[Mapping[str, Any]]) -> None:
    """Refuse what would be averaged, but was not made alike."""
    image_sets = {str(r["images"].get("sha256")): r["images"] for r in records}
    if len(image_sets) > 1:
        names = ", ".join(str(images.get("name")) for images in image_sets.values())
        raise ValueError(
            f"the records are of {len(image_sets)} sets of images ({names}); report "
            "each by itself."
        )
    made: dict[tuple, set] = {}
    for record in records:
        cell = (record["method"], record["stage"], record["mask"])
        prior = (record.get("prior") or {}).get("sha256")
        decided = (record["options_sha256"], prior, record.get("encoder_sha256"))
        made.setdefault(cell, set()).add(decided)
    for (method, _, mask), ways in made.items():
        if len(ways) > 1:
            raise ValueError(
                f"the method {method!r} on the mask {mask!r} was run with {len(ways)} "
                "different sets of options or weights; report each by itself."
            )


def _number(value: float | None) -> float:
    return np.nan if value is None else float(value)
