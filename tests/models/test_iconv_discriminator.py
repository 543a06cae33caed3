"""IConv's critic: its sizes, and what a value depends on."""

import numpy as np
import pytest
from keras import ops

from semantic_inpaint.models.iconv_discriminator import build_iconv_discriminator
from tests.reference.iconv import run_critic

SIDE = 16


def small(**changed):
    options = {"image_size": SIDE, "model_size": 8, "full_width_side": 8, "seed": 1}
    return build_iconv_discriminator(**(options | changed))


def question(count=3, *, num_landmarks=0, seed=0):
    """An image to judge, a masked image, the known map, and landmarks."""
    rng = np.random.default_rng(seed)
    shape = (count, SIDE, SIDE, 3)
    inputs = [rng.uniform(-1, 1, shape).astype(np.float32) for _ in range(2)]
    inputs.append((rng.random((count, SIDE, SIDE, 1)) < 0.5).astype(np.float32))
    if num_landmarks:
        inputs.append(rng.random((count, 2 * num_landmarks), dtype=np.float32))
    return inputs


def values(network, inputs):
    return ops.convert_to_numpy(network(inputs))


def counted_by_hand(widths, *, residual):
    sides = sorted(widths)
    top = widths[sides[-1]]
    count = 7 * top + top
    for side in sides[1:]:
        width, below = widths[side], widths[side // 2]
        count += 9 * width * width + width + 9 * width * below + below
        count += (width * below + below) if residual else 0
    last = widths[4]
    return count + 9 * last**2 + last + 16 * last**2 + last + last + 1


@pytest.mark.parametrize("residual", [True, False])
def test_the_critic_has_as_many_numbers_as_counted_by_hand(residual):
    network = build_iconv_discriminator(
        image_size=64, model_size=64, full_width_side=8, residual=residual
    )
    # Sqrt(2) times 8, 16, 32 and 64, rounded up to multiples of 8.
    widths = {64: 16, 32: 24, 16: 48, 8: 96, 4: 96}
    assert network.count_params() == counted_by_hand(widths, residual=residual)
    assert network.output_shape == (None, 1)


def test_the_gain_multiplies_every_kernel_at_first():
    plain, louder = (small(gain=gain, num_landmarks=2) for gain in (1.0, 1.5))
    pairs = zip(plain.trainable_variables, louder.trainable_variables, strict=True)
    for one, other in pairs:
        expected = 1.5 * ops.convert_to_numpy(one)
        np.testing.assert_allclose(ops.convert_to_numpy(other), expected, rtol=1e-5)
        assert expected.any() == (one.name == "kernel")


def test_a_scalar_pose_joins_at_32_as_one_channel_and_a_one_hot_pose_everywhere():
    def joined(**options):
        network = build_iconv_discriminator(
            image_size=64, model_size=8, full_width_side=8, num_landmarks=5, **options
        )
        plain = build_iconv_discriminator(
            image_size=64, model_size=8, full_width_side=8
        )
        levels = [x for x in network.layers if x.name.startswith("join_")]
        added = network.count_params() - plain.count_params()
        return [x.output.shape[1:] for x in levels], added

    shapes, added = joined()
    assert shapes == [(32, 32, 9)]
    # Two fully connected layers, and one more channel in, which the first convolution
    # of the level keeps.
    dense = 10 * 64 + 64 + 64 * 1024 + 1024
    assert added == dense + (9 * 9 * 9 + 9) - (9 * 8 * 8 + 8) + 9 * 8 + 8
    shapes, _ = joined(pose="one-hot")
    assert [side for side, _, _ in shapes] == [64, 32, 16, 8, 4]
    assert {channels for *_, channels in shapes} == {8 + 5, 16 + 5}


@pytest.mark.slow_on_jax
@pytest.mark.both_backends
def test_a_value_depends_on_every_input_but_not_on_what_stood_in_the_hole():
    network = small(num_landmarks=5)
    inputs = question(num_landmarks=5)
    found = values(network, inputs)
    assert found.shape == (3, 1)
    for place, change in enumerate(question(num_landmarks=5, seed=1)):
        changed = [*inputs[:place], change, *inputs[place + 1 :]]
        assert np.abs(values(network, changed) - found).min() > 1e-6, place
    poisoned = np.where(inputs[2] > 0, inputs[1], np.nan).astype(np.float32)
    again = values(network, [inputs[0], poisoned, *inputs[2:]])
    np.testing.assert_array_equal(again, found)


@pytest.mark.both_backends
def test_the_critic_equals_one_written_with_numpy():
    network = small(image_size=8, model_size=4)
    rng = np.random.default_rng(3)
    for variable in network.variables:
        variable.assign(rng.normal(0.0, 0.3, variable.shape))
    weights = {
        layer.name: {v.name: np.float64(v) for v in layer.weights}
        for layer in network.layers
    }
    inputs = [x[:, :8, :8] for x in question()]
    expected = run_critic(weights, *map(np.float64, inputs))
    # Six layers in single precision.
    np.testing.assert_allclose(values(network, inputs), expected, rtol=1e-4, atol=1e-4)
    assert np.ptp(expected) > 0.1


def test_a_value_does_not_depend_on_the_others_of_its_batch():
    network, inputs = small(), question()
    found = values(network, inputs)
    poisoned = [x.copy() for x in inputs]
    poisoned[0][[0, 2]] = np.nan
    np.testing.assert_array_equal(values(network, poisoned)[1], found[1])


def test_in_bfloat16_weights_and_values_are_float32():
    network = small(dtype="mixed_bfloat16")
    assert {v.dtype for v in network.variables} == {"float32"}
    assert values(network, question()).dtype == np.float32


def test_an_unknown_pose_is_refused():
    with pytest.raises(ValueError, match="scalar, one-hot; got 'dense'"):
        small(pose="dense")
