"""A whole report from planted records."""

import html.parser
import json
import re
import xml.etree.ElementTree

import numpy as np
import pandas as pd
import pytest

from semantic_inpaint.benchmark.aggregate import Resampling
from semantic_inpaint.benchmark.analysis import analyse
from semantic_inpaint.benchmark.picture_files import picture_path
from semantic_inpaint.benchmark.records import read_records
from semantic_inpaint.report import build_report
from semantic_inpaint.report.formats import interval, number, p_value
from semantic_inpaint.report.gallery import galleries
from tests.report.synthetic_records import failed, planted_pictures, planted_records

QUICK = Resampling(num_resamples=300)


@pytest.fixture(scope="module")
def records():
    found = planted_records(6)
    found[2] = failed(found[2])
    found[8] = found[8] | {"verdict": "poor fit"}
    return found


@pytest.fixture(scope="module")
def bench(records, tmp_path_factory):
    folder = tmp_path_factory.mktemp("bench")
    planted_pictures(folder, records, path_of=picture_path, limit=3)
    return folder


@pytest.fixture(scope="module")
def report(records, bench, tmp_path_factory):
    folder = tmp_path_factory.mktemp("report")
    build_report(records, folder, pictures=bench, count=2, resampling=QUICK)
    return folder


class Page(html.parser.HTMLParser):
    """Tags that are open, sources that are asked for, and the text of cells."""

    VOID = ("meta", "img", "link", "br")

    def __init__(self, text):
        super().__init__()
        self.open, self.sources, self.ids = [], [], []
        self.feed(text)
        self.close()

    def handle_starttag(self, tag, attrs):
        if tag not in self.VOID:
            self.open.append(tag)
        for name, value in attrs:
            if name in ("src", "href", "xlink:href", "srcset", "data"):
                self.sources.append(value)
            if name == "id":
                self.ids.append(value)

    def handle_startendtag(self, tag, attrs):
        self.handle_starttag(tag, attrs)
        if tag not in self.VOID:
            self.open.pop()

    def handle_endtag(self, tag):
        assert self.open.pop() == tag


def test_the_page_is_whole_and_asks_for_nothing_beside_it(report):
    text = (report / "index.html").read_text(encoding="utf-8")
    page = Page(text)
    assert page.open == []
    assert page.sources and all(s.startswith(("#", "data:")) for s in page.sources)
    inside = {source[1:] for source in page.sources if source.startswith("#")}
    assert inside <= set(page.ids) and len(page.ids) == len(set(page.ids))
    assert not re.search(r"url\((?!#)|@import|fetch\(|XMLHttp", text)
    for reference in re.findall(r"url\(#([^)]+)\)", text):
        assert reference in page.ids


def test_every_file_that_is_promised_is_there_and_no_other(report):
    assert {path.name for path in report.iterdir()} == {
        "figures",
        "index.html",
        "records.jsonl.xz",
        "report.md",
        "table1.tex",
        "table2.tex",
        "tables.csv",
    }
    names = {path.stem for path in (report / "figures").glob("*.png")}
    assert {"figure-06", "figure-10", "figure-11", "figure-09-center"} <= names
    assert {"gain-mae", "gain-mse", "gain-psnr", "gain-mssim"} <= names
    linked = re.findall(r"\(figures/([^)]+)\)", (report / "report.md").read_text())
    assert linked and all((report / "figures" / name).is_file() for name in linked)
    for path in (report / "figures").glob("*.svg"):
        xml.etree.ElementTree.parse(path)


def test_the_same_records_give_the_same_bytes(records, report, bench, tmp_path):
    build_report(records, tmp_path, pictures=bench, count=2, resampling=QUICK)
    for path in sorted(report.rglob("*.*")):
        again = tmp_path / path.relative_to(report)
        assert again.read_bytes() == path.read_bytes(), path.name


def test_a_report_is_made_anew_from_its_own_records(report, records):
    # What is no number is null there.
    assert read_records(report) == json.loads(
        json.dumps(records), parse_constant=lambda _: None
    )


def test_the_tables_hold_the_figures_of_the_analysis_unrounded(report, records):
    table = pd.read_csv(report / "tables.csv")
    assert set(table["table"]) == {
        "scores",
        "scores by size",
        "gains",
        "gains by size",
        "published",
    }
    errors = [
        r["metrics"]["hole"]["mse"]
        for r in records
        if (r["mask"], r["stage"]) == ("center", "refined")
    ]
    row = table[
        (table["table"] == "scores")
        & (table["region"] == "hole")
        & (table["mask"] == "center")
        & (table["stage"] == "refined")
        & (table["metric"] == "mse")
    ]
    np.testing.assert_allclose(row["value"], [np.mean(errors)], rtol=1e-12)


def test_the_stripes_of_the_paper_are_flagged_in_every_form(report):
    for name in ("index.html", "report.md"):
        text = (report / name).read_text(encoding="utf-8")
        assert "(15.45 dB) does not follow from its MSE (2011.45)" in text
        assert "15.10 dB; the gain would be +0.97 dB and not +0.62 dB" in text


def test_latex_has_the_layout_of_the_paper_and_bold_where_it_is_carried(report):
    text = (report / "table1.tex").read_text()
    assert text.count(r"\begin{") == text.count(r"\end{")
    assert text.index("random square (1)") < text.index("stripes (3)")
    assert text.index("stripes (3)") < text.index(r"\midrule") < text.index("left (4)")
    rows = [line for line in text.splitlines() if line.startswith("MSE")]
    assert len(rows) == 2 and all(row.count("&") == 6 for row in rows)
    # Of the second block: left got worse, centre better, random did not change.
    before, after = r"\textbf{" in rows[1].split("&")[1], rows[1].split("&")[4]
    assert before and r"\textbf{" in after
    assert r"\textbf" not in "".join(rows[1].split("&")[5:])
    control = (report / "table2.tex").read_text()
    assert r"Steps & 150 & 250 & 150 \& 100 \\" in control


def test_bold_stands_beside_every_verdict_and_nowhere_else(report):
    lines = (report / "report.md").read_text().splitlines()
    rows = [line.split(" | ") for line in lines if re.search(r"(er|ed) \|$", line)]
    rows = [row for row in rows if len(row) == 9]
    assert len(rows) > 50
    for row in rows:
        assert row[5].startswith("**") == (row[8] != "undecided |")


def test_failures_are_told_with_their_verdicts(report):
    text = (report / "report.md").read_text()
    part = text[text.index("## Failures") : text.index("## What made it")]
    # The one without figures stands first.
    assert part.index("| nonfinite | not a number | - |") < part.index("| poor fit | 2")
    assert "Records without figures: 1;" in part


def test_without_pictures_none_is_shown(records, tmp_path):
    build_report(records, tmp_path, resampling=QUICK)
    text = (tmp_path / "index.html").read_text(encoding="utf-8")
    assert "<img" not in text and "data:" not in text and "Gallery" not in text
    assert not list((tmp_path / "figures").glob("figure-*"))


def test_a_method_without_pictures_has_no_empty_column(records, tmp_path):
    central = [r for r in records if r["mask"] == "center"]
    seen = [r for r in central if r["method"] != "biharmonic"]
    planted_pictures(tmp_path, seen, path_of=picture_path, limit=2)
    analysis = analyse(central, resampling=QUICK)
    first = galleries(analysis, tmp_path, count=2)[0]
    assert "refined: refined" in first.headings
    assert "biharmonic: completed" not in first.headings
    assert "(no picture was kept of biharmonic: completed)" in first.rule
    for row in first.rows:
        assert len(row.pictures) == len(first.headings) and all(row.pictures)


def test_names_from_outside_cannot_break_a_page_a_table_or_latex(records, tmp_path):
    wild = "a|b<script>&_%"
    renamed = [r | {"mask": wild, "image": f"<{r['image']}"} for r in records[:36]]
    build_report(renamed, tmp_path, title=wild, resampling=QUICK)
    page = (tmp_path / "index.html").read_text(encoding="utf-8")
    assert page.count("<script>") == 1 and "a|b&lt;script&gt;&amp;_%" in page
    assert Page(page).open == []
    assert r"a\|b&lt;script>" in (tmp_path / "report.md").read_text()
    assert r"a|b<script>\&\_\%" in (tmp_path / "table1.tex").read_text()


@pytest.mark.parametrize("method", ["biharmonic", "plain", "refined"])
def test_one_method_on_one_image_and_mask_is_enough(method, tmp_path):
    few = planted_records(1, masks=("left",))
    few = [one for one in few if one["method"] == method]
    build_report(few, tmp_path, resampling=QUICK)
    assert (tmp_path / "index.html").is_file()
    assert (tmp_path / "table1.tex").is_file() == (method == "refined")


def test_numbers_are_printed_as_they_are_meant():
    assert number(-0.001, 2, signed=True) == "0.00"
    assert number(0.004, 2, signed=True) == "0.00"
    assert number(1.25, 1, signed=True) == "+1.2"
    assert (number(np.inf, 2), number(np.nan, 2)) == ("inf", "-")
    assert interval(-1.0, 2.0, 1, signed=True) == "[-1.0, +2.0]"
    assert interval(np.nan, 2.0, 1) == ""
    assert (p_value(0.0004), p_value(0.25), p_value(np.nan)) == ("<0.001", "0.250", "-")


def test_a_negative_count_is_refused(records, tmp_path):
    with pytest.raises(ValueError, match="`count` must be 0 or more; got -1"):
        build_report(records, tmp_path, count=-1)
