"""The script, as a person starts it."""

from tests.pipelines.scripts import start


def test_it_runs_from_any_folder_with_nothing_on_stderr(tmp_path, tiny_prior_folder):
    words = ("--mask", "center", "--prior", tiny_prior_folder, "--steps", 2)
    shown = start("run.py", *words, cwd=tmp_path)
    assert (shown.returncode, shown.stderr) == (0, "")
    (folder,) = (tmp_path / "outputs").iterdir()
    assert (folder / "figure.png").is_file()


def test_bad_input_ends_in_one_line_and_exit_code_2(tmp_path):
    shown = start("run.py", "--mask", "middle", cwd=tmp_path)
    assert shown.returncode == 2
    assert shown.stderr.startswith("error: no mask 'middle'")
    assert shown.stderr.count("\n") == 1
    assert not list(tmp_path.iterdir())
