"""The command that trains an inpainter: what it writes, its exit codes, and a kill."""

from pathlib import Path

import numpy as np
import pytest

from semantic_inpaint.datasets import PackedImages
from semantic_inpaint.images import load_images
from semantic_inpaint.inpainters import make_inpainter
from semantic_inpaint.masks import make_known
from semantic_inpaint.metrics import mean_squared_error, psnr_from_mse
from semantic_inpaint.models.inpainting_files import load_network
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

SCRIPT = Path(__file__).resolve().parents[2] / "pipelines" / "train_inpainter.py"


@pytest.fixture(scope="module")
def main():
    return load_main(SCRIPT)


@pytest.fixture(scope="module")
def packed(tmp_path_factory):
    return pack_noise(tmp_path_factory.mktemp("faces"))


def words(packed, out, recipe="tiny", **changed):
    options = {
        "data": packed,
        "out": out,
        "num-images": 4 * NUM_STEPS,
        "save-interval": 2,
    } | changed
    return [recipe, *as_words(options)]


@pytest.fixture(scope="module")
def whole_run(main, packed, tmp_path_factory):
    """The folder of a run that nothing disturbs."""
    out = tmp_path_factory.mktemp("whole")
    notes = ["--data-note", "noise", "--licence", "none", "--flip", "False"]
    assert main([*words(packed, out), *notes]) == 0
    return out


def test_the_network_loads_and_its_card_has_the_words(whole_run):
    network = load_network(whole_run / "network")
    assert (network.kind, network.image_size) == ("pconv", 16)
    card = network.card
    assert card["steps"] == NUM_STEPS
    assert card["data"]["note"] == "noise"
    assert card["data"]["images"] == 15
    assert card["data"]["partitions"] == [0, 2]
    assert card["licence"] == "none"
    assert card["recipe"]["flip"] is False
    assert card["generator"] == "moving average"
    assert 0.0 < card["training_seconds"] < 600.0
    sheet, *_ = load_images(whole_run / "network" / "sheet.png", size=48)
    assert sheet.std() > 0.1


def test_tensorboard_has_the_scalars_the_sheets_and_the_validation(whole_run, packed):
    found = events(whole_run)
    tags = {tag.split("/")[1] for tag in found.Tags()["scalars"]}
    assert {"loss", "hole", "valid", "variation"} < tags
    steps = list(range(2, NUM_STEPS + 1, 2))
    assert [e.step for e in found.Scalars("training/loss")] == steps
    assert [e.step for e in found.Images("samples")] == steps

    # The last validation is that of the network written, but for its half precision.
    measured = found.Scalars("training/validation_psnr_left")[-1].value
    images = PackedImages.open(packed).images[10:15] / np.float32(255)
    problem = InpaintingProblem(images, make_known("left", 5, 16, 16))
    inpainter = make_inpainter("pconv", network=whole_run / "network")
    completed = inpainter.inpaint(problem).completed
    errors = mean_squared_error(completed, images, problem.hole)
    assert measured == pytest.approx(psnr_from_mse(errors.mean()), abs=0.05)


# That a run stops and goes on at the exact step is also held in tests/training.
@pytest.mark.slow
def test_killed_in_the_middle_it_goes_on_to_the_same_weights(
    main, whole_run, packed, tmp_path
):
    line = [*words(packed, "cut"), "--flip", "False"]
    kill_in_the_middle(SCRIPT, line, tmp_path / "cut")
    assert not (tmp_path / "cut" / "network").exists()

    # Bit for bit: the steps are deterministic for networks as small as these.
    assert main([*words(packed, tmp_path / "cut"), "--flip", "False"]) == 0
    assert_same_end(tmp_path / "cut", whole_run)


@pytest.mark.parametrize(
    "changed", [{"partitions": 1}, {"validation-images": 0}], ids=["trained", "none"]
)
def test_without_unseen_images_nothing_is_validated(
    main, packed, tmp_path, capsys, changed
):
    assert main(words(packed, tmp_path, **{"num-images": 8} | changed)) == 0
    assert "PSNR" not in capsys.readouterr().out


@pytest.mark.parametrize(
    ("recipe", "changed", "message"),
    [
        ("tinny", {}, "Did you mean 'tiny'"),
        ("tiny", {"data": "nowhere"}, "nowhere holds no packed set"),
        ("tiny", {"holes": "centre"}, "Did you mean 'center'"),
        ("tiny", {"batch-size": 16}, "15 training images, fewer than one batch of 16"),
        ("tiny", {"precision": "half"}, "`precision` must be 'auto', 'float32'"),
        ("tiny", {"save-interval": 0}, "`save_interval` must be 1 or more; got 0"),
        ("tiny", {"landmarks": "x.txt"}, "--landmarks is for recipes with a pose"),
        ("tiny", {"devices": "gpu:0"}, "KERAS_BACKEND=jax"),
        ("tiny", {"learning-rate": 1e38}, "no longer finite at step 2"),
        ("pconv-gan", {}, "the recipe needs uint8 images [N, 64, 64, 3]"),
    ],
)
def test_what_cannot_be_done_is_one_line_and_exit_code_two(
    main, packed, tmp_path, capsys, recipe, changed, message
):
    assert main(words(packed, tmp_path / "out", recipe, **changed)) == 2
    captured = capsys.readouterr().err
    assert captured.startswith("error: ")
    assert captured.count("\n") == 1
    assert message in captured
    assert not list((tmp_path / "out").glob("*"))


def test_other_words_for_a_run_that_has_begun_are_refused(
    main, packed, whole_run, capsys
):
    line = [*words(packed, whole_run, seed=1), "--flip", "False"]
    assert main(line) == 2
    assert "another recipe (seed 0 -> 1)" in capsys.readouterr().err
