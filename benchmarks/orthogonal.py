"""Muon's direction: time, and distance from the same iteration as it is published.

Run from the repository root: `python -m benchmarks.orthogonal`. The kernels are those
of the network `pconv` that the optimiser moves, with singular values spread over four
decades, as a momentum's are; `textbook` multiplies the large matrix in every iteration,
in bfloat16 or float32. Prints the median time of all kernels, and each way's distance
from the textbook in float32, relative to its norm, for the nearest and farthest kernel.
"""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np
from keras import ops

from benchmarks.speed import median_seconds_in_turn
from semantic_inpaint import backend
from semantic_inpaint.backend import Tensor
from semantic_inpaint.training.inpainting_table import (
    get_inpainting_recipe,
    make_trainer,
)
from semantic_inpaint.training.muon import (
    COEFFICIENTS,
    EPSILON,
    ITERATIONS,
    SCALE,
    is_hidden_kernel,
    muon_direction,
)

REPEATS = 15


def textbook(momentum: Tensor, dtype: str) -> Tensor:
    """Iterate on the large matrix, as Jordan et al. (2024) do.

    Args:
        momentum: float32 `[kh, kw, C_in, C_out]`.
        dtype: Of the products.

    Returns:
        What `muon_direction` returns, but for rounding.
    """
    columns = momentum.shape[-1]
    rows = math.prod(momentum.shape[:-1])
    matrix = ops.reshape(momentum, (rows, columns))
    tall = rows > columns
    matrix = ops.transpose(matrix) if tall else matrix
    matrix = matrix / (ops.sqrt(ops.sum(ops.square(matrix))) + EPSILON)
    matrix = ops.cast(matrix, dtype)
    a, b, c = COEFFICIENTS
    for _ in range(ITERATIONS):
        gram = ops.matmul(matrix, ops.transpose(matrix))
        both = b * gram + c * ops.matmul(gram, gram)
        matrix = a * matrix + ops.matmul(both, matrix)
    matrix = ops.cast(ops.transpose(matrix) if tall else matrix, "float32")
    return SCALE * math.sqrt(max(rows, columns)) * ops.reshape(matrix, momentum.shape)


def draw_momenta() -> list[Tensor]:
    """Draw a momentum for each kernel that the optimiser moves."""
    rng = np.random.default_rng(0)
    network = make_trainer(get_inpainting_recipe("pconv")).network
    momenta = []
    for weight in filter(is_hidden_kernel, network.trainable_variables):
        flat = rng.normal(size=(math.prod(weight.shape[:-1]), weight.shape[-1]))
        u, values, v = np.linalg.svd(flat, full_matrices=False)
        values = np.exp(-np.linspace(0.0, 9.0, len(values)))
        planted = (u * values @ v).reshape(weight.shape)
        momenta.append(ops.convert_to_tensor(planted.astype(np.float32)))
    return momenta


def main() -> None:
    """Measure and print."""
    momenta = draw_momenta()
    ways: dict[str, Callable[[Tensor], Tensor]] = {
        "ours": muon_direction,
        "textbook, bfloat16": lambda m: textbook(m, "bfloat16"),
        "textbook, float32": lambda m: textbook(m, "float32"),
    }
    made, works = {}, {}
    for name, way in ways.items():
        compiled = backend.compile_function(lambda ms, way=way: [way(m) for m in ms])
        made[name] = [ops.convert_to_numpy(d) for d in compiled(momenta)]
        works[name] = lambda compiled=compiled: ops.convert_to_numpy(
            compiled(momenta)[-1]
        )
    seconds = median_seconds_in_turn(works, REPEATS)
    for name, directions in made.items():
        pairs = zip(directions, made["textbook, float32"], strict=True)
        far = [np.linalg.norm(x - y) / np.linalg.norm(y) for x, y in pairs]
        print(
            f"{name}: {1e3 * seconds[name]:.1f} ms; {min(far):.4f} to {max(far):.4f} "
            "away"
        )


if __name__ == "__main__":
    main()
