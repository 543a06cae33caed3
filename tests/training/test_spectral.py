"""Spectral normalisation, against NumPy's singular values."""

import numpy as np
import pytest
from keras import ops

from semantic_inpaint import backend
from semantic_inpaint.training.spectral import (
    advance_vectors,
    initial_vectors,
    normalise_spectrally,
)

pytestmark = pytest.mark.both_backends


def weights():
    rng = np.random.default_rng(0)
    shapes = ((3, 3, 4, 5), (5,), (20, 1))
    return [
        ops.convert_to_tensor(rng.normal(size=shape).astype(np.float32))
        for shape in shapes
    ]


def settled_vectors(kernels, *, num_steps=200):
    vectors = initial_vectors(kernels, seed=1)
    for _ in range(num_steps):
        vectors = advance_vectors(kernels, vectors)
    return vectors


def largest(kernel):
    matrix = ops.convert_to_numpy(kernel).reshape(-1, kernel.shape[-1])
    return np.linalg.svd(matrix, compute_uv=False)[0]


def test_kernels_end_with_a_largest_singular_value_of_one():
    found = normalise_spectrally(weights(), settled_vectors(weights()))
    for kernel in (found[0], found[2]):
        assert largest(kernel) == pytest.approx(1.0, abs=1e-5)  # Float32.


def test_kernels_keep_their_direction_and_biases_everything():
    found = normalise_spectrally(weights(), settled_vectors(weights()))
    for place in (0, 2):
        kernel = ops.convert_to_numpy(weights()[place])
        expected = kernel / largest(kernel)
        np.testing.assert_allclose(
            ops.convert_to_numpy(found[place]), expected, atol=1e-5
        )
    np.testing.assert_array_equal(
        ops.convert_to_numpy(found[1]), ops.convert_to_numpy(weights()[1])
    )


def test_the_gradient_goes_through_the_singular_value():
    vectors = settled_vectors(weights())
    direction = np.random.default_rng(2).normal(size=(3, 3, 4, 5)).astype(np.float32)

    def total(kernel):
        return ops.sum(normalise_spectrally([kernel], vectors[:1])[0] * direction), None

    _, _, (slope,) = backend.value_and_grad(total, weights()[0])
    # With vectors that have settled, (D - <D, W/s> u v') / s (Miyato et al., eq. 11).
    kernel = ops.convert_to_numpy(weights()[0]).reshape(-1, 5).astype(np.float64)
    left, values, right = np.linalg.svd(kernel, full_matrices=False)
    d = direction.reshape(-1, 5)
    inner = np.sum(d * kernel / values[0])
    expected = (d - inner * np.outer(left[:, 0], right[0])) / values[0]
    np.testing.assert_allclose(
        ops.convert_to_numpy(slope).reshape(-1, 5), expected, atol=1e-5
    )


def test_the_seed_decides_where_the_iteration_starts():
    first, again, other = (initial_vectors(weights(), seed=s) for s in (0, 0, 1))
    assert len(first) == 2
    np.testing.assert_array_equal(*map(ops.convert_to_numpy, (first[0], again[0])))
    assert (ops.convert_to_numpy(first[0]) != ops.convert_to_numpy(other[0])).any()
    assert float(ops.norm(first[0])) == pytest.approx(1.0, abs=1e-6)
