"""The paper's printed figures, and whether they agree with themselves.

Malesevic, Mayer, Gu, Timofte: Photo-Realistic and Robust Inpainting of Faces using
Refinement GANs, tables 1 and 2, as printed. PSNR there is that of the mean MSE.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping

import pandas as pd

from semantic_inpaint.metrics import psnr_from_mse

BEFORE = "before"
AFTER = "after"
TWICE = "3000 steps"

# Half a unit of the last printed digit, of the PSNR and, in decibels, of the MSE.
ROUNDING = 0.0051


@dataclasses.dataclass(frozen=True)
class PublishedFigures:
    """One column of a published table.

    Attributes:
        table: Its number.
        mask: Our name of the hole pattern.
        column: `"before"`, `"after"` the refinement, or `"3000 steps"` without it.
        mae: On the scale to 255.
        mse: On the scale to 255.
        psnr: Decibels.
        mssim: Mean structural similarity.
    """

    table: int
    mask: str
    column: str
    mae: float
    mse: float
    psnr: float
    mssim: float


PUBLISHED = (
    PublishedFigures(1, "random-square", BEFORE, 16.20, 777.16, 19.23, 0.8760),
    PublishedFigures(1, "random-square", AFTER, 14.04, 626.17, 20.16, 0.8921),
    PublishedFigures(1, "big-random-square", BEFORE, 35.60, 1852.22, 15.45, 0.7411),
    PublishedFigures(1, "big-random-square", AFTER, 32.75, 1599.89, 16.09, 0.7624),
    PublishedFigures(1, "stripes", BEFORE, 39.43, 2011.45, 15.45, 0.707),
    PublishedFigures(1, "stripes", AFTER, 35.01, 1607.32, 16.07, 0.740),
    PublishedFigures(1, "left", BEFORE, 34.87, 1980.77, 15.16, 0.7601),
    PublishedFigures(1, "left", AFTER, 31.62, 1645.05, 15.97, 0.7823),
    PublishedFigures(1, "center", BEFORE, 15.18, 704.54, 19.65, 0.8716),
    PublishedFigures(1, "center", AFTER, 13.68, 570.18, 20.57, 0.8840),
    PublishedFigures(1, "random", BEFORE, 16.08, 323.97, 23.03, 0.8908),
    PublishedFigures(1, "random", AFTER, 16.08, 323.97, 23.03, 0.8908),
    PublishedFigures(2, "center", BEFORE, 15.18, 704.54, 19.65, 0.872),
    PublishedFigures(2, "center", TWICE, 15.03, 694.53, 19.71, 0.874),
    PublishedFigures(2, "center", AFTER, 13.68, 570.18, 20.57, 0.8840),
)
# Of the image, as the paper describes its patterns; the width of the stripes it does
# not state.
HOLE_SHARES: Mapping[str, float] = {
    "random-square": 0.25,
    "big-random-square": 0.5,
    "left": 0.5,
    "center": 0.25,
    "random": 0.7,
}


def published_value(mask: str, column: str, metric: str, *, table: int = 1) -> float:
    """Return one printed figure.

    Raises:
        KeyError: The paper prints none.
    """
    for row in PUBLISHED:
        if (row.table, row.mask, row.column) == (table, mask, column):
            return getattr(row, metric)
    raise KeyError(f"table {table} prints nothing for {mask!r}, {column!r}.")


def check_published(hole_shares: Mapping[str, float] | None = None) -> pd.DataFrame:
    """Check every printed column against itself.

    Two things follow from the definitions alone. PSNR is 10 log10(255^2 / MSE). And
    where known pixels are exact and the errors are means over the whole image, a share
    h of which is hole, then MSE >= MAE^2 / h (Cauchy and Schwarz over the hole).

    Args:
        hole_shares: Of masks for which the paper states none, such as the stripes.

    Returns:
        The printed figures, with `"psnr_of_mse"`, `"psnr_follows"` (within rounding),
        `"least_share"` (MAE^2 / MSE, the smallest h that the last inequality allows),
        `"hole_share"` (NaN where unknown) and `"can_be_image"` (whether the figures can
        be means over whole images with exact known pixels; None where unknown).
    """
    shares = {**(hole_shares or {}), **HOLE_SHARES}
    rows = []
    for figures in PUBLISHED:
        psnr = float(psnr_from_mse(figures.mse))
        least = figures.mae**2 / figures.mse
        share = shares.get(figures.mask)
        rows.append(
            dataclasses.asdict(figures)
            | {
                "psnr_of_mse": psnr,
                "psnr_follows": abs(psnr - figures.psnr) <= ROUNDING,
                "least_share": least,
                "hole_share": float("nan") if share is None else share,
                "can_be_image": None if share is None else least <= share,
            }
        )
    return pd.DataFrame(rows)
