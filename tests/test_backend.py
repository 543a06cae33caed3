"""Gradients, compilation and devices, whichever backend runs."""

import os
import subprocess
import sys
from pathlib import Path

import keras
import numpy as np
import pytest
from keras import ops

from semantic_inpaint import backend
from tests.reference.differences import central_differences

ROOT = Path(__file__).resolve().parents[1]


def draw(*shape, seed):
    return np.random.default_rng(seed).normal(size=shape).astype(np.float32)


def tensors(*arrays):
    return [ops.convert_to_tensor(array) for array in arrays]


def two_layers(weights, inputs):
    """A network small enough to differentiate by hand."""
    first, second = weights
    hidden = ops.tanh(inputs @ first)
    return hidden @ second, {"hidden": hidden}


@pytest.mark.both_backends
def test_a_pullback_is_backpropagation_by_hand():
    first, second, inputs = draw(3, 4, seed=1), draw(4, 2, seed=2), draw(5, 3, seed=3)
    cotangents = draw(5, 2, seed=4)
    weights, (x,) = tensors(first, second), tensors(inputs)
    outputs, auxiliary, pullback = backend.vjp(two_layers, weights, x)
    by_weights, by_inputs = pullback(ops.convert_to_tensor(cotangents))

    hidden = np.tanh(inputs.astype(np.float64) @ first)
    back = (cotangents @ second.T.astype(np.float64)) * (1 - hidden**2)
    close = {"rtol": 1e-4, "atol": 1e-5}  # Float32 against float64.
    np.testing.assert_allclose(outputs, hidden @ second, **close)
    np.testing.assert_allclose(auxiliary["hidden"], hidden, **close)
    np.testing.assert_allclose(by_weights[0], inputs.T @ back, **close)
    np.testing.assert_allclose(by_weights[1], hidden.T @ cotangents, **close)
    np.testing.assert_allclose(by_inputs, back @ first.T, **close)


@pytest.mark.both_backends
@pytest.mark.parametrize("compiled", [False, True])
def test_a_gradient_is_that_of_central_differences(compiled):
    start = draw(6, seed=1)

    def gradient(x):
        return backend.value_and_grad(
            lambda x: (ops.sum(ops.sin(x) * ops.exp(0.5 * x)), 2.0 * x), x
        )

    call = backend.compile_function(gradient) if compiled else gradient
    value, auxiliary, (found,) = call(ops.convert_to_tensor(start))

    def oracle(x):
        return np.sum(np.sin(x) * np.exp(0.5 * x))

    np.testing.assert_allclose(value, oracle(start), rtol=1e-5)
    np.testing.assert_array_equal(auxiliary, 2.0 * start)
    np.testing.assert_allclose(found, central_differences(oracle, start), rtol=1e-4)


@pytest.mark.both_backends
def test_a_cotangent_picks_its_row_and_an_unused_primal_has_gradient_zero():
    x, unused = tensors(draw(3, 2, seed=1), draw(4, seed=2))
    _, auxiliary, pullback = backend.vjp(lambda x, unused: (x**2, None), x, unused)
    assert auxiliary is None
    by_x, by_unused = pullback(ops.convert_to_tensor(np.eye(3, 2, dtype=np.float32)))
    np.testing.assert_allclose(by_x, 2.0 * np.eye(3, 2) * np.asarray(x), rtol=1e-6)
    np.testing.assert_array_equal(by_unused, np.zeros(4))


@pytest.mark.both_backends
def test_a_gradient_can_be_differentiated_again():
    def squared_slope(x):
        _, _, (slope,) = backend.value_and_grad(lambda x: (ops.sum(x**3), None), x)
        return ops.sum(slope**2), None

    x = draw(5, seed=1)
    value, _, (found,) = backend.value_and_grad(squared_slope, ops.convert_to_tensor(x))
    # (3 x^2)^2 = 9 x^4, and its derivative 36 x^3.
    np.testing.assert_allclose(value, np.sum(9.0 * x**4), rtol=1e-5)
    np.testing.assert_allclose(found, 36.0 * x**3, rtol=1e-5)


@pytest.mark.both_backends
@pytest.mark.parametrize("device", [None, "cpu", "cpu:0"])
def test_a_device_that_is_there_computes(device):
    with backend.device_scope(device):
        result = ops.ones((2,)) + 1.0
    np.testing.assert_array_equal(result, [2.0, 2.0])
    if device is not None:
        assert "cpu" in str(result.device).lower()


@pytest.mark.both_backends
def test_every_listed_device_is_taken():
    names = backend.device_names()
    assert names[-1] == "cpu"
    assert backend.on_gpu() == (len(names) > 1)
    for name in names:
        with backend.device_scope(name):
            assert float(ops.sum(ops.ones((2,)))) == 2.0


@pytest.mark.both_backends
@pytest.mark.parametrize("device", ["gpu:99", "cpu:1", "tpu", ""])
def test_a_device_that_is_not_there_is_named_with_those_that_are(device):
    with (
        pytest.raises(ValueError, match=rf"no device '{device}' here.*cpu"),
        backend.device_scope(device),
    ):
        pass


@pytest.mark.both_backends
def test_precision_becomes_a_policy_of_keras():
    assert backend.compute_policy("float32") == "float32"
    policy = keras.dtype_policies.get(backend.compute_policy("bfloat16"))
    assert (policy.compute_dtype, policy.variable_dtype) == ("bfloat16", "float32")
    fast = backend.processor_has_bfloat16()
    assert backend.compute_policy("auto") == ("mixed_bfloat16" if fast else "float32")


@pytest.mark.both_backends
@pytest.mark.parametrize("precision", ["float16", "mixed_bfloat16", ""])
def test_an_unknown_precision_is_refused(precision):
    with pytest.raises(ValueError, match=rf"'auto', 'float32'.*got '{precision}'"):
        backend.compute_policy(precision)


@pytest.mark.both_backends
def test_it_is_the_backend_that_was_asked_for():
    assert backend.name() == keras.backend.backend()
    module = __import__(backend.name())
    assert backend.version() == module.__version__


def test_another_backend_is_refused_in_words():
    environment = os.environ | {"KERAS_BACKEND": "numpy"}
    ran = subprocess.run(
        [sys.executable, "-c", "import semantic_inpaint.backend"],
        cwd=ROOT,
        env=environment,
        capture_output=True,
        text=True,
    )
    assert ran.returncode == 1
    assert "Keras runs on 'numpy'" in ran.stderr.splitlines()[-1]
    assert "KERAS_BACKEND" in ran.stderr.splitlines()[-1]
