"""Methods without a network: what each fills in where the answer is known."""

import dataclasses
import sys

import numpy as np
import pytest

from semantic_inpaint.inpainters import CLASSICAL, make_inpainter, needs_prior
from semantic_inpaint.inpainters.classical import ClassicalInpainter
from semantic_inpaint.latent.presets import FAST, MALESEVIC, YEH
from semantic_inpaint.masks import make_known
from semantic_inpaint.problem import InpaintingProblem

# The package of PatchMatch has no wheels for Python 3.10.
AVAILABLE = [
    name for name in CLASSICAL if name != "patchmatch" or sys.version_info >= (3, 11)
]
LEVEL = 1.0 / 255.0


def pose(images, pattern="center"):
    count, height, width, _ = images.shape
    return InpaintingProblem(images, make_known(pattern, count, height, width, seed=3))


@pytest.fixture
def noise():
    return np.random.default_rng(2).random((2, 16, 16, 3), dtype=np.float32)


@pytest.mark.parametrize("method", AVAILABLE)
def test_an_image_of_one_colour_is_completed_in_it(method):
    images = np.full((1, 16, 16, 3), [51.0, 102.0, 204.0], np.float32) / 255
    completed = make_inpainter(method).inpaint(pose(images)).completed
    # Three of them count in 8 bits, in which these colours are exact; OpenCV's Telea
    # rounds its weighted means down by up to two levels.
    atol = 2.01 * LEVEL if method == "telea" else 1e-6
    np.testing.assert_allclose(completed, images, atol=atol)


def test_the_mean_is_that_of_the_known_pixels_alone(noise):
    problem = pose(noise)
    completed = make_inpainter("mean").inpaint(problem).completed
    for image, known, filled in zip(noise, problem.known, completed, strict=True):
        expected = [image[..., channel][known].mean() for channel in range(3)]
        np.testing.assert_allclose(
            filled[~known], np.broadcast_to(expected, (64, 3)), atol=1e-6
        )


def test_biharmonic_continues_a_ramp_exactly():
    rows, columns = np.mgrid[0:16, 0:16] / 32.0
    ramp = np.stack([rows, columns, rows + columns], axis=-1).astype(np.float32)
    # The bilaplacian of a linear function is 0: the ramp itself solves the equation.
    completed = make_inpainter("biharmonic").inpaint(pose(ramp[None])).completed
    np.testing.assert_allclose(completed[0], ramp, atol=1e-6)


@pytest.mark.parametrize("method", ["telea", "navier-stokes"])
def test_opencv_methods_continue_both_sides_of_an_edge(method):
    images = np.zeros((1, 16, 16, 3), np.float32)
    images[:, :, 8:] = 1.0
    known = np.ones((1, 16, 16), bool)
    known[:, 8] = False
    problem = InpaintingProblem(images, known)
    completed = make_inpainter(method).inpaint(problem).completed
    # At the edge itself they smooth; on either side of it they keep to that side.
    off_edge = [*range(7), *range(9, 16)]
    np.testing.assert_array_equal(
        completed.round()[:, :, off_edge], images[:, :, off_edge]
    )


if "patchmatch" in AVAILABLE:

    def test_patchmatch_continues_a_texture_where_the_mean_cannot():
        row = np.tile([0.0, 0.0, 1.0, 1.0], 8)
        images = np.broadcast_to(row[None, None, :, None], (1, 32, 32, 3))
        problem = pose(images.astype(np.float32))
        errors = {
            method: np.abs(make_inpainter(method).inpaint(problem).completed - images)
            for method in ("patchmatch", "mean")
        }
        hole = problem.hole
        # It averages overlapping patches, and so blurs; but it does see the stripes.
        assert errors["patchmatch"][hole].mean() < 0.5 * errors["mean"][hole].mean()


def test_a_result_that_is_no_number_is_reported_and_leaves_the_hole_grey(noise):
    problem = pose(noise)
    broken = ClassicalInpainter(
        "broken", lambda image, hole: np.full_like(image, np.nan), {}
    )
    result = broken.inpaint(problem)
    assert result.status == ("nonfinite", "nonfinite")
    np.testing.assert_array_equal(result.completed, problem.images)


def test_overshoot_is_cut_off_and_progress_told(noise):
    bright = ClassicalInpainter("bright", lambda image, _: image + 2.0, {})
    told = []
    problem = pose(noise)
    result = bright.inpaint(problem, progress=lambda *words: told.append(words))
    assert np.all(result.completed[problem.hole] == 1.0)
    assert told == [("fill", bright.num_steps)]


@pytest.mark.parametrize("method", AVAILABLE)
def test_no_prior_is_loaded(method):
    assert not needs_prior(method)
    # There is no such prior; whoever looked for it would say so.
    assert make_inpainter(method, prior="no such prior").method == method


@pytest.mark.parametrize(
    ("method", "module", "package"),
    [
        ("telea", "cv2", "opencv-python-headless"),
        ("navier-stokes", "cv2", "opencv-python-headless"),
        ("patchmatch", "patchmatch", "PyPatchMatch"),
    ],
)
def test_a_missing_library_is_named_in_one_line(method, module, package, monkeypatch):
    monkeypatch.setitem(sys.modules, module, None)  # As if it were not installed.
    with pytest.raises(ImportError, match=package) as caught:
        make_inpainter(method)
    assert "\n" not in str(caught.value)
    assert "semantic-inpaint[benchmark]" in str(caught.value)


def test_plain_is_stage_one_with_the_steps_of_both(tiny_prior, noise):
    options = dataclasses.replace(
        MALESEVIC,
        first=dataclasses.replace(MALESEVIC.first, num_steps=4),
        second=dataclasses.replace(MALESEVIC.second, num_steps=3),
    )
    problem = pose(noise)
    plain = make_inpainter("plain", prior=tiny_prior, preset=options)
    assert plain.num_steps == 7
    longer = dataclasses.replace(
        options, first=dataclasses.replace(options.first, num_steps=7)
    )
    semantic = make_inpainter("semantic", prior=tiny_prior, preset=longer)
    np.testing.assert_array_equal(
        plain.inpaint(problem).completed, semantic.inpaint(problem).completed
    )


def test_the_plain_control_of_the_paper_has_3000_steps(tiny_prior):
    assert make_inpainter("plain", prior=tiny_prior, preset=MALESEVIC).num_steps == 3000
    preset = dataclasses.replace(FAST, start="random", anchor_weight=0.0)
    assert make_inpainter("plain", prior=tiny_prior, preset=preset).num_steps == 75
    with pytest.raises(ValueError, match="'plain' needs a second stage"):
        make_inpainter("plain", prior=tiny_prior, preset=YEH)
