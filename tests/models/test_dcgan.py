"""The networks of the papers: shapes, sizes, ranges, and what depends on what."""

import keras
import numpy as np
import pytest
from keras import ops

from semantic_inpaint.models.dcgan import build_discriminator, build_generator

pytestmark = pytest.mark.both_backends


def small_generator(**changed):
    options = {"image_size": 16, "latent_dim": 5, "base_width": 8, "seed": 1}
    return build_generator(**(options | changed))


def small_discriminator(**changed):
    options = {"image_size": 16, "width": 4, "seed": 1}
    return build_discriminator(**(options | changed))


def random_images(count, seed=0):
    rng = np.random.default_rng(seed)
    return rng.uniform(-1, 1, (count, 16, 16, 3)).astype(np.float32)


def random_codes(count, seed=0):
    return np.random.default_rng(seed).uniform(-1, 1, (count, 5)).astype(np.float32)


def arrays(network):
    return [ops.convert_to_numpy(v.value) for v in network.variables]


def spread_weights(network, *, scale=0.3):
    """Draw larger weights, so that the output depends visibly on the input."""
    rng = np.random.default_rng(3)
    for variable in network.trainable_variables:
        variable.assign(rng.normal(0.0, scale, variable.shape).astype(np.float32))
    return network


def generator_size(latent_dim, width, doublings):
    """Count by hand: a projection, 5x5 kernels, four numbers a normalised channel."""
    count = latent_dim * 16 * width + 4 * width
    for _ in range(doublings - 1):
        count += 25 * width * (width // 2) + 4 * (width // 2)
        width //= 2
    return count + 25 * width * 3 + 3


def discriminator_size(width, doublings, *, normalised):
    count, channels = 25 * 3 * width + width, width
    for _ in range(doublings - 1):
        # A bias for each channel, or the four numbers of its normalisation.
        count += 25 * channels * 2 * channels + (4 if normalised else 1) * 2 * channels
        channels *= 2
    return count + 16 * channels + 1


@pytest.mark.slow_on_jax
@pytest.mark.parametrize(("width", "latent_dim"), [(1024, 100), (512, 100), (8, 3)])
def test_the_generator_has_as_many_numbers_as_counted_by_hand(width, latent_dim):
    network = build_generator(base_width=width, latent_dim=latent_dim)
    assert network.count_params() == generator_size(latent_dim, width, 4)
    assert network.input_shape == (None, latent_dim)
    assert network.output_shape == (None, 64, 64, 3)


@pytest.mark.slow_on_jax
@pytest.mark.parametrize(("width", "normalization"), [(64, "batch"), (48, "none")])
def test_the_discriminator_has_as_many_numbers_as_counted_by_hand(width, normalization):
    network = build_discriminator(width=width, normalization=normalization)
    expected = discriminator_size(width, 4, normalised=normalization == "batch")
    assert network.count_params() == expected
    assert network.input_shape == (None, 64, 64, 3)
    assert network.output_shape == (None, 1)


def test_every_convolution_is_5x5_with_stride_2_as_in_the_papers():
    generator = build_generator(base_width=16, latent_dim=3)
    kinds = keras.layers.Conv2DTranspose, keras.layers.Conv2D
    ups, downs = (
        [layer for layer in network.layers if isinstance(layer, kind)]
        for network, kind in zip(
            (generator, build_discriminator(width=4)), kinds, strict=True
        )
    )
    assert all((c.kernel_size, c.strides) == ((5, 5), (2, 2)) for c in [*ups, *downs])
    assert [c.output.shape[1:] for c in ups] == [
        (8, 8, 8),
        (16, 16, 4),
        (32, 32, 2),
        (64, 64, 3),
    ]
    assert [c.output.shape[1:] for c in downs] == [
        (32, 32, 4),
        (16, 16, 8),
        (8, 8, 16),
        (4, 4, 32),
    ]


def test_normalisation_is_everywhere_but_at_the_borders_of_the_networks():
    def names(network):
        kind = keras.layers.BatchNormalization
        return [layer.name for layer in network.layers if isinstance(layer, kind)]

    assert names(small_generator()) == ["norm_4x4", "norm_8x8"]
    assert names(small_discriminator()) == ["norm_4"]
    assert names(small_discriminator(normalization="none")) == []


@pytest.mark.slow_on_jax
@pytest.mark.parametrize("image_size", [8, 16, 32])
def test_other_powers_of_two_are_built_too(image_size):
    generator = small_generator(image_size=image_size)
    assert generator(random_codes(2)).shape == (2, image_size, image_size, 3)
    discriminator = small_discriminator(image_size=image_size)
    assert discriminator(np.zeros((2, image_size, image_size, 3))).shape == (2, 1)


def test_images_are_in_range_and_use_it():
    network = spread_weights(small_generator(), scale=1.0)
    images = ops.convert_to_numpy(network(random_codes(8)))
    assert images.dtype == np.float32
    assert np.abs(images).max() <= 1.0
    assert images.min() < -0.9
    assert images.max() > 0.9


@pytest.mark.parametrize("dtype", ["float32", "mixed_bfloat16"])
def test_weights_and_outputs_are_float32_in_every_precision(dtype):
    generator = small_generator(dtype=dtype)
    discriminator = small_discriminator(dtype=dtype)
    assert {v.dtype for v in generator.variables + discriminator.variables} == {
        "float32"
    }
    images = generator(random_codes(2))
    assert keras.backend.standardize_dtype(images.dtype) == "float32"
    logits = discriminator(images)
    assert keras.backend.standardize_dtype(logits.dtype) == "float32"


@pytest.mark.parametrize("build", [small_generator, small_discriminator])
def test_the_seed_decides_the_weights(build):
    first, again, other = (arrays(build(seed=seed)) for seed in (1, 1, 2))
    assert all(map(np.array_equal, first, again))
    drawn = [i for i, array in enumerate(first) if array.ndim > 1]
    assert len(drawn) == 3
    assert not any(np.array_equal(first[i], other[i]) for i in drawn)


def test_no_two_layers_of_both_networks_start_alike():
    networks = small_generator(), small_discriminator()
    kernels = [a.ravel()[:60] for n in networks for a in arrays(n) if a.ndim > 1]
    for i, kernel in enumerate(kernels):
        for other in kernels[:i]:
            size = min(kernel.size, other.size)
            assert not np.allclose(kernel[:size], other[:size])


def test_weights_start_at_the_scale_of_the_papers():
    kernels = [a for a in arrays(small_generator(base_width=64)) if a.ndim > 1]
    for kernel in kernels:
        # Truncated at two standard deviations; thousands of draws.
        assert np.abs(kernel).max() <= 0.04 + 1e-7
        assert 0.016 < kernel.std() < 0.02


def test_without_normalisation_the_signal_keeps_its_scale():
    # With .02 throughout, the logits of 64x64 images would be nearly constant.
    images = np.random.default_rng(0).uniform(-1, 1, (16, 64, 64, 3))
    network = build_discriminator(width=16, normalization="none", seed=1)
    logits = ops.convert_to_numpy(network(images.astype(np.float32)))
    assert 0.1 < logits.std() < 10.0


@pytest.mark.parametrize("training", [False, True])
def test_without_normalisation_a_score_never_depends_on_the_batch(training):
    network = spread_weights(small_discriminator(normalization="none"))
    images = random_images(4)
    scores = ops.convert_to_numpy(network(images, training=training))
    poisoned = images.copy()
    poisoned[[0, 2]] = np.nan
    found = ops.convert_to_numpy(network(poisoned, training=training))
    np.testing.assert_array_equal(found[[1, 3]], scores[[1, 3]])
    assert np.isnan(found[[0, 2]]).all()
    # Convolutions may sum in another order for another size of batch.
    alone = ops.convert_to_numpy(network(images[1:2], training=training))
    np.testing.assert_allclose(alone, scores[1:2], rtol=1e-4)


def test_a_normalised_score_depends_on_the_batch_in_training_only():
    network = spread_weights(small_discriminator())
    images, others = random_images(4), random_images(4, seed=1)
    others[1] = images[1]

    def score(batch, training):
        return ops.convert_to_numpy(network(batch, training=training))[1]

    np.testing.assert_array_equal(score(images, False), score(others, False))
    assert abs(score(images, True) - score(others, True)) > 1e-3


def test_a_generated_image_depends_on_its_batch_in_training_only():
    network = spread_weights(small_generator())
    codes = random_codes(4)
    images = ops.convert_to_numpy(network(codes, training=False))
    others = random_codes(4, seed=1)
    others[1] = codes[1]
    found = ops.convert_to_numpy(network(others, training=False))
    np.testing.assert_array_equal(found[1], images[1])
    # Convolutions may sum in another order for another size of batch.
    alone = ops.convert_to_numpy(network(codes[1:2], training=False))
    np.testing.assert_allclose(alone, images[1:2], atol=1e-5)
    first, second = (
        ops.convert_to_numpy(network(batch, training=True))[1]
        for batch in (codes, others)
    )
    assert np.abs(first - second).max() > 1e-3


@pytest.mark.parametrize("image_size", [0, 4, 12, 48, 63])
@pytest.mark.parametrize("build", [build_generator, build_discriminator])
def test_a_side_that_is_no_power_of_two_is_refused(build, image_size):
    with pytest.raises(ValueError, match=f"power of two, 8 or more; got {image_size}"):
        build(image_size=image_size)


def test_a_width_that_cannot_be_halved_is_refused():
    with pytest.raises(ValueError, match="divisible by 8 for 64x64 images; got 100"):
        build_generator(base_width=100)


def test_an_unknown_normalisation_is_refused():
    with pytest.raises(ValueError, match="'batch' or 'none'; got 'layer'"):
        build_discriminator(normalization="layer")
