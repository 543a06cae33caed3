"""`run` with what goes beyond one search: answers, restarts, a third stage, devices."""

import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from semantic_inpaint.app.run import main

ROOT = Path(__file__).resolve().parents[2]
# A processor divided in two stands for two GPUs.
ON_TWO = """
import sys
import tensorflow as tf
(cpu,) = tf.config.list_physical_devices("CPU")
parts = 2 * [tf.config.LogicalDeviceConfiguration()]
tf.config.set_logical_device_configuration(cpu, parts)
from semantic_inpaint.app.run import main
sys.exit(main(sys.argv[1:]))
"""


@pytest.fixture
def run(tiny_prior_folder, tmp_path):
    def run(*words):
        argv = ["--prior", tiny_prior_folder, "--out", tmp_path / "out", "--steps", 8]
        argv += ["--mask", "center", "--limit", 2]
        assert main([str(word) for word in (*argv, *words)]) == 0
        metrics = json.loads((tmp_path / "out" / "metrics.json").read_text())
        return tmp_path / "out", metrics["masks"]["center"]

    return run


def read(path):
    return np.asarray(Image.open(path).convert("RGB"))


@pytest.mark.parametrize("way", ["langevin", "restarts"])
def test_several_answers_are_a_sheet_and_a_map_of_where_they_differ(run, way):
    folder, found = run("--num-samples", 3, "--way", way)
    for image in found["images"]:
        answers = image["answers"]
        assert answers["count"] == 3
        assert answers["diversity"] > 0
        assert answers["losses"] == sorted(answers["losses"])
        pictures = folder / "images" / image["name"]
        sheet = read(pictures / "center-answers.png")
        assert sheet.shape[0] * sheet.shape[1] >= 3 * 16 * 16
        differ = read(pictures / "center-uncertainty.png")
        assert differ.shape == (16, 16, 3)
        known = np.ones((16, 16), bool)
        known[4:12, 4:12] = False
        assert (differ[known] == 0).all()
        assert differ[~known].max() > 0


def test_restarts_and_a_third_stage_are_measured_and_written(run):
    words = ["--preset", "malesevic", "--restarts", 2, "--intermediate", 0.3]
    folder, found = run(*words)
    assert list(found["means"]) == ["inpainted", "refined", "beyond"]
    stages = [f"center-{stage}.png" for stage in ("reblended", "beyond", "completed")]
    for image in found["images"]:
        assert all((folder / "images" / image["name"] / s).is_file() for s in stages)
    options = json.loads((folder / "options.json").read_text())
    assert options["search"]["candidates"]["restarts"] == 2
    assert options["search"]["third"]["radius"] == 0.3


def test_a_device_by_name_gives_the_figures_of_the_default(run, tmp_path):
    folder, found = run()
    folder.rename(tmp_path / "default")
    _, named = run("--device", "cpu")
    assert named["means"] == found["means"]


# That two devices answer as one does is also held in tests/inpainters.
@pytest.mark.slow
def test_all_devices_share_the_images_and_give_the_figures_of_one(
    run, tiny_prior_folder, tmp_path
):
    _, found = run()
    words = ["--prior", tiny_prior_folder, "--out", tmp_path / "two", "--steps", 8]
    words += ["--mask", "center", "--limit", 2, "--device", "all"]
    subprocess.run(
        [sys.executable, "-c", ON_TWO, *map(str, words)], cwd=ROOT, check=True
    )
    metrics = json.loads((tmp_path / "two" / "metrics.json").read_text())
    means = metrics["masks"]["center"]["means"]["refined"]["hole"]
    expected = found["means"]["refined"]["hole"]
    # Batches of one and of two round differently.
    assert means == pytest.approx(expected, rel=1e-3)


def test_a_device_that_is_not_there_is_refused(tiny_prior_folder, tmp_path, capsys):
    words = ["--prior", str(tiny_prior_folder), "--device", "cpu,gpu:7"]
    assert main([*words, "--out", str(tmp_path / "out")]) == 2
    assert "no device 'gpu:7' here" in capsys.readouterr().err
    assert not (tmp_path / "out").exists()
