"""The table that ends the command `benchmark`; reports have the intervals."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np
from rich import box
from rich.table import Table

from semantic_inpaint.benchmark.lineup import COMPLETED
from semantic_inpaint.metrics import psnr_from_mse

HEADINGS = ("MAE", "PSNR", "MSSIM", "s/image")


def table(records: Iterable[Mapping[str, Any]]) -> Table:
    """Average the hole of all images (PSNR: of the mean MSE); seconds: the median."""
    cells: dict[tuple[str, str], list[Mapping[str, Any]]] = {}
    for record in records:
        method, stage = record["method"], record["stage"]
        answer = stage in (method, COMPLETED)
        cell = (record["mask"], method if answer else f"{method} {stage}")
        cells.setdefault(cell, []).append(record)
    shown = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    for heading in ("mask", "method"):
        shown.add_column(heading, no_wrap=True)
    for heading in ("images", *HEADINGS):
        shown.add_column(heading, justify="right", no_wrap=True)
    for cell, of_cell in cells.items():
        holes = [record["metrics"]["hole"] for record in of_cell]
        mae, mse, mssim = (
            np.mean([hole[metric] for hole in holes])
            for metric in ("mae", "mse", "mssim")
        )
        seconds = np.median([record["seconds"] for record in of_cell])
        shown.add_row(
            *cell,
            str(len(of_cell)),
            f"{mae:.2f}",
            f"{psnr_from_mse(mse):.2f}",
            f"{mssim:.4f}",
            f"{seconds:.3f}",
        )
    return shown
