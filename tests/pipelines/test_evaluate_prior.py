"""The script that evaluates a prior, started as a person would."""

from tests.pipelines.scripts import start


def test_it_starts_from_any_folder_and_tells_its_words(tmp_path):
    done = start("evaluate_prior.py", "--help", cwd=tmp_path)
    assert (done.returncode, done.stderr) == (0, "")
    for word in ("--prior", "--parts", "--num-samples", "--update-card"):
        assert word in done.stdout


def test_bad_words_are_one_line_and_exit_code_two(tmp_path):
    done = start("evaluate_prior.py", "--data", "nowhere", "--out", "out", cwd=tmp_path)
    assert done.returncode == 2
    assert done.stderr.startswith("error: nowhere holds no packed set")
    assert done.stderr.count("\n") == 1
