"""A prior in memory: codes, images and scores."""

import numpy as np
import pytest
from keras import ops

from semantic_inpaint.models.prior import (
    GENERATE_BATCH,
    GenerativePrior,
    PriorArchitecture,
    build_networks,
)

pytestmark = pytest.mark.both_backends

ARCHITECTURE = PriorArchitecture(
    generator_width=8,
    discriminator_width=4,
    normalization="none",
    image_size=16,
    latent_dim=8,
)


def test_a_code_depends_on_its_image_the_seed_and_the_stream_alone(tiny_prior):
    codes = tiny_prior.codes_for(np.array([3, 0, 7]), seed=1)
    assert codes.shape == (3, 8)
    assert codes.dtype == np.float32
    np.testing.assert_array_equal(
        tiny_prior.codes_for(np.array([7]), seed=1), codes[2:]
    )
    others = [
        tiny_prior.codes_for(np.array([7]), seed=2),
        tiny_prior.codes_for(np.array([7]), seed=1, stream=1),
        codes[:1],
    ]
    assert not any(np.array_equal(other, codes[2:]) for other in others)


@pytest.mark.parametrize("support", [1.0, 0.25])
def test_codes_fill_the_support(support):
    generator, discriminator = build_networks(ARCHITECTURE)
    prior = GenerativePrior(generator, discriminator, 8, 16, support=support)
    codes = prior.codes_for(np.arange(500), seed=0) / support
    assert np.abs(codes).max() <= 1.0
    # Of a uniform distribution in [-1, 1]; 4000 draws, so five standard errors.
    assert abs(codes.mean()) < 5 * 3**-0.5 / 4000**0.5
    assert codes.std() == pytest.approx(3**-0.5, rel=0.05)


def test_normal_codes_have_the_spread_of_the_support_and_leave_it():
    generator, discriminator = build_networks(ARCHITECTURE)
    prior = GenerativePrior(generator, discriminator, 8, 16, support=0.5)
    codes = prior.codes_for(np.arange(500), seed=0, distribution="normal")
    assert codes.dtype == np.float32
    # 4000 draws: five standard errors of mean, spread and share (.317 of them outside).
    assert abs(codes.mean()) < 5 * 0.5 / 4000**0.5
    assert codes.std() == pytest.approx(0.5, rel=5 / 8000**0.5)
    share = (np.abs(codes) > 0.5).mean()
    assert share == pytest.approx(0.3173, abs=5 * (0.3173 * 0.6827 / 4000) ** 0.5)
    again = prior.codes_for(np.array([499, 3]), seed=0, distribution="normal")
    np.testing.assert_array_equal(again, codes[[499, 3]])


def test_the_stream_of_uniform_codes_is_that_of_numpy(tiny_prior):
    expected = np.random.default_rng([4, 1, 6]).uniform(-1, 1, 8).astype(np.float32)
    codes = tiny_prior.codes_for(np.array([6]), seed=4, stream=1)
    np.testing.assert_array_equal(codes[0], expected)


def test_an_unknown_distribution_is_named(tiny_prior):
    with pytest.raises(ValueError, match="uniform, normal; got 'cauchy'"):
        tiny_prior.codes_for(np.arange(2), seed=0, distribution="cauchy")


def test_images_come_in_bounded_batches_and_in_range(tiny_prior):
    codes = tiny_prior.codes_for(np.arange(GENERATE_BATCH + 3), seed=0)
    images = tiny_prior.generate(codes)
    assert images.shape == (GENERATE_BATCH + 3, 16, 16, 3)
    assert images.min() >= 0.0
    assert images.max() <= 1.0
    expected = ops.convert_to_numpy(tiny_prior.generator(codes, training=False))
    # Convolutions may sum in another order for another size of batch.
    np.testing.assert_allclose(images, expected / 2.0 + 0.5, atol=1e-5)


def test_a_score_is_the_sigmoid_of_the_logit(tiny_prior):
    rng = np.random.default_rng(0)
    images = rng.random((5, 16, 16, 3), dtype=np.float32)
    logits = ops.convert_to_numpy(tiny_prior.discriminator(images * 2.0 - 1.0))
    expected = 1.0 / (1.0 + np.exp(-logits[:, 0]))
    np.testing.assert_allclose(tiny_prior.score(images), expected, rtol=1e-4)


def test_the_networks_are_those_of_the_architecture():
    generator, discriminator = build_networks(ARCHITECTURE, precision="bfloat16")
    assert generator.input_shape == (None, 8)
    assert generator.output_shape == (None, 16, 16, 3)
    assert generator.get_layer("norm_4x4").output.shape == (None, 4, 4, 8)
    assert discriminator.get_layer("conv_8").output.shape == (None, 8, 8, 4)
    assert generator.get_layer("deconv_16").compute_dtype == "bfloat16"
    names = [layer.name for layer in discriminator.layers]
    assert not any(name.startswith("norm") for name in names)
