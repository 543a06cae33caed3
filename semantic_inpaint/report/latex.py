"""Tables in the layout of the paper's tables 1 and 2, for booktabs."""

from __future__ import annotations

from collections.abc import Sequence

from semantic_inpaint.benchmark.aggregate import metric_of
from semantic_inpaint.benchmark.analysis import Analysis
from semantic_inpaint.benchmark.comparisons import BETTER, WORSE
from semantic_inpaint.benchmark.frame import mask_order
from semantic_inpaint.masks import PATTERNS
from semantic_inpaint.report.formats import number

METRICS = ("mae", "mse", "psnr_pooled", "mssim")
PER_ROW = 3
SPECIAL = str.maketrans({c: f"\\{c}" for c in "#$%&_{}"})


def table_1(analysis: Analysis) -> str | None:
    """Before and after refinement by mask; None where nothing was refined.

    Of a pair the better is bold where the comparison has a verdict.
    """
    comparison = analysis.refinement
    if comparison is None:
        return None
    table = analysis.gains[comparison]
    gains = {(row.mask, row.metric): row for row in table.itertuples()}
    masks = mask_order(table["mask"])
    lines = _begin(
        f"Results over the hole before and after refinement "
        f"({analysis.provenance.num_images} images). PSNR is that of the mean MSE. "
        "Bold: better, with an interval that excludes zero and a paired test corrected "
        "for the number of cells.",
        "refinement",
        "l" + "rr" * min(PER_ROW, len(masks)),
    )
    for start in range(0, len(masks), PER_ROW):
        lines += _block(gains, masks[start : start + PER_ROW], last=start > 0)
    return _end(lines)


def table_2(analysis: Analysis) -> str | None:
    """The control with plain steps on the centre hole; None where one is missing."""
    comparison, control = analysis.refinement, analysis.control
    if comparison is None or control is None:
        return None
    entries = (comparison.before, control, comparison.after)
    values = {
        metric: [analysis.value("hole", "center", e, metric) for e in entries]
        for metric in METRICS
    }
    if not any(value == value for row in values.values() for value in row):
        return None
    lines = _begin(
        "One stage, as many steps without refinement, and both stages on the centre "
        "hole, over the hole.",
        "control",
        "lrrr",
    )
    lines += [
        r" & \multicolumn{2}{c}{Inpainting} & Inpainting \& Refinement \\",
        f"Steps & {' & '.join(_steps(analysis, *entries))} \\\\",
        r"\midrule",
    ]
    best = analysis.best.get("hole", set())
    for metric, row in values.items():
        cells = [
            _bold(_text(metric, value), ("center", *entry, metric) in best)
            for entry, value in zip(entries, row, strict=True)
        ]
        lines.append(f"{_heading(metric)} & {' & '.join(cells)} \\\\")
    return _end([*lines, r"\bottomrule"])


def _steps(analysis: Analysis, *entries: tuple[str, str]) -> list[str]:
    r"""Steps before each answer, such as `150`, `250` and `150 \& 100`."""
    found = []
    for method, stage in entries:
        steps = analysis.provenance.steps[method]
        if stage != "refined":
            steps = steps[:1]
        found.append(r" \& ".join(map(str, steps)) or "--")
    return found


def _block(gains: dict, masks: Sequence[str], *, last: bool) -> list[str]:
    heads = [rf"\multicolumn{{2}}{{c}}{{{_mask(mask)}}}" for mask in masks]
    sides = " & ".join(["Before & After"] * len(masks))
    lines = [
        *([r"\midrule"] if last else []),
        f"Refinement & {' & '.join(heads)} \\\\",
        f" & {sides} \\\\",
        r"\midrule",
    ]
    for metric in METRICS:
        cells = []
        for mask in masks:
            row = gains.get((mask, metric))
            verdict = getattr(row, "verdict", None)
            before = _text(metric, getattr(row, "before", float("nan")))
            after = _text(metric, getattr(row, "after", float("nan")))
            cells += [_bold(before, verdict == WORSE), _bold(after, verdict == BETTER)]
        lines.append(f"{_heading(metric)} & {' & '.join(cells)} \\\\")
    return lines


def _begin(caption: str, label: str, columns: str) -> list[str]:
    return [
        "% Needs \\usepackage{booktabs}.",
        r"\begin{table}",
        r"\centering",
        rf"\caption{{{caption.translate(SPECIAL)}}}",
        rf"\label{{tab:{label}}}",
        rf"\begin{{tabular}}{{{columns}}}",
        r"\toprule",
    ]


def _end(lines: list[str]) -> str:
    if lines[-1] != r"\bottomrule":
        lines = [*lines, r"\bottomrule"]
    return "\n".join([*lines, r"\end{tabular}", r"\end{table}", ""])


def _mask(name: str) -> str:
    title = name.replace("-", " ") if name in PATTERNS else name
    suffix = f" ({PATTERNS[name].number})" if name in PATTERNS else ""
    return f"{title.translate(SPECIAL)}{suffix}"


def _heading(metric: str) -> str:
    arrow = r"\uparrow" if metric_of(metric).sign > 0 else r"\downarrow"
    return f"{metric_of(metric).title} ${arrow}$"


def _text(metric: str, value: float) -> str:
    # The paper prints two digits of the MSE.
    return number(value, 2 if metric == "mse" else metric_of(metric).digits)


def _bold(text: str, bold: bool) -> str:
    return rf"\textbf{{{text}}}" if bold else text
