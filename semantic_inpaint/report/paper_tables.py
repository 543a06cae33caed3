"""The paper's printed figures beside ours, and what is wrong with them."""

from __future__ import annotations

from semantic_inpaint.benchmark.aggregate import metric_of
from semantic_inpaint.benchmark.analysis import Analysis
from semantic_inpaint.benchmark.frame import mask_title
from semantic_inpaint.benchmark.published import (
    AFTER,
    BEFORE,
    PUBLISHED,
    TWICE,
    published_value,
)
from semantic_inpaint.report.document import Cell, Table
from semantic_inpaint.report.formats import figure_cell, number, words

# Our metrics, and the fields of the paper's that they are compared with.
COMPARED = {"mae": "mae", "mse": "mse", "psnr_pooled": "psnr", "mssim": "mssim"}
FLAG = "does not follow from its MSE"


def published_masks() -> list[str]:
    """Masks of the paper's table 1, in its order."""
    return list(dict.fromkeys(row.mask for row in PUBLISHED if row.table == 1))


def against_table_1(analysis: Analysis) -> Table:
    """Before and after refinement: the paper's, ours over the hole and over all."""
    comparison = analysis.refinement
    gains = analysis.gains[comparison].set_index(["mask", "metric"])
    rows = []
    for mask in published_masks():
        for metric, field in COMPARED.items():
            if (mask, metric) not in gains.index:
                continue
            paper = [published_value(mask, side, field) for side in (BEFORE, AFTER)]
            ours = gains.loc[(mask, metric)]
            whole = [
                analysis.value("image", mask, entry, metric)
                for entry in (comparison.before, comparison.after)
            ]
            generated = (comparison.before[0], "unblended")
            rows.append(
                (
                    words(mask_title(mask)),
                    words(metric_of(metric).title),
                    _arrow(metric, *paper, note=_flagged(analysis, mask, metric)),
                    _change(metric, *paper),
                    _arrow(metric, ours["before"], ours["after"]),
                    figure_cell(
                        metric, ours["change"], ours["low"], ours["high"], signed=True
                    ),
                    _arrow(metric, *whole),
                    figure_cell(
                        metric, analysis.value("image", mask, generated, metric)
                    ),
                )
            )
    headings = ("mask", "metric", "paper", "its change", "ours, hole", "our change")
    headings += ("ours, image", "ours, image, not blended")
    caption = (
        f"Table 1 of the paper beside {comparison.title}. The paper's errors are of "
        "2,000 other test faces and of another prior, so that only the order of "
        "magnitude and the changes are comparable."
    )
    return Table(caption, headings, tuple(rows))


def against_table_2(analysis: Analysis) -> Table:
    """The control: plain steps as many as both stages have, on the centre hole."""
    comparison = analysis.refinement
    entries = (comparison.before, analysis.control, comparison.after)
    rows = []
    for metric, field in COMPARED.items():
        paper = [
            published_value("center", column, field, table=2)
            for column in (BEFORE, TWICE, AFTER)
        ]
        ours = [analysis.value("hole", "center", e, metric) for e in entries]
        cells = [figure_cell(metric, value) for value in (*paper, *ours)]
        rows.append((words(metric_of(metric).title), *cells))
    steps = ("one stage", "as many steps as both", "both stages")
    headings = ("metric", *(f"{who}: {s}" for who in ("paper", "ours") for s in steps))
    caption = "Table 2 of the paper: the centre hole, ours over the hole."
    return Table(caption, headings, tuple(rows))


def checks_table(analysis: Analysis) -> Table:
    """Every printed column checked against itself."""
    rows = []
    for row in analysis.published.itertuples():
        share = number(row.hole_share, 2)
        image = {
            True: "yes",
            False: f"no: needs a hole of {row.least_share:.2f} or more",
        }
        rows.append(
            (
                words(f"{row.table}"),
                words(mask_title(row.mask)),
                words(row.column),
                figure_cell("mae", row.mae),
                Cell(f"{row.mse:.2f}", key=row.mse),
                figure_cell("psnr_pooled", row.psnr),
                figure_cell("psnr_pooled", row.psnr_of_mse),
                Cell("yes") if row.psnr_follows else Cell(f"no: {FLAG}", bold=True),
                Cell(share, key=row.hole_share),
                words(image.get(row.can_be_image, "unknown")),
            )
        )
    headings = ("table", "mask", "column", "MAE", "MSE", "PSNR", "PSNR of its MSE")
    headings += ("follows", "hole", "can be over whole images")
    return Table("The paper's figures as printed.", headings, tuple(rows), folded=True)


def findings_on_paper(analysis: Analysis) -> list[str]:
    """Say in sentences what the checks found."""
    checked = analysis.published
    wrong = checked[~checked["psnr_follows"]]
    sentences = []
    for row in wrong.itertuples():
        after = published_value(row.mask, AFTER, "psnr")
        sentences.append(
            f"The printed PSNR of {row.mask}, {row.column}, table {row.table} "
            f"({row.psnr:.2f} dB) {FLAG} ({row.mse:.2f}), which gives "
            f"{row.psnr_of_mse:.2f} dB; the gain would be "
            f"{after - row.psnr_of_mse:+.2f} dB and not {after - row.psnr:+.2f} dB."
        )
    sentences.append(
        f"The other {len(checked) - len(wrong)} printed columns have the PSNR of their "
        "mean squared error: the paper prints the pooled PSNR, not the mean of the "
        "PSNR of images."
    )
    decided = checked[checked["can_be_image"].notna()]
    if not decided["can_be_image"].astype(bool).any():
        sentences.append(
            "No column can be a mean over whole images whose known pixels are exact: "
            "then MSE would be at least MAE^2 divided by the share of the hole, and it "
            "is less in all of them (stripes as wide as in these records, or not "
            "judged). So the paper's errors are over the hole, or of "
            "images that were not blended; ours over the hole are the like of the "
            "former, ours over the whole image, not blended, of the latter."
        )
    return sentences


def _flagged(analysis: Analysis, mask: str, metric: str) -> str:
    checked = analysis.published
    bad = checked[(checked["mask"] == mask) & ~checked["psnr_follows"]]
    if metric != "psnr_pooled" or not len(bad):
        return ""
    row = bad.iloc[0]
    return f"not {row['psnr']:.2f}: its MSE gives {row['psnr_of_mse']:.2f}"


def _arrow(metric: str, before: float, after: float, *, note: str = "") -> Cell:
    digits = metric_of(metric).digits
    text = f"{number(before, digits)} → {number(after, digits)}"
    return Cell(text, note, key=None if after != after else float(after))


def _change(metric: str, before: float, after: float) -> Cell:
    return figure_cell(metric, after - before, signed=True)
