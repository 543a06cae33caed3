"""The script that evaluates a prior, started as a person would."""

import subprocess
import sys
from pathlib import Path

SCRIPT = Path(__file__).resolve().parents[2] / "pipelines" / "evaluate_prior.py"


def start(*words, cwd):
    return subprocess.run(
        [sys.executable, str(SCRIPT), *words],
        cwd=cwd,
        capture_output=True,
        text=True,
        check=False,
    )


def test_it_starts_from_any_folder_and_tells_its_words(tmp_path):
    done = start("--help", cwd=tmp_path)
    assert (done.returncode, done.stderr) == (0, "")
    for word in ("--prior", "--parts", "--num-samples", "--update-card"):
        assert word in done.stdout


def test_bad_words_are_one_line_and_exit_code_two(tmp_path):
    done = start("--data", "nowhere", "--out", "out", cwd=tmp_path)
    assert done.returncode == 2
    assert done.stderr.startswith("error: nowhere holds no packed set")
    assert done.stderr.count("\n") == 1
