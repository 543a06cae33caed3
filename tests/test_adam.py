"""Adam without variables, against the published algorithm and against Keras."""

import keras
import numpy as np
import pytest
from keras import ops

from semantic_inpaint.adam import adam_start, adam_update
from tests.reference.adam import reference_adam

pytestmark = pytest.mark.both_backends

OPTIONS = {"learning_rate": 0.03, "beta_1": 0.5, "beta_2": 0.9}


def draw(*shape, seed):
    return np.random.default_rng(seed).normal(size=shape).astype(np.float32)


def run(parameters, steps, **changed):
    """Take one step for each list of gradients in `steps`."""
    tensors = [ops.convert_to_tensor(p) for p in parameters]
    moments = adam_start(tensors)
    for gradients in steps:
        tensors, moments = adam_update(
            tensors,
            [ops.convert_to_tensor(g) for g in gradients],
            moments,
            **(OPTIONS | changed),
        )
    return [ops.convert_to_numpy(t) for t in tensors], moments


@pytest.mark.parametrize("scale", [1.0, 1e-8, 1e6])
@pytest.mark.parametrize("betas", [(0.5, 0.9), (0.9, 0.999), (0.0, 0.99)])
def test_every_step_is_the_published_one(scale, betas):
    # At 1e-8 the gradients are as small as epsilon, which then decides the step.
    parameters = [draw(3, 4, seed=1), draw(5, seed=2)]
    steps = [
        [scale * draw(3, 4, seed=10 + s), scale * draw(5, seed=20 + s)]
        for s in range(6)
    ]
    beta_1, beta_2 = betas
    found, moments = run(parameters, steps, beta_1=beta_1, beta_2=beta_2)
    for i, parameter in enumerate(parameters):
        expected = reference_adam(
            parameter,
            [gradients[i] for gradients in steps],
            learning_rate=0.03,
            beta_1=beta_1,
            beta_2=beta_2,
        )
        # Float32: 1 - beta_2**t of a first step keeps four to five digits.
        np.testing.assert_allclose(found[i], expected, rtol=0, atol=2e-5)
    assert float(moments.count) == 6


def test_it_goes_where_keras_own_adam_goes():
    start, steps = draw(4, 3, seed=1), [[draw(4, 3, seed=10 + s)] for s in range(6)]
    variable = keras.Variable(start)
    optimizer = keras.optimizers.Adam(epsilon=1e-8, **OPTIONS)
    for (gradient,) in steps:
        optimizer.apply([ops.convert_to_tensor(gradient)], [variable])
    (found,), _ = run([start], steps)
    # Keras adds epsilon before the correction of the bias: 1e-8 of a gradient near 1.
    np.testing.assert_allclose(found, variable.numpy(), rtol=0, atol=1e-6)


def test_an_element_never_sees_another():
    start, steps = draw(4, 3, seed=1), [[draw(4, 3, seed=10 + s)] for s in range(3)]
    (whole,), _ = run([start], steps)
    for row in range(4):
        (alone,), _ = run(
            [start[row : row + 1]], [[g[row : row + 1]] for (g,) in steps]
        )
        # A processor's vector instructions may round the last digit otherwise.
        np.testing.assert_allclose(alone[0], whole[row], rtol=1e-6)

    poisoned = [[np.where(np.arange(4)[:, None] == 2, np.nan, g)] for (g,) in steps]
    (found,), _ = run([start], [[g.astype(np.float32)] for (g,) in poisoned])
    assert np.isnan(found[2]).all()
    np.testing.assert_array_equal(np.delete(found, 2, 0), np.delete(whole, 2, 0))


def test_the_learning_rate_may_be_a_tensor_and_zero_stands_still():
    start, steps = draw(4, seed=1), [[draw(4, seed=2)], [draw(4, seed=3)]]
    (number,), _ = run([start], steps)
    (tensor,), _ = run([start], steps, learning_rate=ops.convert_to_tensor(0.03))
    np.testing.assert_array_equal(number, tensor)
    (still,), moments = run([start], steps, learning_rate=0.0)
    np.testing.assert_array_equal(still, start)
    expected = 0.5 * 0.5 * steps[0][0] + 0.5 * steps[1][0]
    np.testing.assert_allclose(moments.first[0], expected, rtol=1e-6)


def test_a_zero_gradient_from_the_start_moves_nothing():
    start = draw(4, seed=1)
    (found,), _ = run([start], [[np.zeros(4, np.float32)]] * 3)
    np.testing.assert_array_equal(found, start)


def test_a_gradient_too_few_is_refused():
    tensors = [ops.zeros((2,)), ops.zeros((3,))]
    with pytest.raises(ValueError, match="shorter"):
        adam_update(tensors, tensors[:1], adam_start(tensors), **OPTIONS)
