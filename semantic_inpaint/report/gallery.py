"""Pictures of answers, chosen by rules that are stated beside them."""

from __future__ import annotations

from pathlib import Path

import pandas as pd

from semantic_inpaint.benchmark.analysis import Analysis
from semantic_inpaint.benchmark.comparisons import Comparison
from semantic_inpaint.benchmark.frame import mask_order, mask_title, method_stages
from semantic_inpaint.benchmark.picture_files import (
    MASKED,
    ORIGINAL,
    file_word,
    picture_path,
)
from semantic_inpaint.benchmark.selection import by_gain, first_by_number
from semantic_inpaint.report.document import Gallery, GalleryRow
from semantic_inpaint.report.formats import number

Column = tuple[str | None, str]


def galleries(analysis: Analysis, folder: Path, *, count: int) -> list[Gallery]:
    """The paper's figures 9, 6, 10 and 11 in our pictures, as far as there are any.

    Args:
        analysis: Of the records.
        folder: Of the benchmark.
        count: Images of each.

    Returns:
        For each mask its first images; the best and the worst by gain; all stages on
        all masks of the first image. Rows without a picture are left out, and their
        number told; columns without one too, and their names.
    """
    found = [*_uncurated(analysis, folder, count), *_extremes(analysis, folder, count)]
    patterns = _patterns(analysis, folder)
    return [g for g in [*found, patterns] if g.rows]


def _uncurated(analysis: Analysis, folder: Path, count: int) -> list[Gallery]:
    columns = _columns(analysis)
    shown = []
    for number_of, mask in enumerate(mask_order(analysis.frame["mask"])):
        images = first_by_number(analysis.frame, mask, count)
        rows = [(image, mask, image) for image in images]
        rule = (
            f"{mask_title(mask)}: the first {len(images)} images by number, uncurated"
        )
        name = f"figure-09-{file_word(mask)}"
        shown.append(_gallery(folder, name, rule, columns, rows, folded=number_of > 0))
    return shown


def _extremes(analysis: Analysis, folder: Path, count: int) -> list[Gallery]:
    comparison = analysis.refinement
    if comparison is None:
        return []
    pairs = by_gain(analysis.frame, comparison.before, comparison.after)
    kept = [
        _picture(folder, row.mask, row.image, comparison.after) is not None
        for row in pairs.itertuples()
    ]
    shown = pairs[kept]
    columns = [(None, MASKED), comparison.before, comparison.after, (None, ORIGINAL)]
    what = f"by gain in PSNR over the hole, {comparison.title}, all masks"
    if len(shown) < len(pairs):
        what += f"; of all {len(pairs)} answers only these {len(shown)} have pictures"
    ends = (
        ("figure-06", "Best", shown.head(count)),
        ("figure-10", "Worst", shown.iloc[::-1].head(count)),
    )
    return [
        _gallery(
            folder,
            name,
            f"{word} {len(rows)} of {len(shown)} {what}",
            columns,
            [_labelled(row) for row in rows.itertuples()],
            folded=False,
        )
        for name, word, rows in ends
    ]


def _patterns(analysis: Analysis, folder: Path) -> Gallery:
    """One image under every mask with all stages, blended and not."""
    masks = mask_order(analysis.frame["mask"])
    image = first_by_number(analysis.frame, masks[0], 1)[0]
    entries = method_stages(analysis.frame)
    chosen: list[Column] = [(None, MASKED)]
    # Before the refined image the control, as in the paper's figure.
    stages = (("refined", "unblended"), ("refined", "inpainted"))
    stages += (("plain", "unblended"), ("plain", "inpainted"), ("refined", "refined"))
    chosen += [entry for entry in stages if entry in entries]
    chosen.append((None, ORIGINAL))
    rule = f"Image {image}, the first by number, under every mask, blended and not"
    rows = [(mask_title(mask), mask, image) for mask in masks]
    return _gallery(folder, "figure-11", rule, chosen, rows, folded=False)


def _columns(analysis: Analysis) -> list[Column]:
    """Before and after the refinement, then every other method's answer."""
    comparison: Comparison | None = analysis.refinement
    middle: list[Column] = []
    if comparison is not None:
        middle = [comparison.before, comparison.after]
    last = dict(method_stages(analysis.frame))
    taken = {method for method, _ in middle}
    middle += [entry for entry in last.items() if entry[0] not in taken]
    return [(None, MASKED), *middle, (None, ORIGINAL)]


def _gallery(
    folder: Path,
    name: str,
    rule: str,
    columns: list[Column],
    rows: list[tuple[str, str, str]],
    *,
    folded: bool,
) -> Gallery:
    """Lay out rows of (label, mask, image), less what has no answer's picture."""
    laid = []
    for label, mask, image in rows:
        there = tuple(_picture(folder, mask, image, column) for column in columns)
        if any(there[1:-1]):
            laid.append(GalleryRow(label, there))
    missing = len(rows) - len(laid)
    note = f" (of {missing} no picture was kept)" if missing else ""
    headings = [
        stage if method is None else f"{method}: {stage}" for method, stage in columns
    ]
    shown = [i for i in range(len(columns)) if any(row.pictures[i] for row in laid)]
    empty = [text for i, text in enumerate(headings) if i not in shown]
    if laid and empty:
        note += f" (no picture was kept of {', '.join(empty)})"
    filled = tuple(
        GalleryRow(row.label, tuple(row.pictures[i] for i in shown)) for row in laid
    )
    kept = tuple(headings[i] for i in shown)
    return Gallery(name, f"{rule}{note}.", kept, filled, folded)


def _picture(folder: Path, mask: str, image: str, column: Column) -> Path | None:
    method, stage = column
    path = picture_path(folder, mask, image, stage, method=method)
    return path if path.is_file() else None


def _labelled(row: pd.Series) -> tuple[str, str, str]:
    gain = number(row.gain, 2, signed=True)
    return f"{row.image}, {mask_title(row.mask)}: {gain} dB", row.mask, row.image
