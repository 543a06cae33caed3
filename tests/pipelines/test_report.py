"""The script that writes a report, started as a person would."""

from semantic_inpaint.benchmark.records import append_records
from tests.pipelines.scripts import start
from tests.report.synthetic_records import planted_records


def test_records_become_a_report(tmp_path):
    append_records(tmp_path / "bench", planted_records(3, masks=("center", "left")))
    words = ("--records", "bench", "--out", "out", "--num-resamples", 200)
    done = start("report.py", *words, "--no-pictures", cwd=tmp_path)
    assert (done.returncode, done.stderr) == (0, "")
    assert "refined: inpainted to refined" in done.stdout
    assert done.stdout.endswith("report in out\n")
    page = (tmp_path / "out" / "index.html").read_text(encoding="utf-8")
    assert "Inpainting benchmark: bench" in page


def test_bad_words_are_one_line_and_exit_code_two(tmp_path):
    for words, message in (
        (("--records", "nowhere"), "error: nowhere holds no records"),
        (("--records", ".", "--confidence", 95), "error: --confidence must be in"),
    ):
        done = start("report.py", *words, "--out", "out", cwd=tmp_path)
        assert done.returncode == 2
        assert done.stderr.startswith(message)
        assert done.stderr.count("\n") == 1
    assert not (tmp_path / "out").exists()
