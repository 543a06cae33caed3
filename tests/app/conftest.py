"""The command in an empty folder, and pictures to give it."""

import numpy as np
import pytest
from PIL import Image

from semantic_inpaint.app.run import main


@pytest.fixture
def run(tiny_prior_folder, tmp_path, monkeypatch, capfd):
    """Run the command in an empty folder; gives exit code, folder, stdout, stderr."""
    work = tmp_path / "work"
    work.mkdir()
    monkeypatch.chdir(work)

    def run(*words, prior=tiny_prior_folder, out="out", steps="3"):
        argv = ["--prior", str(prior), "--steps", steps]
        argv += ["--out", str(out)] if out else []
        code = main([*argv, *map(str, words)])
        captured = capfd.readouterr()
        return code, work / (out or "."), captured.out, captured.err

    return run


@pytest.fixture
def fill(tmp_path, monkeypatch, capfd):
    """Run the command for a network; gives exit code, folder, stdout and stderr."""
    monkeypatch.chdir(tmp_path)

    def fill(*words, out="out"):
        code = main(["--limit", "2", "--out", out, *map(str, words)])
        captured = capfd.readouterr()
        return code, tmp_path / out, captured.out, captured.err

    return fill


@pytest.fixture
def photo(tmp_path):
    """Write a picture in any mode and of any size."""

    def photo(name="photo.png", mode="RGB", size=(16, 16), **options):
        path = tmp_path / name
        rng = np.random.default_rng(5)
        noise = Image.fromarray(rng.integers(0, 256, (*size[::-1], 3), np.uint8))
        noise.convert(mode).save(path, **options)
        return path

    return photo


@pytest.fixture
def refused():
    """Check for exit code 2, one line on stderr, and nothing written."""

    def refused(outcome, *words):
        code, out, _, err = outcome
        assert code == 2
        assert err.startswith("error: ")
        assert err.count("\n") == 1
        for word in words:
            assert word in err
        assert not out.exists()

    return refused
