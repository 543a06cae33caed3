"""The script that makes the sample faces, started as a person would."""

import numpy as np

from tests.app.planted_sets import write_set
from tests.pipelines.scripts import start


def test_it_starts_from_any_folder_and_tells_its_words(tmp_path):
    done = start("make_samples.py", "--help", cwd=tmp_path)
    assert (done.returncode, done.stderr) == (0, "")
    for word in ("prior", "data", "out", "count", "candidates", "real", "seed"):
        assert f"--{word}" in done.stdout


def test_a_prior_that_ships_is_refused_in_one_line_with_exit_code_two(tmp_path):
    images = np.zeros((4, 64, 64, 3), np.uint8)
    data = write_set(tmp_path / "data", images, 4 * [0])
    words = ("--prior", "slim", "--data", str(data), "--out", "out")
    done = start("make_samples.py", *words, cwd=tmp_path)
    assert done.returncode == 2
    assert "has the weights of the shipped prior 'slim'" in done.stderr
    assert done.stderr.count("\n") == 1
    assert not (tmp_path / "out").exists()
