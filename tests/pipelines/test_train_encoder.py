"""The command that trains an encoder: what it writes, its exit codes, and a kill."""

import shutil
from pathlib import Path

import pytest

from semantic_inpaint.images import load_images
from semantic_inpaint.inpainters import make_inpainter
from semantic_inpaint.masks import make_known
from semantic_inpaint.metrics import mean_squared_error, psnr_from_mse
from semantic_inpaint.models.checkpoints import load_prior
from semantic_inpaint.models.encoder_files import ENCODER_CARD, load_encoder
from semantic_inpaint.problem import InpaintingProblem
from tests.pipelines.training_runs import (
    NUM_STEPS,
    as_words,
    assert_same_end,
    events,
    kill_in_the_middle,
    load_main,
    pack_noise,
)

SCRIPT = Path(__file__).resolve().parents[2] / "pipelines" / "train_encoder.py"


@pytest.fixture(scope="module")
def main():
    return load_main(SCRIPT)


@pytest.fixture(scope="module")
def packed(tmp_path_factory):
    return pack_noise(tmp_path_factory.mktemp("faces"))


def words(packed, out, prior_folder, **changed):
    options = {
        "data": packed,
        "out": out,
        "prior": prior_folder,
        "width": 2,
        "hidden": 4,
        "batch-size": 4,
        "num-images": 4 * NUM_STEPS,
        "precision": "float32",
        "save-interval": 2,
    } | changed
    return as_words(options)


@pytest.fixture(scope="module")
def prior(tiny_prior_folder, tmp_path_factory):
    """A prior whose folder may be written to."""
    return shutil.copytree(tiny_prior_folder, tmp_path_factory.mktemp("own") / "prior")


@pytest.fixture(scope="module")
def whole_run(main, packed, prior, tmp_path_factory):
    """The folder of a run that nothing disturbs."""
    out = tmp_path_factory.mktemp("whole")
    notes = ["--data-note", "noise", "--licence", "none"]
    assert main([*words(packed, out, prior), *notes]) == 0
    return out


def test_the_encoder_loads_for_its_prior_and_its_card_has_the_words(whole_run, prior):
    encoder = load_encoder(load_prior(prior), folder=whole_run / "encoder")
    card = encoder.card
    assert card["steps"] == NUM_STEPS
    assert card["data"]["note"] == "noise"
    assert card["data"]["images"] == 15
    assert card["data"]["partitions"] == [0, 2]
    assert card["licence"] == "none"
    assert card["architecture"]["width"] == 2
    assert 0.0 < card["training_seconds"] < 600.0
    assert not (prior / ENCODER_CARD).exists()


def test_tensorboard_has_the_scalars_the_sheets_and_the_validation(
    whole_run, prior, packed
):
    found = events(whole_run)
    assert {tag.split("/")[1] for tag in found.Tags()["scalars"]} == {
        "loss",
        "image_error",
        "code_error",
        "validation_psnr_center",
        "validation_psnr_left",
    }
    steps = list(range(2, NUM_STEPS + 1, 2))
    assert [e.step for e in found.Scalars("training/loss")] == steps
    assert [e.step for e in found.Images("samples")] == steps

    # The last validation is that of the encoder written, but for its half precision.
    measured = found.Scalars("training/validation_psnr_left")[-1].value
    paths = sorted((packed.parent / "images").iterdir())[10:15]
    images, *_ = load_images(paths, size=16)
    problem = InpaintingProblem(images, make_known("left", 5, 16, 16))
    loaded = load_prior(prior)
    encoder = load_encoder(loaded, folder=whole_run / "encoder")
    result = make_inpainter("encoder", prior=loaded, encoder=encoder).inpaint(problem)
    errors = mean_squared_error(result.completed, images, problem.hole)
    assert measured == pytest.approx(psnr_from_mse(errors.mean()), abs=0.02)


# That a run stops and goes on at the exact step is also held in tests/training.
@pytest.mark.slow
def test_killed_in_the_middle_it_goes_on_to_the_same_weights(
    main, whole_run, packed, prior, tmp_path
):
    kill_in_the_middle(SCRIPT, words(packed, "cut", prior), tmp_path / "cut")
    assert not (tmp_path / "cut" / "encoder").exists()

    # Bit for bit: the steps are deterministic for networks as small as these.
    assert main(words(packed, tmp_path / "cut", prior)) == 0
    assert_same_end(tmp_path / "cut", whole_run)


def test_installed_it_is_found_beside_its_prior(main, packed, prior, tmp_path, capsys):
    own = shutil.copytree(prior, tmp_path / "own")
    line = words(packed, tmp_path / "out", own, **{"num-images": 16})
    assert main([*line, "--install", "--max-steps", "2"]) == 0
    shown = capsys.readouterr().out
    assert "step 2: PSNR in the hole: center" in shown
    assert shown.count("encoder written to") == 2
    assert load_encoder(load_prior(own)).card["steps"] == 2
    assert load_prior(own).sha256 == load_prior(prior).sha256


@pytest.mark.parametrize(
    "changed", [{"partitions": 1}, {"validation-images": 0}], ids=["trained", "none"]
)
def test_without_unseen_faces_nothing_is_validated(
    main, packed, prior, tmp_path, capsys, changed
):
    line = words(packed, tmp_path, prior, **{"num-images": 8} | changed)
    assert main(line) == 0
    assert "PSNR" not in capsys.readouterr().out


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"data": "nowhere"}, "nowhere holds no packed set"),
        ({"prior": "slimm"}, "no prior 'slimm'"),
        ({"prior": "slim"}, "the recipe needs uint8 images [N, 64, 64, 3]"),
        ({"batch-size": 0}, "`batch_size` must be positive; got 0"),
        ({"batch-size": 16}, "15 training images, fewer than one batch of 16"),
        ({"precision": "half"}, "`precision` must be 'auto', 'float32' or 'bfloat16'"),
        ({"save-interval": 0}, "`save_interval` must be 1 or more; got 0"),
        ({"learning-rate": 1e38}, "no longer finite at step 2"),
    ],
)
def test_what_cannot_be_done_is_one_line_and_exit_code_two(
    main, packed, prior, tmp_path, capsys, changed, message
):
    assert main(words(packed, tmp_path / "out", prior, **changed)) == 2
    captured = capsys.readouterr().err
    assert captured.startswith("error: ")
    assert captured.count("\n") == 1
    assert message in captured
    assert not list((tmp_path / "out").glob("*"))


def test_other_words_for_a_run_that_has_begun_are_refused(
    main, packed, prior, whole_run, capsys
):
    assert main(words(packed, whole_run, prior, seed=1)) == 2
    assert "another recipe (seed 0 -> 1)" in capsys.readouterr().err
