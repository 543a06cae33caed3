"""IConv's generator: the paper's sizes, and what its output depends on."""

import numpy as np
import pytest
from keras import ops

from semantic_inpaint.models.iconv_generator import build_iconv_generator, skip_shares
from semantic_inpaint.models.imputed_conv import ImputedConv2D
from tests.reference.iconv import run_generator

SIDE = 16
KINDS = ("imputed", "plain", "gated")


def small(**changed):
    options = {
        "image_size": SIDE,
        "model_size": 8,
        "full_width_side": 8,
        "latent_channels": 2,
        "seed": 1,
    }
    return build_iconv_generator(**(options | changed))


def question(count=2, *, num_landmarks=0, seed=0):
    """Images with a centre hole, codes, and landmarks."""
    rng = np.random.default_rng(seed)
    images = rng.uniform(-1, 1, (count, SIDE, SIDE, 3)).astype(np.float32)
    known = np.ones((count, SIDE, SIDE, 1), np.float32)
    known[:, 4:12, 4:12] = 0.0
    inputs = [images, known, rng.normal(size=(count, 32)).astype(np.float32)]
    if num_landmarks:
        inputs.append(rng.random((count, 2 * num_landmarks), dtype=np.float32))
    return inputs


def answer(network, inputs, **options):
    return ops.convert_to_numpy(network(inputs, **options))


def in_hole(images):
    return images[:, 4:12, 4:12]


def skip_size(network):
    skips = (x for x in network.layers if x.name.startswith("skip_"))
    return sum(layer.count_params() for layer in skips)


def counted_by_hand(widths, latent_channels):
    """Kernels and biases of the plain twin, less those of its skips."""
    sides = sorted(widths)

    def convolution(size, inner, outer):
        return size**2 * inner * outer + outer

    count = convolution(1, 5, widths[sides[-1]])
    for side in sides:
        below = widths[max(side // 2, 4)]
        count += convolution(3, widths[side], widths[side])
        count += convolution(3, widths[side], below)
        wide = below + (latent_channels if side == 4 else 0)
        count += convolution(3, wide, wide) + convolution(3, wide, widths[side])
        count += convolution(1, widths[side], 3)
    return count


def paper_network(side, convolution):
    return build_iconv_generator(
        image_size=side, model_size=side, full_width_side=32, convolution=convolution
    )


# Sections 4.1 and 4.2: "2.94M" and "11.5M".
@pytest.mark.parametrize(
    ("side", "published", "exact"),
    [(128, 2.94e6, 2_951_234), (256, 11.5e6, 11_528_427)],
)
def test_the_generator_has_as_many_numbers_as_the_paper_says(side, published, exact):
    imputed, plain = (paper_network(side, kind) for kind in ("imputed", "plain"))
    assert imputed.count_params() == exact == pytest.approx(published, rel=0.005)

    # Section 1: IConv adds 1 to 2%, in the paper's rounding. The skips differ as well,
    # and the twin sees the known map and the hole as two more channels.
    of_plain = plain.count_params() - skip_size(plain) - 2 * 32
    of_imputed = imputed.count_params() - skip_size(imputed)
    assert 1.0 <= round(100 * (of_imputed / of_plain - 1)) <= 2.0
    sides = [4 * 2**level for level in range(side.bit_length() - 2)]
    widths = {s: side // max(1, s // 32) for s in sides}
    assert of_plain + 2 * 32 == counted_by_hand(widths, 32)


def test_features_are_imputed_from_3x3_neighbours_up_to_8x8_and_from_5x5_above():
    found = {}
    for layer in small(image_size=32).layers:
        if isinstance(layer, ImputedConv2D):
            side = layer.output[0].shape[1]
            found.setdefault(side, set()).add(layer.imputation_size)
    assert found == {4: {3}, 8: {3}, 16: {5}, 32: {5}}


@pytest.mark.both_backends
def test_the_network_equals_one_written_with_numpy():
    network = small(image_size=8, model_size=4)
    rng = np.random.default_rng(3)
    for variable in network.variables:
        if variable.name == "imputation_kernel":
            variable.assign(rng.uniform(0.0, 0.2, variable.shape))
        elif variable.name in ("certainty_kernel", "skip_weight", "deep_weight"):
            variable.assign(rng.uniform(0.2, 1.5, variable.shape))
        elif variable.name != "kernel":
            variable.assign(rng.normal(0.0, 0.2, variable.shape))
    weights = {
        layer.name: {v.name: np.float64(v) for v in layer.weights}
        for layer in network.layers
    }
    images = rng.uniform(-1, 1, (3, 8, 8, 3)).astype(np.float32)
    known = (rng.random((3, 8, 8, 1)) < 0.5).astype(np.float32)
    known[0, :6, :5] = 0.0
    latent = rng.normal(size=(3, 32)).astype(np.float32)
    found = answer(network, [images, known, latent])
    expected = run_generator(weights, *map(np.float64, (images, known, latent)))
    # Some ten layers in single precision.
    np.testing.assert_allclose(found, expected, atol=1e-4)
    hole = expected[known[..., 0] == 0]
    assert np.std(hole) > 0.2
    assert np.mean(np.abs(hole) < 1) > 0.5


def test_gates_double_the_weights_of_every_convolution_but_the_images():
    plain, gated = small(convolution="plain"), small(convolution="gated")
    to_rgb = sum(
        layer.count_params()
        for layer in plain.layers
        if layer.name.startswith("to_rgb_")
    )
    expected = 2 * (plain.count_params() - to_rgb) + to_rgb
    assert gated.count_params() == expected


@pytest.mark.slow_on_jax
@pytest.mark.parametrize(
    "convolution",
    [pytest.param("imputed", marks=pytest.mark.both_backends), *KINDS[1:]],
)
def test_known_pixels_come_back_bit_exact_and_the_hole_is_never_read(convolution):
    network, inputs = small(convolution=convolution), question()
    found = answer(network, inputs)
    assert found.shape == (2, SIDE, SIDE, 3)
    assert found.dtype == np.float32
    assert np.abs(found).max() <= 1.0
    known = inputs[1][..., 0] > 0
    np.testing.assert_array_equal(found[known], inputs[0][known])
    poisoned = np.where(inputs[1] > 0, inputs[0], np.nan).astype(np.float32)
    np.testing.assert_array_equal(answer(network, [poisoned, *inputs[1:]]), found)


def test_what_fills_a_hole_depends_on_everything_else_that_is_known():
    network = small(num_landmarks=5)
    inputs = question(num_landmarks=5)
    found = answer(network, inputs)
    for place, change in enumerate(question(num_landmarks=5, seed=1)):
        changed = list(inputs)
        changed[place] = inputs[1] * 1 if place == 1 else change
        if place == 1:
            changed[1][:, 0, 0] = 0.0
        moved = in_hole(answer(network, changed)) - in_hole(found)
        assert np.abs(moved).max() > 1e-4, place


def test_a_one_hot_pose_is_seen_too_and_costs_channels_at_every_level():
    network = small(num_landmarks=5, pose="one-hot")
    inputs = question(num_landmarks=5)
    other = [*inputs[:3], 1.0 - inputs[3]]
    moved = answer(network, inputs) - answer(network, other)
    assert np.abs(moved).max() > 1e-4
    joined = [x for x in network.layers if x.name.startswith("join_")]
    assert [x.output.shape[1:] for x in joined] == [
        (4, 4, 15),
        (8, 8, 13),
        (16, 16, 13),
    ]


def test_an_image_does_not_depend_on_the_others_of_its_batch():
    network, inputs = small(), question(3)
    whole = answer(network, inputs)
    alone = answer(network, [x[1:2] for x in inputs])
    # Convolutions may sum in another order for another size of batch.
    np.testing.assert_allclose(alone, whole[1:2], atol=1e-5)


def test_the_image_is_the_mean_of_those_of_all_levels():
    network, inputs = small(), question()
    colours = np.random.default_rng(2).uniform(-4, 4, (3, 3)).astype(np.float32)
    for colour, side in zip(colours, (4, 8, 16), strict=True):
        kernel, bias = network.get_layer(f"to_rgb_{side}").trainable_variables
        kernel.assign(np.zeros(kernel.shape, np.float32))
        bias.assign(colour)
    expected = np.broadcast_to(colours.mean(axis=0), (2, 8, 8, 3))
    shown, raw = (answer(network, inputs, training=t) for t in (False, True))
    np.testing.assert_allclose(in_hole(raw), expected, rtol=1e-5)
    np.testing.assert_allclose(in_hole(shown), np.clip(expected, -1, 1), rtol=1e-5)
    assert np.abs(expected).max() > 1


def test_without_the_constraint_the_known_pixels_are_generated():
    inputs = question()
    free = answer(small(constrain_output=False), inputs)
    held = answer(small(), inputs)
    np.testing.assert_array_equal(in_hole(free), in_hole(held))
    assert np.abs(free - held)[:, 0].max() > 1e-2


@pytest.mark.slow_on_jax
@pytest.mark.both_backends
def test_skips_take_shallow_features_where_they_are_certain():
    network, inputs = small(), question()
    shares = skip_shares(network, inputs)
    assert {side: x.shape for side, x in shares.items()} == {
        8: (2, 8, 8),
        16: (2, 16, 16),
    }
    finest = shares[16]
    assert finest.min() >= 0
    assert finest.max() <= 1
    # The hole is 8 wide and two convolutions have let certainty 2 pixels in; the deep
    # features have come round it through coarser levels.
    assert finest[:, 7:9, 7:9].max() < 0.01
    assert finest[:, :2].min() > 0.4
    everywhere = skip_shares(network, [inputs[0], np.ones_like(inputs[1]), inputs[2]])
    # Both sides are certain, and both betas are 1.
    np.testing.assert_allclose(everywhere[16][:, 2:-2, 2:-2], 0.5, atol=0.01)


def test_shares_of_a_network_without_certainties_are_refused():
    with pytest.raises(ValueError, match="convolution='imputed'"):
        skip_shares(small(convolution="plain"), question())


@pytest.mark.parametrize("convolution", KINDS)
def test_in_bfloat16_weights_and_images_are_float32_and_nearly_the_same(convolution):
    exact, rough = (
        small(convolution=convolution, dtype=d) for d in ("float32", "mixed_bfloat16")
    )
    assert {v.dtype for v in rough.variables} == {"float32"}
    found, expected = answer(rough, question()), answer(exact, question())
    assert found.dtype == np.float32
    # Eight bits, through some ten layers that are normalised.
    np.testing.assert_allclose(found, expected, atol=0.1)


def test_the_seed_decides_the_weights_and_no_two_kernels_begin_alike():
    def kernels(seed):
        network = small(seed=seed)
        return [
            ops.convert_to_numpy(v.value)
            for v in network.trainable_variables
            if v.name == "kernel"
        ]

    first, again, other = (kernels(seed) for seed in (1, 1, 2))
    assert all(map(np.array_equal, first, again))
    drawn = [*first, *other]
    for i, kernel in enumerate(drawn):
        for before in drawn[:i]:
            size = min(kernel.size, before.size)
            assert not np.allclose(kernel.ravel()[:size], before.ravel()[:size])


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"convolution": "partial"}, "imputed, plain, gated; got 'partial'"),
        ({"pose": "dense"}, "scalar, one-hot; got 'dense'"),
        ({"image_size": 20}, "power of two"),
    ],
)
def test_unknown_words_and_sizes_are_refused(options, message):
    with pytest.raises(ValueError, match=message):
        small(**options)
