"""The command that trains a prior: what it writes, its exit codes, and a kill."""

import io
import os
import shutil
import zipfile
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from semantic_inpaint.datasets import folder_source, pack_images
from semantic_inpaint.models.checkpoints import load_prior
from tests.pipelines.training_runs import (
    NUM_STEPS,
    as_words,
    assert_same_end,
    events,
    kill_in_the_middle,
    load_main,
)

SCRIPT = Path(__file__).resolve().parents[2] / "pipelines" / "train_prior.py"


@pytest.fixture(scope="module")
def main():
    return load_main(SCRIPT)


@pytest.fixture(scope="module")
def packed(tmp_path_factory):
    """A packed set of 20 noise images at 16x16."""
    folder = tmp_path_factory.mktemp("faces")
    rng = np.random.default_rng(0)
    with zipfile.ZipFile(folder / "images.zip", "w") as archive:
        for number in range(20):
            pixels = rng.integers(0, 256, (16, 16, 3), dtype=np.uint8)
            stream = io.BytesIO()
            Image.fromarray(pixels).save(stream, "PNG")
            archive.writestr(f"{number}.png", stream.getvalue())
    pack_images([folder_source(folder / "images.zip")], folder / "set", size=16)
    return folder / "set"


def words(packed, out, **changed):
    options = {
        "data": packed,
        "out": out,
        "recipe": "tiny",
        "num-images": 4 * NUM_STEPS,
        "save-interval": 2,
    } | changed
    return as_words(options)


@pytest.fixture(scope="module")
def whole_run(main, packed, tmp_path_factory):
    """The folder of a run that nothing disturbs."""
    out = tmp_path_factory.mktemp("whole")
    assert main([*words(packed, out), "--data-note", "noise", "--licence", "none"]) == 0
    return out


def test_the_prior_loads_and_its_card_has_the_words_of_the_command(whole_run, packed):
    prior = load_prior(whole_run / "prior")
    assert prior.name == "tiny"
    assert prior.card["steps"] == NUM_STEPS
    assert prior.card["data"]["note"] == "noise"
    assert prior.card["data"]["images"] == 20
    # A set without partitions is used whole.
    assert prior.card["data"]["partitions"] == [-1]
    assert prior.card["training_precision"] == "float32"
    assert 0.0 < prior.card["training_seconds"] < 600.0
    assert prior.card["licence"] == "none"
    images = prior.generate(prior.codes_for(np.arange(2), seed=0))
    assert images.shape == (2, 16, 16, 3)


def test_tensorboard_has_the_scalars_and_the_samples(whole_run):
    found = events(whole_run)
    assert {tag.split("/")[1] for tag in found.Tags()["scalars"]} == {
        "discriminator_loss",
        "diversity",
        "generator_loss",
        "real_logit",
        "fake_logit",
        "r1",
    }
    losses = found.Scalars("training/discriminator_loss")
    assert [e.step for e in losses] == list(range(2, NUM_STEPS + 1, 2))
    # An untrained discriminator is near 2 log 2, wherever it goes from there.
    assert all(0.0 < e.value < 10.0 for e in losses)

    pictures = found.Images("samples")
    assert [e.step for e in pictures] == [e.step for e in losses]
    with Image.open(io.BytesIO(pictures[-1].encoded_image_string)) as logged:
        sheet = np.asarray(logged)
    path = whole_run / "samples" / f"{NUM_STEPS:07d}.png"
    np.testing.assert_array_equal(sheet, np.asarray(Image.open(path)))
    assert sheet.std() > 1.0


# That a run stops and goes on at the exact step is also held in tests/training.
@pytest.mark.slow
def test_killed_in_the_middle_it_goes_on_to_the_same_weights(
    main, whole_run, packed, tmp_path
):
    kill_in_the_middle(SCRIPT, words(packed, "cut"), tmp_path / "cut")
    assert not (tmp_path / "cut" / "prior").exists()

    # Bit for bit: the steps are deterministic for networks as small as these.
    assert main(words(packed, tmp_path / "cut")) == 0
    assert_same_end(tmp_path / "cut", whole_run)
    prior = load_prior(tmp_path / "cut" / "prior")
    assert prior.sha256 == load_prior(whole_run / "prior").sha256


def test_stopped_after_some_steps_it_leaves_a_prior_and_goes_on(main, packed, tmp_path):
    line = words(packed, tmp_path, **{"num-images": 16})
    assert main([*line, "--max-steps", "2"]) == 0
    assert load_prior(tmp_path / "prior").card["steps"] == 2
    assert main(line) == 0
    assert load_prior(tmp_path / "prior").card["steps"] == 4


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"data": "nowhere"}, "nowhere holds no packed set"),
        ({"recipe": "tinny"}, "no recipe 'tinny'; there are slim, full, paper, tiny, "),
        ({"recipe": "slim"}, "the recipe needs uint8 images [N, 64, 64, 3]"),
        ({"batch-size": 0}, "`batch_size` must be positive; got 0"),
        ({"batch-size": 21}, "20 training images, fewer than one batch of 21"),
        ({"precision": "half"}, "`precision` must be 'auto', 'float32' or 'bfloat16'"),
        ({"save-interval": 0}, "`save_interval` must be 1 or more; got 0"),
        ({"learning-rate": 1e30}, "no longer finite at step 2"),
    ],
)
def test_what_cannot_be_done_is_one_line_and_exit_code_two(
    main, packed, tmp_path, capsys, changed, message
):
    assert main(words(packed, tmp_path / "out", **changed)) == 2
    captured = capsys.readouterr().err
    assert captured.startswith("error: ")
    assert captured.count("\n") == 1
    assert message in captured
    assert not list((tmp_path / "out").glob("*"))


def test_pixels_that_changed_since_they_were_packed_are_refused(
    main, packed, tmp_path, capsys
):
    changed = shutil.copytree(packed, tmp_path / "set")
    with (changed / "images.npy").open("r+b") as file:
        file.seek(-1, os.SEEK_END)
        last = file.read(1)[0]
        file.seek(-1, os.SEEK_END)
        file.write(bytes([last ^ 1]))
    assert main(words(changed, tmp_path / "out")) == 2
    assert "the pixels have the hash" in capsys.readouterr().err
    assert not (tmp_path / "out").exists()


def test_other_words_for_a_run_that_has_begun_are_refused(
    main, packed, whole_run, capsys
):
    before = sorted((whole_run / "tensorboard").iterdir())
    assert main(words(packed, whole_run, seed=1)) == 2
    assert sorted((whole_run / "tensorboard").iterdir()) == before
    assert "another recipe (seed 0 -> 1)" in capsys.readouterr().err


@pytest.mark.parametrize("line", [[], ["--data", "a"], ["--nonsense"]])
def test_a_usage_that_is_not_understood_ends_with_two(main, line, capsys):
    with pytest.raises(SystemExit) as caught:
        main(line)
    assert caught.value.code == 2
    assert capsys.readouterr().err
