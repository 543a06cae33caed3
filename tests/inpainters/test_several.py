import dataclasses

import numpy as np
import pytest

from semantic_inpaint.inpainters.semantic import SemanticInpainter
from semantic_inpaint.inpainters.several import (
    WAYS,
    SeveralOptions,
    SeveralResult,
    inpaint_several,
)
from semantic_inpaint.latent.langevin import LangevinOptions
from semantic_inpaint.latent.objective import Objective, semantic_target
from semantic_inpaint.latent.presets import FAST
from semantic_inpaint.latent.weights import importance_weights
from semantic_inpaint.masks import make_known
from semantic_inpaint.metrics import hole_diversity, uncertainty_map
from semantic_inpaint.problem import InpaintingProblem

pytestmark = [pytest.mark.both_backends, pytest.mark.slow_on_jax]

SHORT = FAST.with_steps(5)
OPTIONS = SeveralOptions(langevin=LangevinOptions(num_steps=12, burn_in=8))


@pytest.fixture
def problem(tiny_prior):
    images = tiny_prior.generate(tiny_prior.codes_for(np.arange(3), seed=99))
    return InpaintingProblem(images, make_known("center", 3, 16, 16), [5, 2, 8])


@pytest.fixture
def inpainter(tiny_prior, tiny_encoder):
    return SemanticInpainter(tiny_prior, SHORT, tiny_encoder)


def several(inpainter, problem, way, num_samples=3, seed=0, options=OPTIONS):
    return inpaint_several(
        inpainter,
        problem,
        num_samples=num_samples,
        way=way,
        options=options,
        seed=seed,
    )


@pytest.mark.parametrize("way", WAYS)
def test_answers_keep_known_pixels_differ_and_stand_in_the_order_of_their_losses(
    inpainter, problem, way
):
    found = several(inpainter, problem, way)
    assert found.completed.shape == (3, 3, 16, 16, 3)
    assert found.completed.dtype == np.float32
    assert found.codes.shape == (3, 3, 8)
    for answers, image, known in zip(
        found.completed, problem.images, problem.known, strict=True
    ):
        for answer in answers:
            np.testing.assert_array_equal(answer[known], image[known])
    assert found.completed.min() >= 0
    assert found.completed.max() <= 1
    assert np.all(np.diff(found.loss, axis=1) >= 0)
    assert np.all(found.diversity > 1e-3)
    np.testing.assert_array_equal(found.uncertainty, uncertainty_map(found.completed))
    assert not found.uncertainty[problem.known].any()
    np.testing.assert_array_equal(
        found.diversity, hole_diversity(found.completed, problem.known)
    )
    assert (found.acceptance is None) == (way == "restarts")


@pytest.mark.parametrize("way", WAYS)
def test_the_answers_of_an_image_do_not_depend_on_its_batch(inpainter, problem, way):
    whole = several(inpainter, problem, way)
    alone = several(inpainter, problem.take([1]), way)
    # Matrix products of other shapes round otherwise, and each step carries it on.
    np.testing.assert_allclose(alone.codes[0], whole.codes[1], atol=2e-3)
    np.testing.assert_allclose(alone.completed[0], whole.completed[1], atol=1 / 255)
    again = several(inpainter, problem, way)
    np.testing.assert_array_equal(again.completed, whole.completed)
    other = several(inpainter, problem, way, seed=1)
    assert not np.any(np.isclose(other.codes, whole.codes, atol=1e-6).all(axis=-1))


def test_restarts_are_the_answers_of_the_method_without_its_encoder(
    tiny_prior, inpainter, problem
):
    found = several(inpainter, problem, "restarts")
    options = dataclasses.replace(
        SHORT,
        start="random",
        anchor_weight=0.0,
        start_scale=OPTIONS.start_scale,
    )
    single = SemanticInpainter(tiny_prior, options).inpaint(problem, seed=0)
    # The first copy of an image draws as the image itself.
    for image in range(3):
        losses = np.abs(found.loss[image] - single.stats["search_loss"][image])
        place = losses.argmin()
        np.testing.assert_allclose(
            found.codes[image, place], single.stats["codes"][image], atol=2e-3
        )


def test_samples_are_of_the_loss_of_stage_one_with_its_anchor(
    tiny_prior, tiny_encoder, inpainter, problem
):
    found = several(inpainter, problem, "langevin")
    weights = importance_weights(
        problem.known, window_size=SHORT.window_size, kind=SHORT.weight_kind
    )
    target = semantic_target(
        2 * problem.images - 1,
        weights,
        anchor=tiny_encoder.encode(problem.images, problem.known),
    )
    objective = Objective(
        tiny_prior,
        SHORT.prior_weight,
        anchor_weight=SHORT.anchor_weight,
        distance=SHORT.distance,
    )
    for sample in range(3):
        expected = np.asarray(objective(found.codes[:, sample], target))
        # A sum over hundreds of pixels, taken in another order.
        np.testing.assert_allclose(found.loss[:, sample], expected, rtol=1e-4)


def test_a_larger_excess_makes_more_variety_at_a_higher_loss(inpainter, problem):
    low, high = (
        several(
            inpainter,
            problem,
            "langevin",
            options=dataclasses.replace(OPTIONS, excess=excess),
        )
        for excess in (0.01, 1.0)
    )
    assert np.all(low.diversity < high.diversity)
    assert np.all(low.loss.mean(axis=1) < high.loss.mean(axis=1))


def test_what_stands_in_the_hole_changes_nothing(inpainter, problem):
    images = np.where(problem.hole[..., None], np.float32(np.nan), problem.images)
    poisoned = InpaintingProblem(images, problem.known, problem.indices)
    first, second = (several(inpainter, p, "langevin") for p in (problem, poisoned))
    np.testing.assert_array_equal(first.completed, second.completed)


def test_a_method_without_a_second_stage_or_an_encoder_has_many_answers_too(
    tiny_prior, problem
):
    plain = SemanticInpainter(tiny_prior, dataclasses.replace(SHORT, second=None))
    for way in WAYS:
        found = several(plain, problem, way, num_samples=2)
        assert isinstance(found, SeveralResult)
        assert np.all(found.diversity > 1e-3)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"way": "luck"}, "`way` must be one of restarts, langevin; got 'luck'"),
        ({"num_samples": 1}, "`num_samples` must be 2 or more; got 1"),
    ],
)
def test_what_cannot_be_done_is_named(inpainter, problem, change, message):
    with pytest.raises(ValueError, match=message):
        inpaint_several(inpainter, problem, **{"num_samples": 2, **change})


@pytest.mark.parametrize("values", [{"start_scale": 0.0}, {"excess": 0.0}])
def test_options_out_of_range_are_refused(values):
    with pytest.raises(ValueError, match=next(iter(values))):
        SeveralOptions(**values)
