"""The shipped prior: an image's answer is its own, whoever is searched beside it."""

import dataclasses

import numpy as np
import pytest

from semantic_inpaint.datasets.samples import sample_faces
from semantic_inpaint.inpainters import make_inpainter
from semantic_inpaint.latent.presets import FAST
from semantic_inpaint.masks import make_known
from semantic_inpaint.models.checkpoints import load_prior
from semantic_inpaint.problem import InpaintingProblem

pytestmark = pytest.mark.slow

# What a picture of 8 bits can tell apart.
LEVEL = 1 / 255


@pytest.fixture(scope="module")
def problem():
    images = sample_faces(64)
    return InpaintingProblem(images, make_known("random-square", 64, 64, 64, seed=1))


@pytest.mark.parametrize("precision", ["float32", "bfloat16"])
def test_alone_in_a_batch_and_in_another_order_the_answer_is_the_same(
    problem, precision
):
    prior = load_prior("slim", precision=precision)

    def completed(options, rows):
        inpainter = make_inpainter(prior=prior, preset=options)
        return inpainter.inpaint(problem.take(rows), seed=3).completed

    together = completed(FAST, np.arange(64))
    for row in (0, 37):
        alone = completed(FAST, [row])[0]
        assert np.abs(alone - together[row]).max() <= LEVEL
    order = np.random.default_rng(0).permutation(64)
    fewer = dataclasses.replace(FAST, batch_size=16)
    shuffled = completed(fewer, order)
    assert np.abs(shuffled - together[order]).max() <= LEVEL


def test_slots_that_are_refilled_give_the_answer_of_one_alone(problem):
    prior = load_prior("slim", precision="float32")
    options = dataclasses.replace(
        FAST,
        # Long enough for some to end early.
        first=dataclasses.replace(FAST.first, num_steps=150, tolerance=0.01),
        batch_size=8,
    )
    inpainter = make_inpainter(prior=prior, preset=options)
    many = inpainter.inpaint(problem.take(np.arange(20)), seed=3)
    assert len(set(many.stats["search_steps"].tolist())) > 1
    for row in (2, 19):
        alone = inpainter.inpaint(problem.take([row]), seed=3).completed[0]
        assert np.abs(alone - many.completed[row]).max() <= LEVEL
