"""The discriminators of PConv-GAN: their table, and who sees what."""

import keras
import numpy as np
import pytest
from keras import layers, ops

from semantic_inpaint.models.pconv_gan_discriminator import (
    build_pconv_gan_discriminator,
    left_third,
)

# Table 2 of the paper: kernel, stride, filters; the last row is global only.
TABLE = [(5, 2, 32), (5, 2, 64), (5, 2, 64), (5, 2, 128), (5, 2, 128)]


def convolutions(network, name):
    found = [x for x in network.layers if x.name.startswith(f"{name}_conv")]
    return sorted(found, key=lambda layer: layer.name)


def score(network, images):
    return ops.convert_to_numpy(network(images.astype(np.float32), training=False))


def pictures(count=2, side=12):
    return np.random.default_rng(0).uniform(-1, 1, (count, side, side, 3))


@pytest.mark.parametrize(
    ("name", "rows"), [("global", TABLE), ("left", TABLE[:4]), ("right", TABLE[:4])]
)
def test_at_the_paper_s_size_the_layers_are_those_of_table_2(name, rows):
    network = build_pconv_gan_discriminator()
    found = convolutions(network, name)
    assert [(*x.kernel_size[:1], *x.strides[:1], x.filters) for x in found] == rows
    dense = network.get_layer(f"{name}_dense")
    for layer in (*found, dense):
        assert layer.activation is keras.activations.relu
    kinds = {type(layer) for layer in network.layers}
    assert layers.BatchNormalization not in kinds


def test_the_parts_are_the_left_third_and_the_rest():
    network = build_pconv_gan_discriminator(image_size=12, width=2, units=4)
    image = pictures(1)
    for name, part in (("left", image[:, :, :4]), ("right", image[:, :, 4:])):
        probe = keras.Model(network.input, network.get_layer(name).output)
        np.testing.assert_array_equal(score(probe, image), part.astype(np.float32))
    assert [left_third(side) for side in (12, 64, 128)] == [4, 21, 43]


def test_the_score_is_one_dense_layer_of_three_answers():
    network = build_pconv_gan_discriminator(image_size=12, width=2, units=4, seed=3)
    names = [f"{name}_dense" for name in ("global", "left", "right")]
    probe = keras.Model(network.input, [network.get_layer(n).output for n in names])
    images = pictures()
    answers = probe(images.astype(np.float32))
    joined = np.concatenate([ops.convert_to_numpy(x) for x in answers], axis=-1)
    kernel, bias = network.get_layer("logit").get_weights()
    assert kernel.shape == (12, 1)
    np.testing.assert_allclose(
        score(network, images), joined @ kernel + bias, atol=1e-5
    )


def test_without_local_discriminators_the_global_one_decides():
    network = build_pconv_gan_discriminator(
        image_size=12, width=2, units=4, local=False, dtype="mixed_bfloat16"
    )
    assert not convolutions(network, "left") + convolutions(network, "right")
    assert network.get_layer("logit").kernel.shape == (4, 1)
    found = score(network, pictures())
    assert (found.shape, found.dtype) == ((2, 1), np.float32)


def test_a_score_depends_on_its_image_alone():
    network = build_pconv_gan_discriminator(image_size=12, width=2, units=4)
    images = pictures()
    assert score(network, images)[1] != score(network, images)[0]
    np.testing.assert_allclose(
        score(network, images[1:]), score(network, images)[1:], atol=1e-6
    )


def test_an_image_too_small_for_a_third_is_refused():
    with pytest.raises(ValueError, match="8 or more, for a left third; got 4"):
        build_pconv_gan_discriminator(image_size=4)
