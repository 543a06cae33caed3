"""No registered method reads what stood in the hole."""

import dataclasses
import sys

import numpy as np
import pytest

from semantic_inpaint.benchmark.leak import check_leak
from semantic_inpaint.inpainters import METHODS, make_inpainter
from semantic_inpaint.latent.presets import FAST, MALESEVIC, YEH
from semantic_inpaint.masks import make_known
from semantic_inpaint.problem import InpaintingProblem

# Every way in which the search reads the known pixels: from an encoder with an anchor
# to it, from random codes, with the papers' own weights and without a refinement.
PRESETS = {
    "fast": dataclasses.replace(FAST, anchor_weight=0.1),
    "random": dataclasses.replace(FAST, start="random", anchor_weight=0.0),
    "malesevic": MALESEVIC,
    "yeh": YEH,
}
# The package of PatchMatch has no wheels for Python 3.10.
UNAVAILABLE = {"patchmatch"} if sys.version_info < (3, 11) else set()
CASES = [(method, "fast") for method in METHODS if method not in UNAVAILABLE]
# A second network of a method.
TWINS = [("iconv-free", "fast")]
SEARCHES = [("semantic", "yeh"), ("refined", "random"), ("refined", "malesevic")]

pytestmark = [pytest.mark.both_backends, pytest.mark.slow_on_jax]


@pytest.mark.parametrize(("method", "preset"), CASES + TWINS + SEARCHES)
# Both reach the image border, where not every library keeps out of the hole.
@pytest.mark.parametrize("pattern", ["left", "random"])
def test_what_stood_in_the_hole_does_not_change_a_bit(
    method, preset, pattern, tiny_prior, tiny_encoder, tiny_networks
):
    images = np.random.default_rng(11).random((3, 16, 16, 3), dtype=np.float32)
    problem = InpaintingProblem(images, make_known(pattern, 3, 16, 16, seed=2))
    inpainter = make_inpainter(
        method.removesuffix("-free"),
        prior=tiny_prior,
        preset=PRESETS[preset].with_steps(4),
        encoder=tiny_encoder,
        network=tiny_networks.get(method),
    )
    assert check_leak(inpainter, problem, images, seed=1).passed
