"""The script that makes the sample faces, started as a person would."""

import numpy as np

from semantic_inpaint.app.make_samples import main
from tests.app.planted_sets import write_set
from tests.pipelines.scripts import start


def test_it_starts_from_any_folder_and_tells_its_words(tmp_path):
    done = start("make_samples.py", "--help", cwd=tmp_path)
    assert (done.returncode, done.stderr) == (0, "")
    for word in ("prior", "data", "out", "count", "candidates", "real", "seed"):
        assert f"--{word}" in done.stdout


def test_a_prior_that_ships_is_refused_in_one_line_with_exit_code_two(tmp_path, capsys):
    images = np.zeros((4, 64, 64, 3), np.uint8)
    data = write_set(tmp_path / "data", images, 4 * [0])
    words = ("--prior", "slim", "--data", str(data), "--out", str(tmp_path / "out"))
    assert main(words) == 2
    shown = capsys.readouterr().err
    assert "has the weights of the shipped prior 'slim'" in shown
    assert shown.count("\n") == 1
    assert not (tmp_path / "out").exists()
