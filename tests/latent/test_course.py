"""What is kept of searches that are looked on at."""

import numpy as np
import pytest

from semantic_inpaint.latent.course import SearchCourse
from semantic_inpaint.latent.objective import (
    Objective,
    refinement_target,
    semantic_target,
)
from semantic_inpaint.latent.search import SearchOptions, search_latent

pytestmark = [pytest.mark.both_backends, pytest.mark.slow_on_jax]

COUNT = 9


@pytest.fixture(scope="module")
def watched(tiny_prior):
    """Two stages of nine images, the first searched in two parts, and their traces."""
    rng = np.random.default_rng(1)
    codes = rng.uniform(-0.8, 0.8, (COUNT, 8)).astype(np.float32)
    images = 2 * tiny_prior.generate(codes) - 1
    known = np.ones((COUNT, 16, 16), bool)
    known[:, 4:12, 4:12] = False
    weights = known.astype(np.float32)
    course, traces = SearchCourse(), {"search": [], "refine": []}
    options = SearchOptions(num_steps=30, learning_rate=0.05)

    def search(stage, objective, target, rows):
        watch = course(stage, objective, target)
        found = search_latent(
            objective, -codes[rows], target, options, slots=4, watch=watch
        )
        traces[stage].extend(found.trace)

    first = Objective(tiny_prior, prior_weight=0.003, anchor_weight=2.0)
    for rows in (slice(6), slice(6, COUNT)):
        search(
            "search",
            first,
            semantic_target(images[rows], weights[rows], anchor=codes[rows]),
            rows,
        )
    second = Objective(tiny_prior, prior_weight=0.0, refine=True)
    target = refinement_target(images, known, np.full(COUNT, 0.5))
    search("refine", second, target, slice(None))
    return course, traces, codes


def test_every_stage_and_image_is_there_from_first_to_last_step(watched):
    course, _, codes = watched
    assert course.stages == ("search", "refine")
    for stage in course.stages:
        for image in range(COUNT):
            steps, seen = course.looks(stage, image)
            # Thirty steps are looked at in pairs: 24 points at least are not to be had.
            assert steps.tolist() == list(range(0, 31, 2))
            # The parts are numbered on: each image has its own codes.
            np.testing.assert_array_equal(seen[0], -codes[image])


@pytest.mark.parametrize(
    ("stage", "names"),
    [
        ("search", {"content", "prior", "anchor"}),
        ("refine", {"global_consensus", "inpainting_consensus"}),
    ],
)
def test_the_terms_of_a_curve_add_up_to_the_loss_at_its_steps(watched, stage, names):
    course, traces, _ = watched
    # 72 codes: more than are evaluated together, and no whole number of times.
    curves = course.curves(stage)
    assert len(curves) == COUNT
    for curve, trace in zip(curves, traces[stage], strict=True):
        assert len(curve["steps"]) == 8
        assert (curve["steps"][0], curve["steps"][-1]) == (0, 30)
        assert set(curve["terms"]) == names
        total = np.sum(list(curve["terms"].values()), axis=0)
        # float32 sums of 768 values, of batches of other sizes.
        np.testing.assert_allclose(total, trace[curve["steps"]], rtol=2e-4)


def test_a_curve_has_no_more_points_than_asked_for_or_seen(watched):
    course, *_ = watched
    assert course.curves("refine", points=2)[0]["steps"] == [0, 30]
    assert len(course.curves("refine", points=99)[0]["steps"]) == 16


def test_an_image_that_was_never_shown_is_refused(watched):
    course, *_ = watched
    with pytest.raises(IndexError, match="no image 9"):
        course.looks("search", COUNT)
    assert SearchCourse().stages == ()


def test_images_that_are_forgotten_may_be_searched_anew(tiny_prior):
    objective, course = Objective(tiny_prior, prior_weight=0.0), SearchCourse()
    codes = tiny_prior.codes_for(np.arange(5), seed=2)
    target = semantic_target(
        2 * tiny_prior.generate(codes) - 1, np.ones((5, 16, 16), np.float32)
    )

    def show(stage, rows, step):
        part = type(target)(*(None if x is None else x[rows] for x in target))
        watch = course(stage, objective, part)
        count = len(part.images)
        watch(np.arange(count), np.full(count, step), codes[rows])

    show("search", slice(2), 0)
    show("search", slice(2, 5), 1)
    show("refine", slice(2, 5), 1)
    course.keep(0)
    assert course.stages == ()
    show("search", slice(2), 0)
    show("search", slice(2, 5), 1)
    # Two of the second part stay: a part may be cut.
    course.keep(4)
    assert len(course.curves("search")) == 4
    with pytest.raises(IndexError):
        course.looks("search", 4)
    course.keep(2)
    show("search", slice(2, 5), 7)
    steps, seen = course.looks("search", 4)
    assert steps.tolist() == [7]
    np.testing.assert_array_equal(seen[0], codes[4])
    # Each is its own target still: a code that made the image leaves nothing over.
    totals = [sum(map(sum, c["terms"].values())) for c in course.curves("search")]
    np.testing.assert_allclose(totals, 0.0, atol=1e-2)
