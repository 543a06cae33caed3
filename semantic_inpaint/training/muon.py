"""Muon as a pure function: momentum made orthogonal, for the kernels of convolutions.

After Jordan et al. (2024), scaled as Liu et al. (2025, arXiv 2502.16982) do. Keras' own
Muon leaves every variable that is not a matrix to Adam, kernels of convolutions too.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

from keras import ops

from semantic_inpaint.backend import Tensor
from semantic_inpaint.training.descent import State, descend, start_optimizer

MOMENTUM = 0.95
# Of the quintic that draws singular values towards 1, and how often it is applied.
COEFFICIENTS = (3.4445, -4.7750, 2.0315)
ITERATIONS = 5
# Root mean square of an update's entries at a rate of one; it is about Adam's, so that
# one learning rate serves both.
SCALE = 0.2
# Beside the norm of a momentum, which may be 0.
EPSILON = 1e-7
# A layer with fewer outputs makes an image: such a kernel is left to Adam.
MIN_OUTPUTS = 8


def start_muon(state: State, network: str) -> State:
    """Add the optimiser of a network, before its first step."""
    weights, optimizer = state[network], f"{network}_optimizer"
    kernels, others = _places(weights)
    momenta = [ops.zeros_like(weights[i]) for i in kernels]
    by_adam = start_optimizer({network: [weights[i] for i in others]}, network)
    return {**state, optimizer: [*momenta, *by_adam[optimizer]]}


def descend_muon(
    state: State,
    network: str,
    gradients: list,
    *,
    learning_rate: Tensor,
    betas: Sequence[float],
) -> State:
    """Take one step of Muon with the kernels of a network, of `descend` with all else.

    Args:
        state: Has the group `network` and its optimiser, from `start_muon`.
        network: Name of the group.
        gradients: As for `descend`.
        learning_rate: Of both.
        betas: Adam's.

    Returns:
        The state with both groups replaced.
    """
    weights, optimizer = state[network], f"{network}_optimizer"
    kernels, others = _places(weights)
    held = state[optimizer]
    momenta, moments = held[: len(kernels)], held[len(kernels) :]
    by_adam = descend(
        {network: [weights[i] for i in others], optimizer: moments},
        network,
        [gradients[i] for i in others],
        learning_rate=learning_rate,
        betas=betas,
    )
    new = list(weights)
    for i, weight in zip(others, by_adam[network], strict=True):
        new[i] = weight

    momenta = [
        MOMENTUM * momentum + gradients[i]
        for i, momentum in zip(kernels, momenta, strict=True)
    ]
    for i, momentum in zip(kernels, momenta, strict=True):
        ahead = gradients[i] + MOMENTUM * momentum
        new[i] = weights[i] - learning_rate * muon_direction(ahead)
    return {**state, network: new, optimizer: [*momenta, *by_adam[optimizer]]}


def muon_direction(momentum: Tensor) -> Tensor:
    """Bring the singular values of a kernel's momentum close to one another.

    They come to lie between .7 and 1.2 times one scale, but for those that are less
    than a thousandth of all together. Each step of the iteration multiplies the matrix
    by a polynomial in its small Gram matrix, so that the large one is multiplied only
    twice.

    Args:
        momentum: float32 `[kh, kw, C_in, C_out]`, taken as a matrix of C_out columns.

    Returns:
        The same shape; the root mean square of its entries is about `SCALE`.
    """
    columns = momentum.shape[-1]
    rows = math.prod(momentum.shape[:-1])
    matrix = ops.reshape(momentum, (rows, columns))
    matrix = matrix / (ops.sqrt(ops.sum(ops.square(matrix))) + EPSILON)
    tall, turned = rows > columns, ops.transpose(matrix)
    gram = ops.matmul(turned, matrix) if tall else ops.matmul(matrix, turned)
    a, b, c = COEFFICIENTS
    factor = unit = ops.eye(min(rows, columns))
    for _ in range(ITERATIONS):
        step = a * unit + b * gram + c * ops.matmul(gram, gram)
        factor = ops.matmul(step, factor)
        gram = ops.matmul(ops.matmul(step, gram), step)
    direction = ops.matmul(matrix, factor) if tall else ops.matmul(factor, matrix)
    scale = SCALE * math.sqrt(max(rows, columns))
    return scale * ops.reshape(direction, momentum.shape)


def is_hidden_kernel(weight: Tensor) -> bool:
    """Whether a weight is a convolution's kernel, and not one that makes an image."""
    return len(weight.shape) == 4 and weight.shape[-1] >= MIN_OUTPUTS


def _places(weights: list) -> tuple[list[int], list[int]]:
    """Say which tensors are kernels that Muon moves, and which are Adam's."""
    kernels = [i for i, weight in enumerate(weights) if is_hidden_kernel(weight)]
    return kernels, [i for i in range(len(weights)) if i not in kernels]
