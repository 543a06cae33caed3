"""The command: what it says of its searches, and shows of them."""

import json

import numpy as np
import pytest
from PIL import Image

from semantic_inpaint.images import load_image
from semantic_inpaint.masks import PATTERNS


def diagnoses_in(out, mask="center"):
    metrics = json.loads((out / "metrics.json").read_text())
    return [image["diagnosis"] for image in metrics["masks"][mask]["images"]]


def test_every_image_has_a_verdict_and_the_curves_of_both_stages(run):
    code, out, shown, _ = run("--limit", 2)
    assert code == 0
    assert "verdicts: 2 " in shown or "verdicts: 1 " in shown
    metrics = json.loads((out / "metrics.json").read_text())
    for image in metrics["masks"]["center"]["images"]:
        curves = image["diagnosis"]["curves"]
        assert list(curves) == ["search", "refine"]
        for stage, curve in curves.items():
            assert curve["steps"] == [0, 1, 2, 3]
            total = np.sum(list(curve["terms"].values()), axis=0)
            # float32 sums of 768 values.
            np.testing.assert_allclose(total, image[f"{stage}_trace"], rtol=2e-4)
    assert load_image(out / "diagnostics.png").shape[2] == 3


def test_the_residual_is_that_of_the_pictures_written(run):
    _, out, *_ = run("--limit", 1)
    folder = out / "images" / "astronaut"
    original = load_image(folder / "center-original.png")
    refined = load_image(folder / "center-refined.png")
    known = (load_image(folder / "center-masked.png") == original).all(axis=-1)
    expected = np.sqrt(np.square(refined - original)[known].mean())
    # PNG rounds each value by at most half a level.
    assert diagnoses_in(out)[0]["residual"] == pytest.approx(expected, abs=1 / 255)


def test_to_look_on_and_to_look_again_change_no_pixel(run):
    _, plain, *_ = run("--limit", 2, out="plain")
    _, other, *_ = run("--limit", 2, "--animate", "--diagnose", out="other")
    for name in ("astronaut", "sample-000"):
        one, two = (
            load_image(folder / "images" / name / "center-completed.png")
            for folder in (plain, other)
        )
        np.testing.assert_array_equal(one, two)
    assert not (plain / "search.gif").exists()


def test_diagnose_searches_once_more_what_fits_poorly(run):
    _, out, *_ = run("--limit", 3, "--diagnose")
    for found in diagnoses_in(out):
        poor = found["residual"] > found["residual_limit"]
        assert poor == (found["verdict"] != "fine")
        assert poor == (found["residual_elsewhere"] is not None)
        assert found["verdict"] != "poor fit"


def test_animate_shows_up_to_eight_images_from_the_first_step_to_the_last(run):
    code, out, *_ = run("--limit", 9, "--animate")
    assert code == 0
    with Image.open(out / "search.gif") as image:
        # Eight rows of three pictures of 16 pixels, each eight times as large.
        assert (image.width, image.height // 128) == (3 * 128, 8)
        # Four looks at each stage; Pillow joins frames that look the same.
        assert 2 <= image.n_frames <= 8


def test_several_masks_have_a_figure_and_an_animation_each(run):
    _, out, *_ = run("--mask", "all", "--limit", 1, "--animate")
    assert {p.name for p in out.glob("diagnostics*")} == {
        f"diagnostics-{name}.png" for name in PATTERNS
    }
    assert {p.name for p in out.glob("*.gif")} == {
        f"search-{name}.gif" for name in PATTERNS
    }


def test_one_pass_of_the_encoder_has_a_verdict_and_no_curves(run, encoded_prior_folder):
    words = ["--method", "encoder", "--limit", 1, "--diagnose"]
    code, out, *_ = run(*words, prior=encoded_prior_folder)
    assert code == 0
    (found,) = diagnoses_in(out)
    assert found["verdict"] in ("fine", "bad basin", "outside the generator's range")
    assert found["curves"] == {}
    assert not (out / "diagnostics.png").exists()
