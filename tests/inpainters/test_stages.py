"""What can be added to the cascade: candidates, the blend judged, a third stage."""

import dataclasses

import numpy as np
import pytest
from keras import ops

from semantic_inpaint.inpainters import SemanticInpainter
from semantic_inpaint.inpainters.stages import Stages
from semantic_inpaint.latent.candidates import CandidateOptions
from semantic_inpaint.latent.intermediate import IntermediateOptions
from semantic_inpaint.latent.presets import FAST
from semantic_inpaint.latent.through_blend import BlendedObjective
from semantic_inpaint.masks import make_known
from semantic_inpaint.problem import InpaintingProblem

pytestmark = [pytest.mark.both_backends, pytest.mark.slow_on_jax]

SHORT = dataclasses.replace(FAST.with_steps(12), start="random", anchor_weight=0.0)


@pytest.fixture
def problem():
    images = np.random.default_rng(0).random((3, 16, 16, 3), dtype=np.float32)
    return InpaintingProblem(images, make_known("center", 3, 16, 16))


def answer(prior, options, problem, **options_of_call):
    return SemanticInpainter(prior, options).inpaint(problem, seed=2, **options_of_call)


def test_the_best_of_several_searches_is_refined(tiny_prior, problem):
    several = CandidateOptions(restarts=4, halvings=1)
    options = dataclasses.replace(SHORT, candidates=several)
    steps = []
    found = answer(
        tiny_prior, options, problem, progress=lambda stage, n: steps.append(n)
    )
    stats = found.stats
    assert stats["candidate_codes"].shape == (3, 2, 8)
    np.testing.assert_array_equal(stats["candidate_codes"][:, 0], stats["search_codes"])
    np.testing.assert_array_equal(stats["candidate_loss"][:, 0], stats["search_loss"])
    assert (np.diff(stats["candidate_loss"], axis=1) >= 0).all()
    assert sum(steps) == options.num_steps()


def test_a_pool_begins_where_its_best_code_is(tiny_prior, problem):
    pool = dataclasses.replace(SHORT, candidates=CandidateOptions(pool=200))
    first = answer(tiny_prior, SHORT, problem).stats["search_trace"][:, 0]
    best = answer(tiny_prior, pool, problem).stats["search_trace"][:, 0]
    # The pool begins with the very code of the single start.
    assert (best < first).all()


def test_an_image_of_several_candidates_does_not_depend_on_its_batch(
    tiny_prior, problem
):
    several = CandidateOptions(pool=6, restarts=2, halvings=1)
    options = dataclasses.replace(SHORT, candidates=several, batch_size=4)
    together = answer(tiny_prior, options, problem).completed
    alone = answer(tiny_prior, options, problem.take([2])).completed
    np.testing.assert_allclose(together[2:], alone, atol=1 / 255)


def test_the_discriminator_judges_what_is_delivered(tiny_prior, problem):
    options = dataclasses.replace(SHORT, through_blend=True, prior_weight=30.0)
    stages = Stages(tiny_prior, options)
    objective = stages.objective(refine=False)
    assert isinstance(objective, BlendedObjective)
    found = answer(tiny_prior, options, problem)
    codes = found.stats["search_codes"]
    target = stages.first_target(problem, None)
    judged = objective.judged(tiny_prior.generator(codes, training=False), target)
    # One blends in float32, the other in float64.
    np.testing.assert_allclose(
        ops.convert_to_numpy(judged) / 2 + 0.5, found.stages["blended"], atol=1e-4
    )
    loss = ops.convert_to_numpy(objective(codes, target))
    np.testing.assert_allclose(loss, found.stats["search_loss"], rtol=1e-4)


def test_nothing_to_judge_with_is_refused():
    with pytest.raises(ValueError, match="`prior_weight` is 0 and nothing judges"):
        dataclasses.replace(SHORT, through_blend=True)


@pytest.mark.parametrize("second", [True, False])
def test_a_third_stage_leaves_the_range_and_keeps_the_known_pixels(
    tiny_prior, problem, second
):
    options = dataclasses.replace(SHORT, second=SHORT.first if second else None)
    further = IntermediateOptions(side=8, radius=0.5, num_steps=20)
    before = answer(tiny_prior, options, problem)
    after = answer(tiny_prior, dataclasses.replace(options, third=further), problem)
    assert list(after.stages)[-1] == "beyond"
    np.testing.assert_array_equal(after.stages["beyond"], after.generated)
    known = problem.known
    np.testing.assert_array_equal(after.completed[known], problem.images[known])
    loss = before.stats["refine_loss" if second else "search_loss"]
    np.testing.assert_allclose(after.stats["beyond_trace"][:, 0], loss, rtol=1e-4)
    assert (after.stats["beyond_loss"] < loss).all()
