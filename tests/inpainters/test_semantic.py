import dataclasses

import numpy as np
import pytest

from semantic_inpaint.blending import poisson_blend
from semantic_inpaint.inpainters import (
    SemanticInpainter,
    inpaint,
    make_inpainter,
)
from semantic_inpaint.latent.options import SearchOptions
from semantic_inpaint.latent.presets import FAST, get_preset
from semantic_inpaint.latent.published import PUBLISHED
from semantic_inpaint.masks import make_known
from semantic_inpaint.problem import InpaintingProblem

pytestmark = pytest.mark.both_backends

LONG = FAST.with_steps(120)
SHORT = FAST.with_steps(5)
# Both stages search codes, as in the paper.
CODES = dataclasses.replace(SHORT, second=SHORT.first)


@pytest.fixture
def planted(tiny_prior):
    """Images that the prior can make exactly."""
    images = tiny_prior.generate(tiny_prior.codes_for(np.arange(4), seed=99))
    return images, InpaintingProblem(images, make_known("center", 4, 16, 16))


def hole_error(pictures, images, problem):
    return np.abs(pictures - images)[problem.hole].mean()


def test_images_in_the_range_of_the_prior_are_restored_and_refinement_helps(
    tiny_prior, planted
):
    images, problem = planted
    result = SemanticInpainter(tiny_prior, LONG).inpaint(problem, seed=0)
    before = hole_error(result.stages["blended"], images, problem)
    after = hole_error(result.completed, images, problem)
    blank = hole_error(problem.images, images, problem)
    assert after < before < blank


@pytest.mark.parametrize("options", [SHORT, CODES], ids=["maps", "codes"])
def test_the_stages_are_the_cascade_of_figure_8(tiny_prior, planted, options):
    _, problem = planted
    result = SemanticInpainter(tiny_prior, options).inpaint(problem, seed=0)
    assert list(result.stages) == ["masked", "generated", "blended", "refined"]
    np.testing.assert_array_equal(result.stages["masked"], problem.images)
    for generated, blended in (
        (result.stages["generated"], result.stages["blended"]),
        (result.stages["refined"], result.completed),
    ):
        expected = poisson_blend(generated, problem.images, problem.known)
        np.testing.assert_array_equal(blended, np.clip(expected, 0, 1))
    np.testing.assert_array_equal(result.generated, result.stages["refined"])
    for stage, made in (("search", "generated"), ("refine", "refined")):
        if stage == "search" or options is CODES:
            images = tiny_prior.generate(result.stats[f"{stage}_codes"])
            np.testing.assert_array_equal(result.stages[made], images)


def test_a_refinement_of_maps_keeps_the_codes_and_lowers_the_loss(tiny_prior, planted):
    _, problem = planted
    result = SemanticInpainter(tiny_prior, SHORT).inpaint(problem, seed=0)
    stats = result.stats
    for stage in ("refine_codes", "codes"):
        np.testing.assert_array_equal(stats[stage], stats["search_codes"])
    assert np.all(stats["refine_loss"] < stats["refine_trace"][:, 0])
    # The images are none that these codes give.
    distance = np.abs(result.generated - tiny_prior.generate(stats["codes"]))
    assert np.all(distance.max(axis=(1, 2, 3)) > 1 / 255)


def test_refinement_goes_on_from_the_codes_of_stage_one(tiny_prior, planted):
    _, problem = planted
    options = dataclasses.replace(
        SHORT,
        second=dataclasses.replace(SHORT.first, num_steps=1, learning_rate=1e-6),
    )
    result = SemanticInpainter(tiny_prior, options).inpaint(problem, seed=0)
    # A step of a millionth leaves the picture as it was.
    np.testing.assert_allclose(
        result.stages["refined"], result.stages["generated"], atol=1e-4
    )
    fresh = SemanticInpainter(
        tiny_prior, dataclasses.replace(options, restart=True)
    ).inpaint(problem, seed=0)
    assert not np.allclose(
        fresh.stages["refined"], fresh.stages["generated"], atol=1e-2
    )


def test_codes_start_where_the_scale_says(tiny_prior, planted):
    _, problem = planted
    still = dataclasses.replace(SHORT.first, num_steps=1, learning_rate=1e-6)
    codes = [
        SemanticInpainter(
            tiny_prior,
            dataclasses.replace(SHORT, first=still, second=None, start_scale=scale),
        )
        .inpaint(problem, seed=0)
        .stats["codes"]
        for scale in (1.0, 0.25)
    ]
    np.testing.assert_allclose(codes[1], 0.25 * codes[0], atol=1e-5)
    assert np.abs(codes[0]).max() > 0.9


def test_normal_codes_start_beyond_the_uniform_ones_and_are_clipped(
    tiny_prior, planted
):
    _, problem = planted
    still = dataclasses.replace(SHORT.first, num_steps=1, learning_rate=1e-6)
    options = dataclasses.replace(
        SHORT,
        first=still,
        second=None,
        start_distribution="normal",
        start_scale=1.0,
    )
    codes = SemanticInpainter(tiny_prior, options).inpaint(problem).stats["codes"]
    drawn = tiny_prior.codes_for(problem.indices, seed=0, distribution="normal")
    assert np.abs(drawn).max() > 1
    np.testing.assert_allclose(codes, np.clip(drawn, -1, 1), atol=1e-5)


@pytest.mark.slow_on_jax
@pytest.mark.parametrize("name", PUBLISHED)
def test_every_published_search_runs_and_keeps_the_known_pixels(
    tiny_prior, planted, name
):
    images, problem = planted
    options = get_preset(name).with_steps(3)
    result = SemanticInpainter(tiny_prior, options).inpaint(problem, seed=0)
    known = problem.known
    np.testing.assert_array_equal(result.completed[known], images[known])
    assert "nonfinite" not in result.status
    if options.operator == "paste":
        hole = problem.hole
        np.testing.assert_array_equal(result.completed[hole], result.generated[hole])
    last = result.stats["search_trace"][:, -1]
    if options.first.result == "last":
        np.testing.assert_array_equal(result.stats["search_loss"], last)


@pytest.mark.slow_on_jax
def test_a_small_batch_size_changes_nothing(tiny_prior, planted):
    _, problem = planted
    whole, pieces = (
        SemanticInpainter(
            tiny_prior, dataclasses.replace(SHORT, batch_size=size)
        ).inpaint(problem, seed=0)
        for size in (64, 3)
    )
    # Convolutions of another batch size may add in another order.
    np.testing.assert_allclose(pieces.completed, whole.completed, atol=1e-4)
    assert pieces.stats["search_trace"].shape == (4, 6)


@pytest.mark.slow_on_jax
def test_images_that_end_early_make_room_and_nothing_else_changes(tiny_prior, planted):
    _, problem = planted
    early = SearchOptions(num_steps=60, learning_rate=0.05, tolerance=0.1)
    options = dataclasses.replace(SHORT, first=early, second=early)
    whole, pieces = (
        SemanticInpainter(
            tiny_prior, dataclasses.replace(options, batch_size=size)
        ).inpaint(problem, seed=0)
        for size in (64, 3)
    )
    for stage in ("search", "refine"):
        steps = whole.stats[f"{stage}_steps"]
        assert steps.shape == (4,)
        assert steps.min() < 60
        # Who has ended no longer moves, whatever the steps of the others.
        last = whole.stats[f"{stage}_trace"][np.arange(4), steps]
        np.testing.assert_array_equal(whole.stats[f"{stage}_trace"][:, -1], last)
    # Rounding differs with the shape of a batch, and sixty steps carry it on.
    np.testing.assert_allclose(
        pieces.stats["search_loss"], whole.stats["search_loss"], rtol=0.02
    )


def test_the_consensus_weight_reaches_the_objective(tiny_prior, planted):
    _, problem = planted
    low, high = (
        SemanticInpainter(
            tiny_prior, dataclasses.replace(SHORT, consensus_weight=mu)
        ).inpaint(problem, seed=0)
        for mu in (0.0, 1.0)
    )
    assert np.all(low.stats["refine_loss"] < high.stats["refine_loss"])


@pytest.mark.slow_on_jax
def test_progress_counts_every_step_of_both_stages(tiny_prior, planted):
    _, problem = planted
    steps = {"search": 0, "refine": 0}

    def progress(stage, count):
        steps[stage] += count

    options = dataclasses.replace(SHORT, batch_size=2)
    SemanticInpainter(tiny_prior, options).inpaint(problem, progress=progress)
    assert steps == {"search": 10, "refine": 10}


def test_the_short_way_equals_the_long_one(tiny_prior, tiny_prior_folder, planted):
    _, problem = planted
    short = inpaint(problem, prior=tiny_prior_folder, preset=SHORT, seed=1)
    long = SemanticInpainter(tiny_prior, SHORT).inpaint(problem, seed=1)
    np.testing.assert_array_equal(short.completed, long.completed)


def test_an_unknown_method_names_the_nearest(tiny_prior):
    with pytest.raises(ValueError, match="Did you mean 'refined'"):
        make_inpainter("refine", prior=tiny_prior)


def test_the_preset_decides_on_the_refinement_unless_a_method_is_named(tiny_prior):
    assert make_inpainter(prior=tiny_prior, preset="yeh").options.second is None
    assert make_inpainter(prior=tiny_prior, preset="fast").options.second is not None
    semantic = make_inpainter("semantic", prior=tiny_prior, preset="malesevic")
    assert semantic.options.second is None
    with pytest.raises(ValueError, match="second stage"):
        make_inpainter("refined", prior=tiny_prior, preset="yeh")


def test_an_image_that_cannot_be_generated_spoils_no_other(tiny_prior, planted):
    images, problem = planted

    class Failing:
        def __getattr__(self, name):
            return getattr(tiny_prior, name)

        def generate(self, codes):
            pictures = tiny_prior.generate(codes)
            pictures[1] = np.nan
            return pictures

    sound = SemanticInpainter(tiny_prior, CODES).inpaint(problem, seed=0)
    result = SemanticInpainter(Failing(), CODES).inpaint(problem, seed=0)
    assert np.isfinite(result.completed).all()
    for row in (0, 2, 3):
        np.testing.assert_allclose(
            result.completed[row], sound.completed[row], atol=1e-6
        )
    known = problem.known[1]
    np.testing.assert_array_equal(result.completed[1][known], images[1][known])
