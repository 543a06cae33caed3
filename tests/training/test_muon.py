"""Muon without variables: orthogonal updates for kernels, Adam for all else."""

import numpy as np
import pytest
from keras import ops

from semantic_inpaint.training.descent import descend, start_optimizer
from semantic_inpaint.training.muon import (
    MOMENTUM,
    SCALE,
    descend_muon,
    muon_direction,
    start_muon,
)

pytestmark = pytest.mark.both_backends

SHAPES = [(3, 3, 4, 16), (16,), (1, 1, 32, 8), (3, 3, 16, 3), (10, 12)]
KERNELS = (0, 2)


def draw(seed):
    rng = np.random.default_rng(seed)
    return [rng.normal(size=shape).astype(np.float32) for shape in SHAPES]


def train(start, step, gradients):
    state = start({"net": [ops.convert_to_tensor(w) for w in draw(0)]}, "net")
    for seed in gradients:
        tensors = [ops.convert_to_tensor(g) for g in draw(seed)]
        state = step(state, "net", tensors, learning_rate=0.01, betas=(0.9, 0.99))
    return [ops.convert_to_numpy(w) for w in state["net"]]


@pytest.mark.parametrize("shape", [(3, 3, 4, 16), (1, 1, 8, 64)])
def test_a_direction_has_the_momentums_singular_vectors_and_nearly_equal_values(shape):
    momentum = np.random.default_rng(3).normal(size=shape).astype(np.float32)
    made = ops.convert_to_numpy(muon_direction(ops.convert_to_tensor(momentum)))
    assert made.shape == shape
    rows, columns = int(np.prod(shape[:-1])), shape[-1]
    u, _, v = np.linalg.svd(momentum.reshape(rows, columns), full_matrices=False)
    found = (
        u.T @ made.reshape(rows, columns) @ v.T / (SCALE * max(rows, columns) ** 0.5)
    )
    np.testing.assert_allclose(np.diag(found), 0.95, atol=0.3)
    # Beside the diagonal is nothing but what is rounded.
    np.testing.assert_allclose(found - np.diag(np.diag(found)), 0.0, atol=1e-4)


def test_no_gradient_makes_no_step():
    zero = ops.zeros((3, 3, 4, 16), "float32")
    assert not ops.convert_to_numpy(muon_direction(zero)).any()


def test_kernels_follow_the_momentum_and_all_else_follows_adam():
    found = train(start_muon, descend_muon, (1, 2))
    by_adam = train(start_optimizer, descend, (1, 2))
    for place, (ours, adam) in enumerate(zip(found, by_adam, strict=True)):
        if place not in KERNELS:
            np.testing.assert_array_equal(ours, adam)
    for place in KERNELS:
        weight, first, second = (draw(seed)[place] for seed in (0, 1, 2))
        momentum = np.zeros_like(weight)
        for gradient in (first, second):
            momentum = MOMENTUM * momentum + gradient
            ahead = ops.convert_to_tensor(gradient + MOMENTUM * momentum)
            weight = weight - 0.01 * ops.convert_to_numpy(muon_direction(ahead))
        np.testing.assert_allclose(found[place], weight, atol=1e-5)
