import keras
import numpy as np
import pytest
from keras import layers, ops

from semantic_inpaint.models.dcgan import build_generator
from semantic_inpaint.models.folding import fold_batch_norm
from semantic_inpaint.models.inference import prepare_for_inference
from semantic_inpaint.models.splitting import split_generator
from tests.models.test_folding import assert_equal_networks, inputs_of, planted

pytestmark = [pytest.mark.both_backends, pytest.mark.slow_on_jax]


def generator(dtype="float32"):
    return planted(
        build_generator(image_size=32, latent_dim=5, base_width=16, dtype=dtype)
    )


@pytest.mark.parametrize("dtype", ["float32", "mixed_bfloat16"])
@pytest.mark.parametrize("prepare", [lambda network: network, prepare_for_inference])
@pytest.mark.parametrize(("side", "channels"), [(4, 16), (8, 8), (16, 4)])
def test_head_and_tail_make_the_same_image_to_the_bit(side, channels, prepare, dtype):
    network = prepare(generator(dtype))
    head, tail = split_generator(network, side=side)
    codes = inputs_of(network)
    maps = ops.cast(head(codes, training=False), "float32")
    assert maps.shape == (4, side, side, channels)
    np.testing.assert_array_equal(
        ops.convert_to_numpy(tail(maps, training=False)),
        ops.convert_to_numpy(network(codes, training=False)),
    )


def test_the_maps_are_those_behind_the_activation():
    network = prepare_for_inference(generator())
    head, tail = split_generator(network, side=8)
    assert ops.convert_to_numpy(head(inputs_of(network))).min() == 0.0
    assert head.layers[-1].name == "relu_8x8"
    assert tail.layers[1].name == "deconv_16"


def test_the_parts_share_the_layers_and_leave_the_generator_as_it_was():
    network = generator()
    folded = fold_batch_norm(network)
    head, tail = split_generator(network, side=8)
    again = split_generator(network, side=4)
    shared = {id(layer) for layer in network.layers}
    own = [part.layers[0] for part in (tail, again[1])]
    for part in (head, tail, *again):
        assert {id(x) for x in part.layers if x not in own} <= shared
    # It can still be copied layer by layer.
    assert_equal_networks(fold_batch_norm(network), folded, tolerance=0.0)


@pytest.mark.parametrize("side", [2, 32, 64])
def test_a_side_without_a_place_to_cut_is_refused(side):
    with pytest.raises(ValueError, match=f"one of 4, 8, 16 .* got {side}"):
        split_generator(generator(), side=side)


def test_a_network_with_a_branch_is_refused():
    inputs = keras.Input((4, 4, 3))
    x = layers.Conv2DTranspose(3, 5, strides=2, padding="same")(inputs)
    branched = keras.Model(inputs, layers.Add()([x, layers.ReLU()(x)]), name="branched")
    with pytest.raises(ValueError, match="'branched' is no chain"):
        split_generator(branched, side=4)
