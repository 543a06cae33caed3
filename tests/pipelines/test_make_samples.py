"""The script that makes the sample faces, started as a person would."""

import subprocess
import sys
from pathlib import Path

import numpy as np

from tests.app.planted_sets import write_set

SCRIPT = Path(__file__).resolve().parents[2] / "pipelines" / "make_samples.py"


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
    for word in ("prior", "data", "out", "count", "candidates", "real", "seed"):
        assert f"--{word}" in done.stdout


def test_a_prior_that_ships_is_refused_in_one_line_with_exit_code_two(tmp_path):
    images = np.zeros((4, 64, 64, 3), np.uint8)
    data = write_set(tmp_path / "data", images, 4 * [0])
    words = ("--prior", "slim", "--data", str(data), "--out", "out")
    done = start(*words, cwd=tmp_path)
    assert done.returncode == 2
    assert "has the weights of the shipped prior 'slim'" in done.stderr
    assert done.stderr.count("\n") == 1
    assert not (tmp_path / "out").exists()
