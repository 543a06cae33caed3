"""The U-Net of partial convolutions against its table, and against NumPy."""

import keras
import numpy as np
import pytest
from keras import layers, ops

from semantic_inpaint import backend
from semantic_inpaint.models.pconv_unet import (
    UNETS,
    FrozenBatchNormalization,
    build_pconv_unet,
    plan_unet,
)
from semantic_inpaint.training.pconv_recipes import CONV_64, GATED_64, PCONV_64
from tests.reference.pconv_unet import DECODER, ENCODER, run_unet

SIDE = 16


def question(*, count=2, height=SIDE, width=SIDE):
    rng = np.random.default_rng(0)
    images = rng.uniform(-1, 1, (count, height, width, 3)).astype(np.float32)
    known = np.ones((count, height, width, 1), np.float32)
    known[:, : height // 2, 3:11] = 0.0
    known[0, -1, -1] = 0.0
    return images, known


def with_drawn_norms(network):
    """Replace statistics, scales and shifts, which start at 0 and 1, by others."""
    rng = np.random.default_rng(1)
    for layer in network.layers:
        if isinstance(layer, layers.BatchNormalization):
            for variable in layer.weights:
                drawn = rng.uniform(0.5, 1.5, variable.shape)
                variable.assign(drawn.astype(np.float32))
        elif getattr(layer, "bias", None) is not None:
            layer.bias.assign(rng.normal(size=layer.bias.shape).astype(np.float32))
    return network


def multiplications(plan, side, first=3):
    """Count those of one image, and the weights of the kernels."""
    channels, total, weights = [first], 0, 0
    for row in plan:
        side = side // row.strides if row.skip is None else 2 * side
        incoming = channels[-1] + (0 if row.skip is None else channels[row.skip])
        kernel = row.kernel_size**2 * incoming * row.filters
        total, weights = total + side**2 * kernel, weights + kernel
        channels.append(row.filters)
    return total, weights


@pytest.fixture(scope="module")
def paper_network():
    return build_pconv_unet(image_size=512, width=64)


def test_the_layers_are_those_of_the_papers_table(paper_network):
    found, joins = [], []
    for layer in paper_network.layers:
        name, _, number = layer.name.partition("_")
        if name == "pconv":
            found.append([f"PConv{number}", layer.kernel_size, layer.filters])
            found[-1] += [layer.strides, False, "-"]
            joins.append(layer.groups)
        elif name == "norm":
            found[-1][4] = True
        elif isinstance(layer, layers.ReLU):
            slope = layer.negative_slope
            found[-1][5] = f"LeakyReLU({slope:.1f})" if slope else "ReLU"
    assert [tuple(row) for row in found] == [*ENCODER, *(row for _, row in DECODER)]
    assert joins == [None] * 8 + [groups for groups, _ in DECODER]


def test_the_sides_halve_to_two_and_double_back(paper_network):
    rows = [paper_network.get_layer(f"pconv_{i}").output[0] for i in range(1, 17)]
    shapes = keras.Model(paper_network.inputs, rows).compute_output_shape(
        [(1, 512, 512, 3), (1, 512, 512, 1)]
    )
    sides = [256, 128, 64, 32, 16, 8, 4, 2, 4, 8, 16, 32, 64, 128, 256, 512]
    assert [tuple(shape[1:3]) for shape in shapes] == [(side, side) for side in sides]
    # The kernels' numbers, 67 biases, and four numbers for each normalised channel.
    _, kernels = multiplications(plan_unet(image_size=512, width=64), 512)
    norms = 4 * sum(row.filters for row in plan_unet(image_size=512) if row.normalised)
    assert paper_network.count_params() == kernels + 67 + norms


@pytest.mark.parametrize(("size", "levels"), [(64, 5), (128, 6), (256, 7), (512, 8)])
def test_smaller_images_have_fewer_levels_down_to_the_same_two_pixels(size, levels):
    plan = plan_unet(image_size=size, width=64)
    encoder = [row for row in plan if row.skip is None]
    assert (len(encoder), size // 2 ** len(encoder)) == (levels, 2)
    # What is left out is in the middle: both ends are those of the table.
    rows = plan_unet(image_size=512, width=64)
    assert encoder == rows[:levels]
    strip = [row._replace(skip=None) for row in plan[levels:]]
    assert strip == [row._replace(skip=None) for row in rows[16 - levels :]]
    assert [row.skip for row in plan[levels:]] == list(range(levels - 1, -1, -1))


def test_at_64_pixels_it_is_small_enough_for_a_processor():
    plan = plan_unet(image_size=64, width=PCONV_64.width)
    assert multiplications(plan, 64) == (145_788_928, 2_906_641)


def test_the_twins_have_about_as_many_weights():
    found = {}
    for recipe in (PCONV_64, CONV_64, GATED_64):
        kind, architecture = recipe.network()
        found[kind] = UNETS[kind](**architecture).count_params()
    # The known pixels are one more channel of the plain twin's first and last rows;
    # the gated one is 3.5% larger, and one channel narrower it would be 5.3% smaller.
    assert found == {"pconv": 2_911_412, "conv": 2_913_007, "gated": 3_012_946}


@pytest.mark.both_backends
def test_the_network_equals_one_written_with_numpy():
    network = with_drawn_norms(build_pconv_unet(image_size=SIDE, width=2, seed=3))
    weights, steps = [], []
    for number, row in enumerate(plan_unet(image_size=SIDE, width=2), 1):
        kernel, *bias = network.get_layer(f"pconv_{number}").get_weights()
        norm = (
            network.get_layer(f"norm_{number}").get_weights()
            if row.normalised
            else None
        )
        weights.append((kernel.astype(np.float64), *(bias or [None]), norm))
        steps.append(row.strides)
    images, known = question()
    run = backend.compile_function(lambda *inputs: network(inputs, training=False))
    found = ops.convert_to_numpy(run(images, known))
    for image, hidden, answer in zip(images, known, found, strict=True):
        expected = run_unet(image.astype(np.float64), hidden[..., 0], weights, steps)
        # Six convolutions in single precision.
        np.testing.assert_allclose(answer, expected, rtol=1e-4, atol=1e-4)
        assert np.ptp(expected) > 0.5


@pytest.mark.parametrize(
    "layer", [pytest.param("pconv", marks=pytest.mark.both_backends), "conv", "gated"]
)
def test_what_stands_in_the_hole_is_never_read(layer):
    network = with_drawn_norms(UNETS[layer](image_size=SIDE, width=2))
    weights, stats = (
        [v.value for v in variables]
        for variables in (network.trainable_variables, network.non_trainable_variables)
    )
    images, known = question()
    known[1] = 0.0
    poisoned = np.where(known > 0, images, np.float32(np.nan))

    @backend.compile_function
    def evaluate(images):
        def loss(weights):
            outputs, _ = network.stateless_call(
                weights, stats, [images, known], training=True
            )
            return ops.sum(ops.square(outputs)), outputs

        _, outputs, (gradients,) = backend.value_and_grad(loss, weights)
        return outputs, *gradients

    for clean, found in zip(evaluate(images), evaluate(poisoned), strict=True):
        np.testing.assert_array_equal(found, clean)
        assert np.isfinite(ops.convert_to_numpy(found)).all()


@pytest.mark.parametrize("layer", UNETS)
def test_images_of_other_sides_go_through_and_answers_are_float32(layer):
    images, known = question(height=24, width=32)
    for dtype in ("float32", "mixed_bfloat16"):
        network = UNETS[layer](image_size=SIDE, width=2, dtype=dtype)
        found = network([images, known], training=False)
        assert (tuple(found.shape), found.dtype) == ((2, 24, 32, 3), "float32")
        assert {v.dtype for v in network.variables} == {"float32"}


@pytest.mark.parametrize("layer", UNETS)
def test_a_frozen_encoder_has_the_same_variables_and_keeps_its_statistics(layer):
    free, frozen = (
        UNETS[layer](image_size=SIDE, width=2, frozen_encoder=freeze)
        for freeze in (False, True)
    )
    with_drawn_norms(free)
    for kind in ("trainable_variables", "non_trainable_variables"):
        pairs = list(zip(getattr(free, kind), getattr(frozen, kind), strict=True))
        assert all(a.path == b.path and a.shape == b.shape for a, b in pairs)
        for a, b in pairs:
            b.assign(a)
    inputs = list(question())
    np.testing.assert_array_equal(
        free(inputs, training=False), frozen(inputs, training=False)
    )
    before = {v.path: ops.convert_to_numpy(v) for v in frozen.non_trainable_variables}
    frozen(inputs, training=True)
    moved = {
        v.path.split("/")[0]
        for v in frozen.non_trainable_variables
        if not np.array_equal(before[v.path], v)
    }
    # Three levels: rows 1 to 3 are the encoder, 4 and 5 the normalised decoder.
    assert moved == {"norm_4", "norm_5"}
    kept = {x.name for x in frozen.layers if isinstance(x, FrozenBatchNormalization)}
    assert kept == {"norm_2", "norm_3"}


def test_the_seed_decides_the_weights():
    first, same, other = (
        build_pconv_unet(image_size=SIDE, width=2, seed=seed).get_weights()
        for seed in (1, 1, 2)
    )
    assert all(np.array_equal(a, b) for a, b in zip(first, same, strict=True))
    assert not np.array_equal(first[0], other[0])


@pytest.mark.parametrize(
    "options", [{"image_size": 48}, {"image_size": 4}, {"width": 0}]
)
def test_a_network_that_cannot_be_laid_out_is_refused(options):
    with pytest.raises(ValueError, match="`image_size` must be a power of two, 8"):
        plan_unet(**{"image_size": 64, "width": 8, **options})
