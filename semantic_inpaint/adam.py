"""Adam as a pure function, for the search and for training.

Keras' own `stateless_apply` does not exist on the TensorFlow backend, and a compiled
loop over codes needs an update without variables.
"""

from __future__ import annotations

from typing import NamedTuple

from keras import ops

from semantic_inpaint.backend import Tensor

EPSILON = 1e-8


class AdamMoments(NamedTuple):
    """Running moments of the gradients, one tensor for each parameter."""

    first: list
    second: list
    count: Tensor


def adam_start(parameters: list) -> AdamMoments:
    """Return zero moments for `parameters`, a list of tensors."""
    return AdamMoments(
        [ops.zeros_like(p) for p in parameters],
        [ops.zeros_like(p) for p in parameters],
        ops.zeros((), "float32"),
    )


def adam_update(
    parameters: list,
    gradients: list,
    moments: AdamMoments,
    *,
    learning_rate: Tensor,
    beta_1: float,
    beta_2: float,
    corrections: tuple[Tensor, Tensor] | None = None,
) -> tuple[list, AdamMoments]:
    """Take one step of Adam (Kingma & Ba 2015, algorithm 1), element by element.

    Args:
        parameters: Float32 tensors.
        gradients: Their gradients, of the same shapes.
        moments: From `adam_start` or the last step.
        learning_rate: A number or a scalar tensor.
        beta_1: Decay of the first moment, in [0, 1).
        beta_2: Decay of the second moment, in [0, 1).
        corrections: What the moments lack after this step, a row for each row of the
            parameters; default: from the count, for all alike.

    Returns:
        The new parameters and moments.
    """
    count = moments.count + 1.0
    lack_1, lack_2 = corrections or (1.0 - beta_1**count, 1.0 - beta_2**count)
    rate = learning_rate * (ops.sqrt(lack_2) / lack_1)
    epsilon = EPSILON * ops.sqrt(lack_2)
    new, first, second = [], [], []
    for p, g, m, v in zip(
        parameters, gradients, moments.first, moments.second, strict=True
    ):
        first.append(beta_1 * m + (1.0 - beta_1) * g)
        second.append(beta_2 * v + (1.0 - beta_2) * ops.square(g))
        new.append(p - rate * first[-1] / (ops.sqrt(second[-1]) + epsilon))
    return new, AdamMoments(first, second, count)
