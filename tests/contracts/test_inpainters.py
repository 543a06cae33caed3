"""What every registered method promises."""

import dataclasses
import sys

import numpy as np
import pytest

from semantic_inpaint.inpainters import (
    CLASSICAL,
    FEED_FORWARD,
    METHODS,
    make_inpainter,
    needs_prior,
)
from semantic_inpaint.latent.presets import FAST, MALESEVIC, YEH
from semantic_inpaint.masks import PATTERNS, make_known
from semantic_inpaint.problem import InpaintingProblem

# The package of PatchMatch has no wheels for Python 3.10.
UNAVAILABLE = {"patchmatch"} if sys.version_info < (3, 11) else set()
WITH_PRIOR = {
    "semantic": ("semantic", YEH),
    "refined": (
        "refined",
        dataclasses.replace(FAST, start="random", anchor_weight=0.0),
    ),
    "malesevic": ("refined", MALESEVIC),
    "encoder-start": ("refined", dataclasses.replace(FAST, anchor_weight=0.1)),
    "plain": ("plain", MALESEVIC),
    "encoder": ("encoder", FAST),
}
WITHOUT = {
    name: (name, FAST)
    for name in (*FEED_FORWARD, *CLASSICAL)
    if name not in UNAVAILABLE
}
# A second network of a method.
TWINS = {"iconv-free": ("iconv", FAST)}
# One pass of a network that is told what to draw.
DRAWN = {"iconv"}
CASES = {**WITH_PRIOR, **WITHOUT, **TWINS}

pytestmark = [
    pytest.mark.both_backends,
    pytest.mark.parametrize(
        ("case", "method", "preset"),
        [(case, *values) for case, values in CASES.items()],
        ids=CASES,
    ),
]


def test_every_registered_method_is_held_to_the_contract(case, method, preset):
    assert case in CASES
    assert method in METHODS
    assert set(METHODS) - UNAVAILABLE == {method for method, _ in CASES.values()}


@pytest.fixture
def ask(tiny_prior, tiny_encoder, tiny_networks, case, method, preset):
    """The method with a short search, as a function of a problem."""
    inpainter = make_inpainter(
        method,
        prior=tiny_prior,
        preset=preset.with_steps(4),
        encoder=tiny_encoder,
        network=tiny_networks.get(case),
    )
    return inpainter.inpaint


def pose(pattern="random-square", count=3, fill=None):
    images = np.random.default_rng(7).random((count, 16, 16, 3), dtype=np.float32)
    known = make_known(pattern, count, 16, 16, seed=1)
    if fill is not None:
        images[~known] = fill
    return images, InpaintingProblem(images, known)


def test_shapes_range_and_status(ask, method):
    images, problem = pose()
    result = ask(problem, seed=0)
    for pictures in (result.completed, result.generated, *result.stages.values()):
        assert pictures.shape == images.shape
        assert pictures.dtype == np.float32
        assert np.all((pictures >= 0) & (pictures <= 1))
    assert len(result.status) == len(images)
    assert set(result.status) <= {"converged", "max_steps", "nonfinite"}
    assert ("refined" in result.stages) == (method == "refined")
    assert ("codes" in result.stats) == needs_prior(method)
    if needs_prior(method):
        assert result.stats["codes"].shape == (3, 8)
        assert np.all((result.stats["score"] >= 0) & (result.stats["score"] <= 1))


def test_known_pixels_are_bit_exact(ask):
    for pattern in PATTERNS:
        images, problem = pose(pattern)
        completed = ask(problem, seed=0).completed
        np.testing.assert_array_equal(completed[problem.known], images[problem.known])


def test_the_same_seed_gives_the_same_answer_and_another_seed_another(
    ask, method, preset
):
    _, problem = pose()
    first, again, other = (ask(problem, seed=s).completed for s in (3, 3, 4))
    np.testing.assert_array_equal(first, again)
    # An encoder gives the codes of an image once and for all, and few methods without
    # a prior draw anything.
    fixed = preset.start == "auto" and method not in DRAWN
    assert np.allclose(first, other, atol=1e-3) == fixed


def test_an_image_alone_equals_its_row_in_a_batch(ask):
    _, problem = pose()
    together = ask(problem, seed=0).completed
    for row in range(len(problem)):
        alone = ask(problem.take([row]), seed=0).completed
        # Convolutions of another batch size may add in another order.
        np.testing.assert_allclose(alone[0], together[row], atol=1e-4)


def test_the_order_of_a_batch_does_not_matter(ask):
    _, problem = pose()
    together = ask(problem, seed=0).completed
    shuffled = ask(problem.take([2, 0, 1]), seed=0).completed
    np.testing.assert_allclose(shuffled, together[[2, 0, 1]], atol=1e-4)


@pytest.mark.parametrize("poison", [np.nan, np.inf, 1e6, 0.0])
def test_what_stands_in_the_hole_is_never_read(ask, poison):
    _, problem = pose()
    _, poisoned = pose(fill=poison)
    np.testing.assert_array_equal(
        ask(problem, seed=0).completed, ask(poisoned, seed=0).completed
    )


def test_images_of_another_size_than_the_prior_s_are_refused(ask, method):
    images = np.zeros((1, 12, 12, 3), np.float32)
    problem = InpaintingProblem(images, make_known("center", 1, 12, 12))
    if not needs_prior(method):
        assert ask(problem, seed=0).completed.shape == images.shape
        return
    with pytest.raises(ValueError, match="makes 16x16 images; got 12x12"):
        ask(problem, seed=0)
