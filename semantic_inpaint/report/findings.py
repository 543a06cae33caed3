"""What the tables say, in sentences that the program writes."""

from __future__ import annotations

import pandas as pd

from semantic_inpaint.benchmark.aggregate import metric_of
from semantic_inpaint.benchmark.analysis import Analysis
from semantic_inpaint.benchmark.comparisons import BETTER, UNDECIDED, WORSE, Comparison
from semantic_inpaint.benchmark.frame import mask_order, mask_title
from semantic_inpaint.report.formats import interval, number

COUNTED = ("mae", "mse", "psnr_pooled", "mssim")


def findings(analysis: Analysis) -> list[str]:
    """One paragraph for each comparison over the hole."""
    return [
        _paragraph(comparison, table) for comparison, table in analysis.gains.items()
    ]


def method_of_statistics(analysis: Analysis) -> str:
    """How intervals, tests and verdicts were made."""
    resampling = analysis.resampling
    return (
        f"Intervals hold {100 * resampling.confidence:g}% and come from "
        f"{resampling.num_resamples} bootstrap draws of images (BCa, seed "
        f"{resampling.seed}); several seeds or holes of one image are averaged first. "
        "Changes are compared image by image with a paired t-test, corrected by Holm's "
        "method for all cells of their table; PSNR is that of the mean squared error "
        "(pooled) and shares the test of the MSE, PSNR (mean) is the mean over images. "
        "A change is bold, and called better or worse, only where its interval "
        "excludes zero and the corrected p-value is below "
        f"{1 - resampling.confidence:.2g}. MAE and MSE are on the scale to 255."
    )


def leak_statement(analysis: Analysis) -> str:
    """Which methods were checked for reading the hole, and with which versions."""
    leaks = analysis.provenance.leaks
    good = [method for method, passed in leaks.items() if passed]
    other = [method for method, passed in leaks.items() if not passed]
    sentences = []
    if good:
        sentences.append(
            "Leak guard: filled with NaN, noise and the true pixels in turn, the hole "
            f"changed no answer of {', '.join(good)}, with the versions below."
        )
    if other:
        sentences.append(f"Not checked for leaks: {', '.join(other)}.")
    return " ".join(sentences)


def _paragraph(comparison: Comparison, table: pd.DataFrame) -> str:
    counted = table[table["metric"].isin(COUNTED)]
    verdicts = counted["verdict"].value_counts()
    sentences = [
        f"{comparison.title}, over the hole: of {len(counted)} cells (masks x MAE, "
        f"MSE, PSNR, MSSIM) {verdicts.get(BETTER, 0)} are better, "
        f"{verdicts.get(WORSE, 0)} worse, {verdicts.get(UNDECIDED, 0)} undecided."
    ]
    for verdict in (BETTER, WORSE):
        masks = [
            mask_title(mask)
            for mask in mask_order(counted["mask"])
            if (counted.loc[counted["mask"] == mask, "verdict"] == verdict).all()
        ]
        if masks:
            sentences.append(f"In every metric {verdict}: {', '.join(masks)}.")
    if comparison.after[1] != "refined":
        return " ".join(sentences)
    psnr = table[table["metric"] == "psnr_pooled"]
    digits = metric_of("psnr_pooled").digits
    changes = [
        f"{row.mask} {number(row.change, digits, signed=True)} "
        f"{interval(row.low, row.high, digits, signed=True)}".strip()
        for row in psnr.itertuples()
    ]
    if changes:
        sentences.append(f"PSNR in dB: {', '.join(changes)}.")
    return " ".join(sentences)
