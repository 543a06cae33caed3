"""The command that trains an inpainter: what it writes, its exit codes, and a kill."""

import re
from pathlib import Path

import numpy as np
import pytest

from semantic_inpaint.datasets import PackedImages
from semantic_inpaint.images import load_images
from semantic_inpaint.inpainters import make_inpainter
from semantic_inpaint.masks import PATTERNS, make_known
from semantic_inpaint.metrics import mean_squared_error, psnr_from_mse
from semantic_inpaint.models import vgg
from semantic_inpaint.models.inpainting_files import load_network
from semantic_inpaint.models.perceptual_features import SOURCES
from semantic_inpaint.problem import InpaintingProblem
from semantic_inpaint.training.holes import HOLE_KINDS
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

    # The card has all patterns, and no strokes, which need 32 pixels.
    evaluation = inpainter.network.card["evaluation"]
    assert (evaluation["partition"], evaluation["images"]) == (1, 5)
    assert list(evaluation["psnr_in_hole"]) == list(PATTERNS)
    assert evaluation["psnr_in_hole"]["left"] == pytest.approx(measured, abs=0.006)


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
    assert "evaluation" not in load_network(tmp_path / "network").card


@pytest.mark.parametrize(
    ("recipe", "changed", "message"),
    [
        ("tinny", {}, "Did you mean 'tiny'"),
        ("tiny", {"data": "nowhere"}, "nowhere holds no packed set"),
        ("tiny", {"holes": "centre"}, "Did you mean 'center'"),
        ("tiny", {"batch-size": 16}, "15 training images, fewer than one batch of 16"),
        ("tiny", {"precision": "half"}, "`precision` must be 'auto', 'float32'"),
        ("tiny", {"save-interval": 0}, "`save_interval` must be 1 or more; got 0"),
        ("tiny", {"image-size": 32}, "needs uint8 images [N, 32, 32, 3]"),
        ("iconv", {"image-size": 48}, "`image_size` must be a power of two"),
        ("tiny", {"perceptual": "vgg19"}, "`perceptual` must be stlpips-vgg16, vgg16"),
        ("tiny", {"perceptual": "vgg16:no.h5"}, "no file no.h5"),
        ("tiny", {"validation-images": -1}, "--validation-images must be 0 or more"),
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


@pytest.mark.parametrize(
    ("recipe", "word", "value", "taker"),
    [
        ("tiny", "landmarks", "x.txt", "iconv"),
        ("tiny", "model-size", 8, "iconv"),
        ("pconv-gan", "variant", "paper", "iconv"),
        ("iconv", "width", 8, "pconv-gan"),
        ("pconv-gan", "perceptual", "none", "pconv"),
    ],
)
def test_a_word_that_the_recipe_has_no_field_for_is_refused(
    main, packed, tmp_path, capsys, recipe, word, value, taker
):
    assert main(words(packed, tmp_path / "out", recipe, **{word: value})) == 2
    refused = capsys.readouterr().err
    assert refused.startswith(
        f"error: --{word} means nothing to the recipe {recipe!r}; leave it out, or use "
    )
    assert refused.count("\n") == 1
    takers = refused.rstrip(".\n").partition("use one of ")[2].split(", ")
    assert taker in takers
    assert recipe not in takers


def test_a_named_recipe_trains_at_another_size_and_width(main, packed, tmp_path):
    changed = {"image-size": 16, "width": 2, "holes": "mixed", "perceptual": "none"}
    lengths = {"num-images": 32, "batch-size": 4}
    assert main(words(packed, tmp_path, "conv", **changed, **lengths)) == 0
    card = load_network(tmp_path / "network").card
    assert card["network"] == "conv"
    assert card["architecture"] == {"image_size": 16, "width": 2}
    assert card["recipe"]["perceptual"] == "none"


def test_missing_features_name_what_installs_them_and_what_does_without(
    main, packed, tmp_path, capsys, monkeypatch
):
    monkeypatch.setattr(vgg, "PACKAGE", "no_such_package_stlpips")
    changed = {"image-size": 16, "width": 2, "holes": "mixed"}
    assert main(words(packed, tmp_path / "out", "pconv", **changed)) == 2
    refused = capsys.readouterr().err
    assert refused.count("\n") == 1
    assert "pip install --no-deps stlpips-pytorch" in refused
    assert "--perceptual none" in refused


def test_the_help_has_every_kind_of_hole_and_of_features(main, capsys):
    with pytest.raises(SystemExit):
        main(["--help"])
    shown = set(re.findall(r"[a-zA-Z0-9:-]+", capsys.readouterr().out))
    assert {*HOLE_KINDS, *SOURCES} <= shown


def test_other_words_for_a_run_that_has_begun_are_refused(
    main, packed, whole_run, capsys
):
    line = [*words(packed, whole_run, seed=1), "--flip", "False"]
    assert main(line) == 2
    assert "another recipe (seed 0 -> 1)" in capsys.readouterr().err
