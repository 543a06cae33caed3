"""Inpainting in one pass, and searches that begin at an encoder's codes."""

import dataclasses
import shutil

import numpy as np
import pytest

from semantic_inpaint.blending import poisson_blend
from semantic_inpaint.inpainters import (
    EncoderInpainter,
    SemanticInpainter,
    find_encoder,
    make_inpainter,
)
from semantic_inpaint.latent.presets import FAST
from semantic_inpaint.masks import make_known
from semantic_inpaint.models.checkpoints import load_prior, variable_name
from semantic_inpaint.models.encoder import LatentEncoder
from semantic_inpaint.models.encoder_files import EncoderArchitecture, save_encoder
from semantic_inpaint.problem import InpaintingProblem

pytestmark = [pytest.mark.both_backends, pytest.mark.slow_on_jax]

# Steps of a millionth: what a search finds is where it began.
STILL = dataclasses.replace(FAST.with_steps(1).first, learning_rate=1e-6)
FREE = dataclasses.replace(FAST, anchor_weight=0.0)
ENCODED = dataclasses.replace(FREE, first=STILL, second=STILL, start="encoder")
SHORT = dataclasses.replace(FREE.with_steps(40), start="encoder")
RANDOM = dataclasses.replace(FREE, start="random")


def save_tiny_encoder(folder, prior, encoder):
    variables = {
        variable_name(encoder.network, v): v.numpy() for v in encoder.network.variables
    }
    architecture = EncoderArchitecture(image_size=16, latent_dim=8, width=4, hidden=8)
    save_encoder(folder, architecture, variables, prior=prior, facts={})


@pytest.fixture
def problem():
    images = np.random.default_rng(3).random((5, 16, 16, 3), dtype=np.float32)
    return InpaintingProblem(images, make_known("random-square", 5, 16, 16))


@pytest.fixture
def codes(tiny_encoder, problem):
    return tiny_encoder.encode(problem.images, problem.known)


def test_one_pass_is_encode_generate_and_blend(tiny_prior, tiny_encoder, problem):
    result = EncoderInpainter(tiny_prior, tiny_encoder).inpaint(problem)
    codes = tiny_encoder.encode(problem.images, problem.known)
    np.testing.assert_array_equal(result.stats["codes"], codes)
    np.testing.assert_array_equal(result.generated, tiny_prior.generate(codes))
    blended = poisson_blend(result.generated, problem.images, problem.known)
    np.testing.assert_array_equal(result.completed, np.clip(blended, 0, 1))
    assert list(result.stages) == ["masked", "generated", "blended"]
    np.testing.assert_array_equal(result.stages["blended"], result.completed)
    np.testing.assert_array_equal(
        result.stats["score"], tiny_prior.score(result.completed)
    )
    assert result.status == ("converged",) * 5


def test_operator_solver_and_batches_of_the_one_pass(tiny_prior, tiny_encoder, problem):
    steps = []
    inpainter = EncoderInpainter(
        tiny_prior, tiny_encoder, operator="log", solver="cvxpy", batch_size=2
    )
    result = inpainter.inpaint(
        problem, progress=lambda stage, count: steps.append((stage, count))
    )
    assert steps == [("encode", inpainter.num_steps)] * 3
    blended = poisson_blend(
        result.generated, problem.images, problem.known, operator="log"
    )
    # cvxpy and the direct solver agree to 1e-6; batches may add in another order.
    np.testing.assert_allclose(result.completed, np.clip(blended, 0, 1), atol=1e-4)


def test_a_code_that_is_not_finite_is_told_of_its_image_alone(
    tiny_prior, tiny_encoder, problem
):
    sound = EncoderInpainter(tiny_prior, tiny_encoder).inpaint(problem)

    class Failing(LatentEncoder):
        def encode(self, images, known):
            codes = super().encode(images, known)
            codes[1] = np.nan
            return codes

    failing = Failing(tiny_encoder.network, tiny_encoder.prior_sha256)
    result = EncoderInpainter(tiny_prior, failing).inpaint(problem)
    assert result.status == ("converged", "nonfinite", *["converged"] * 3)
    assert np.isfinite(result.completed).all()
    rest = [0, 2, 3, 4]
    np.testing.assert_allclose(result.completed[rest], sound.completed[rest], atol=1e-6)


def test_a_search_may_begin_at_the_encoder_s_codes(
    tiny_prior, tiny_encoder, problem, codes
):
    result = SemanticInpainter(tiny_prior, ENCODED, tiny_encoder).inpaint(problem)
    np.testing.assert_allclose(result.stats["codes"], codes, atol=1e-5)
    # A restarted refinement begins there once more, and not at stage 1's.
    moving = dataclasses.replace(
        ENCODED,
        first=dataclasses.replace(STILL, num_steps=20, learning_rate=0.1),
        restart=True,
    )
    restarted = SemanticInpainter(tiny_prior, moving, tiny_encoder).inpaint(problem)
    np.testing.assert_allclose(restarted.stats["codes"], codes, atol=1e-5)
    assert not np.allclose(
        restarted.stages["generated"], restarted.stages["refined"], atol=1e-2
    )


def test_a_random_start_takes_no_notice_of_an_encoder(
    tiny_prior, tiny_encoder, problem
):
    options = RANDOM.with_steps(3)
    without, beside = (
        SemanticInpainter(tiny_prior, options, encoder).inpaint(problem)
        for encoder in (None, tiny_encoder)
    )
    np.testing.assert_array_equal(without.completed, beside.completed)
    np.testing.assert_array_equal(
        without.stats["refine_trace"], beside.stats["refine_trace"]
    )


@pytest.mark.parametrize("second", [None, SHORT.second])
def test_an_anchor_holds_the_codes_the_nearer_the_heavier_it_is(
    tiny_prior, tiny_encoder, problem, codes, second
):
    distances = []
    for weight in (0.0, 10.0, 1e6):
        options = dataclasses.replace(SHORT, anchor_weight=weight, second=second)
        found = SemanticInpainter(tiny_prior, options, tiny_encoder).inpaint(problem)
        distances.append(np.linalg.norm(found.stats["codes"] - codes, axis=1).mean())
    assert distances[0] > distances[1] > distances[2]
    # The best iterate is kept, and with this weight it is the first.
    assert distances[2] < 0.01


def test_an_encoder_that_is_missing_or_another_s_is_refused(
    tiny_prior, tiny_encoder, problem
):
    with pytest.raises(ValueError, match="needs the encoder of the prior"):
        SemanticInpainter(tiny_prior, SHORT)
    stranger = LatentEncoder(tiny_encoder.network, "0" * 64)
    for method, preset in (("refined", SHORT), ("encoder", FAST)):
        with pytest.raises(ValueError, match=r"the encoder belongs to a prior"):
            make_inpainter(method, prior=tiny_prior, preset=preset, encoder=stranger)
        with pytest.raises(ValueError, match="'tiny' has no encoder yet"):
            make_inpainter(method, prior=tiny_prior, preset=preset)


@pytest.mark.parametrize(
    "options", [{"operator": "laplace"}, {"solver": "cvx"}, {"batch_size": 0}]
)
def test_the_words_of_the_one_pass_are_checked(tiny_prior, tiny_encoder, options):
    with pytest.raises(ValueError, match=next(iter(options))):
        EncoderInpainter(tiny_prior, tiny_encoder, **options)


def test_the_encoder_beside_the_prior_is_loaded_where_it_is_needed(
    tiny_prior_folder, tiny_encoder, problem, tmp_path
):
    folder = shutil.copytree(tiny_prior_folder, tmp_path / "prior")
    prior = load_prior(folder)
    save_tiny_encoder(folder, prior, tiny_encoder)
    result = make_inpainter("encoder", prior=folder).inpaint(problem)
    expected = tiny_encoder.encode(problem.images, problem.known)
    # Weights in half precision have 11 bits.
    np.testing.assert_allclose(result.stats["codes"], expected, atol=5e-3)
    search = make_inpainter(prior=folder, preset=ENCODED).inpaint(problem)
    np.testing.assert_allclose(search.stats["codes"], result.stats["codes"], atol=1e-5)
    assert make_inpainter("refined", prior=prior, preset=RANDOM).encoder is None


def test_an_automatic_start_is_at_the_encoder_where_there_is_one(
    tiny_prior, tiny_encoder, problem
):
    options = FAST.with_steps(3)
    assert options.start == "auto"
    assert options.anchor_weight > 0
    for encoder, start in ((None, "random"), (tiny_encoder, "encoder")):
        fixed = dataclasses.replace(
            options,
            start=start,
            anchor_weight=0.0 if encoder is None else options.anchor_weight,
        )
        found, expected = (
            SemanticInpainter(tiny_prior, chosen, encoder)
            for chosen in (options, fixed)
        )
        assert found.options == fixed
        np.testing.assert_array_equal(
            found.inpaint(problem).completed, expected.inpaint(problem).completed
        )


@pytest.mark.parametrize(
    ("method", "start", "alone", "beside"),
    [
        ("encoder", "random", "refused", "found"),
        ("refined", "encoder", "refused", "found"),
        ("refined", "auto", "none", "found"),
        ("refined", "random", "none", "none"),
    ],
)
def test_an_encoder_is_looked_for_where_there_is_a_use_for_it(
    tmp_path, tiny_prior, tiny_encoder, method, start, alone, beside
):
    options = dataclasses.replace(FREE, start=start)
    save_tiny_encoder(tmp_path / "with", tiny_prior, tiny_encoder)
    for folder, expected in (("without", alone), ("with", beside)):
        prior = dataclasses.replace(tiny_prior, folder=tmp_path / folder)
        if expected == "refused":
            with pytest.raises(ValueError, match="has no encoder yet"):
                find_encoder(method, prior, options)
        else:
            found = find_encoder(method, prior, options)
            assert (found is None) == (expected == "none")
