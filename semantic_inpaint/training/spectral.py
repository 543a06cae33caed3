"""Spectral normalisation: every kernel of D divided by its largest singular value.

Keras' own layer of this name normalises by overwriting its kernel, which a step that
is a pure function of its state cannot use.
"""

from __future__ import annotations

import numpy as np
from keras import ops

from semantic_inpaint.backend import Tensor


def initial_vectors(weights: list, *, seed: int) -> list[Tensor]:
    """Draw the vector that the power iteration of each kernel starts from.

    Args:
        weights: Arrays; kernels are those of two or more axes, the last its outputs.
        seed: 0 or more.

    Returns:
        One float32 unit vector `[outputs]` for each kernel.
    """
    rng = np.random.default_rng(seed)
    vectors = [rng.normal(size=w.shape[-1]) for w in weights if len(w.shape) > 1]
    return [ops.convert_to_tensor(v / np.linalg.norm(v), "float32") for v in vectors]


def advance_vectors(weights: list, vectors: list) -> list:
    """Do one step of the power iteration (Miyato et al. 2018, algorithm 1)."""
    matrices = (_as_matrix(w) for w in weights if len(w.shape) > 1)
    return [
        _unit(ops.matmul(_left_vector(m, v)[None], m)[0])
        for m, v in zip(matrices, vectors, strict=True)
    ]


def normalise_spectrally(weights: list, vectors: list) -> list:
    """Divide each kernel by the estimate of its largest singular value.

    Args:
        weights: Kernels and biases.
        vectors: From `advance_vectors`: right singular vectors, not differentiated.

    Returns:
        The weights, biases as they were.
    """
    remaining = iter(vectors)
    return [
        w if len(w.shape) < 2 else w / _largest_singular_value(w, next(remaining))
        for w in weights
    ]


def _largest_singular_value(kernel: Tensor, vector: Tensor) -> Tensor:
    matrix, vector = _as_matrix(kernel), ops.stop_gradient(vector)
    left = ops.stop_gradient(_left_vector(matrix, vector))
    return ops.sum(left * ops.matmul(matrix, vector[:, None])[:, 0])


def _left_vector(matrix: Tensor, vector: Tensor) -> Tensor:
    return _unit(ops.matmul(matrix, vector[:, None])[:, 0])


def _as_matrix(kernel: Tensor) -> Tensor:
    return ops.reshape(kernel, (-1, kernel.shape[-1]))


def _unit(vector: Tensor) -> Tensor:
    return vector / (ops.norm(vector) + 1e-12)
