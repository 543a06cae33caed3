"""Why a picture is filled badly: planted cases of every verdict."""

import dataclasses
import json

import numpy as np
import pytest

from semantic_inpaint.app.diagnostics import (
    diagnose,
    known_residual,
    residual_limit,
    verdict,
)
from semantic_inpaint.app.diagnostics_figure import save_diagnostics_figure
from semantic_inpaint.images import load_image
from semantic_inpaint.inpainters import inpaint
from semantic_inpaint.latent.course import SearchCourse
from semantic_inpaint.latent.options import SearchOptions
from semantic_inpaint.latent.presets import get_preset
from semantic_inpaint.masks import make_known
from semantic_inpaint.metrics import seam_energy
from semantic_inpaint.problem import InpaintingProblem, InpaintingResult

LIMIT = 0.1  # Of a prior without figures.
OUTSIDE = "outside the generator's range"


@pytest.mark.parametrize(
    ("status", "residual", "elsewhere", "expected"),
    [
        ("converged", 0.05, None, "fine"),
        ("max_steps", 0.05, None, "fine"),
        ("converged", LIMIT, None, "fine"),
        ("nonfinite", 0.05, None, "not a number"),
        ("max_steps", 0.2, None, "not converged"),
        ("max_steps", 0.2, 0.05, "not converged"),
        ("converged", 0.2, None, "poor fit"),
        ("converged", 0.2, 0.14, "bad basin"),
        ("converged", 0.12, 0.1, "bad basin"),
        ("converged", 0.2, 0.16, OUTSIDE),
        ("max_steps", 0.2, 0.16, OUTSIDE),
    ],
)
def test_the_verdict_follows_from_the_numbers(status, residual, elsewhere, expected):
    assert verdict(status, residual, limit=LIMIT, elsewhere=elsewhere) == expected


def test_the_limit_comes_from_the_figures_of_the_prior():
    card = {"figures": {"parts": {"inversion": {"psnr_mean": 20.0}}}}
    # 20 dB are an RMS of a tenth; well above it is half as much again.
    assert residual_limit(card) == pytest.approx(0.15)
    assert residual_limit({}) == residual_limit({"figures": {"parts": {}}}) == LIMIT


def test_the_residual_is_of_the_known_pixels_alone():
    known = make_known("center", 2, 16, 16)
    problem = InpaintingProblem(np.full((2, 16, 16, 3), 0.5, np.float32), known)
    generated = np.where(known[..., None], 0.7, 9.0).repeat(3, axis=-1)
    generated[1] = 0.5
    # 0.5 is exact in float32, 0.7 is a float64 here.
    np.testing.assert_allclose(known_residual(generated, problem), [0.2, 0.0])


@pytest.fixture(scope="module")
def measured_prior(tiny_prior):
    """The tiny prior, whose images are all nearly grey, with a limit for such."""
    card = {"figures": {"parts": {"inversion": {"psnr_mean": 46.0}}}}
    return dataclasses.replace(tiny_prior, card=card)


@pytest.fixture(scope="module")
def planted(tiny_prior):
    """Images that the prior itself made, and their codes; every one is in its range."""
    codes = tiny_prior.codes_for(np.arange(4), seed=7)
    known = make_known("center", 4, 16, 16)
    return InpaintingProblem(tiny_prior.generate(codes), known), codes


def options_of(num_steps, learning_rate):
    search = SearchOptions(
        num_steps=num_steps, learning_rate=learning_rate, schedule="cosine"
    )
    return dataclasses.replace(
        get_preset("fast"), first=search, second=None, start="random", anchor_weight=0.0
    )


def found_by(prior, problem, num_steps, learning_rate=0.05):
    options = options_of(num_steps, learning_rate)
    return inpaint(problem, prior=prior, preset=options, seed=3)


def verdicts_of(problem, result, prior, *, second_look):
    found = diagnose(
        problem, result, SearchCourse(), prior=prior, second_look=second_look
    )
    return [diagnosis["verdict"] for diagnosis in found]


def test_images_of_the_prior_itself_are_fine(measured_prior, planted):
    problem, _ = planted
    result = found_by(measured_prior, problem, 250)
    assert (
        verdicts_of(problem, result, measured_prior, second_look=True) == ["fine"] * 4
    )


def test_a_search_cut_short_has_not_converged(measured_prior, planted):
    problem, _ = planted
    result = found_by(measured_prior, problem, 2, learning_rate=0.003)
    for second_look in (False, True):
        found = verdicts_of(problem, result, measured_prior, second_look=second_look)
        assert found == ["not converged"] * 4


def test_noise_is_outside_the_range(measured_prior):
    noise = np.random.default_rng(0).random((2, 16, 16, 3), dtype=np.float32)
    problem = InpaintingProblem(noise, make_known("center", 2, 16, 16))
    result = found_by(measured_prior, problem, 100)
    found = diagnose(
        problem, result, SearchCourse(), prior=measured_prior, second_look=True
    )
    assert [diagnosis["verdict"] for diagnosis in found] == [OUTSIDE] * 2
    # No smooth image can fit noise of standard deviation 1 / sqrt(12) any better.
    assert min(d["residual_elsewhere"] for d in found) > 0.2


def test_an_answer_that_settled_at_a_wrong_code_lies_in_a_bad_basin(
    measured_prior, planted
):
    problem, codes = planted
    generated = measured_prior.generate(-codes)
    result = InpaintingResult(
        completed=generated,
        generated=generated,
        status=("converged",) * 4,
        stats={"codes": -codes},
    )
    for second_look, expected in ((False, "poor fit"), (True, "bad basin")):
        found = verdicts_of(problem, result, measured_prior, second_look=second_look)
        assert found == [expected] * 4


def test_the_figures_of_an_image_are_those_of_their_definitions(
    measured_prior, planted
):
    problem, codes = planted
    codes = codes.copy()
    codes[0, :2] = 1.0, -1.0
    generated = measured_prior.generate(codes)
    result = InpaintingResult(
        completed=np.where(problem.known[..., None], problem.images, 1.0).astype("f4"),
        generated=generated,
        status=("converged", "nonfinite", "converged", "converged"),
        stats={"codes": codes},
    )
    found = diagnose(problem, result, SearchCourse(), prior=measured_prior)
    assert json.loads(json.dumps(found, allow_nan=False)) == found
    assert [d["at_bound"] for d in found] == [0.25, 0.0, 0.0, 0.0]
    energies = seam_energy(result.completed, problem.known)
    assert [d["seam_energy"] for d in found] == energies.tolist()
    assert found[1]["verdict"] == "not a number"
    assert found[2]["residual"] < 1e-6
    assert {d["residual_elsewhere"] for d in found} == {None}


def planted_diagnosis(name):
    return {
        "verdict": name,
        "residual": 0.04,
        "residual_limit": LIMIT,
        "relative_seam_energy": None,
        "at_bound": 0.02,
        "curves": {
            "search": {
                "steps": [0, 10, 20],
                # A sum from nought, and a logarithm below it.
                "terms": {"content": [9.0, 3.0, 2.0], "prior": [-0.1, -0.2, -0.2]},
            },
            "refine": {"steps": [0, 5], "terms": {"anchor": [0.0, 3.0]}},
        },
    }


@pytest.mark.parametrize("count", [1, 3, 8])
def test_the_figure_shows_every_verdict_in_its_colour(tmp_path, count):
    def colours(verdicts):
        path = tmp_path / "diagnostics.png"
        save_diagnostics_figure(
            path,
            [f"image-{i}" for i in range(count)],
            [planted_diagnosis(name) for name in verdicts],
        )
        pixels = np.rint(255 * load_image(path)).astype(int)
        return {
            name: bool((np.abs(pixels - colour).max(axis=-1) <= 2).any())
            for name, colour in (("green", (42, 125, 42)), ("red", (178, 34, 34)))
        }

    assert colours(["fine"] * count) == {"green": True, "red": False}
    assert colours([OUTSIDE] * count) == {"green": False, "red": True}
