"""The script, as a person starts it."""

import subprocess
import sys
from pathlib import Path

SCRIPT = Path(__file__).resolve().parents[2] / "pipelines" / "run.py"


def start(folder, *words):
    return subprocess.run(
        [sys.executable, str(SCRIPT), *map(str, words)],
        cwd=folder,
        capture_output=True,
        text=True,
        check=False,
    )


def test_it_runs_from_any_folder_with_nothing_on_stderr(tmp_path, tiny_prior_folder):
    shown = start(
        tmp_path, "--mask", "center", "--prior", tiny_prior_folder, "--steps", 2
    )
    assert (shown.returncode, shown.stderr) == (0, "")
    (folder,) = (tmp_path / "outputs").iterdir()
    assert (folder / "figure.png").is_file()


def test_bad_input_ends_in_one_line_and_exit_code_2(tmp_path):
    shown = start(tmp_path, "--mask", "middle")
    assert shown.returncode == 2
    assert shown.stderr.startswith("error: no mask 'middle'")
    assert shown.stderr.count("\n") == 1
    assert not list(tmp_path.iterdir())
