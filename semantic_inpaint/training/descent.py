"""What a training step does to its state: Adam's updates and the moving average."""

from __future__ import annotations

from collections.abc import Sequence

from keras import ops

from semantic_inpaint.adam import AdamMoments, adam_start, adam_update
from semantic_inpaint.backend import Tensor

State = dict[str, list]


def start_optimizer(state: State, network: str) -> State:
    """Add the optimiser of a network, before its first step."""
    first, second, count = adam_start(state[network])
    return {**state, f"{network}_optimizer": [*first, *second, count]}


def descend(
    state: State,
    network: str,
    gradients: list,
    *,
    learning_rate: Tensor,
    betas: Sequence[float],
) -> State:
    """Take one step of Adam with a network.

    Args:
        state: Has the group `network` and its optimiser.
        network: Name of the group.
        gradients: One for each tensor of the group.
        learning_rate: A scalar.
        betas: Adam's two decays.

    Returns:
        The state with both groups replaced.
    """
    weights = state[network]
    *moments, count = state[f"{network}_optimizer"]
    first, second = moments[: len(weights)], moments[len(weights) :]
    weights, (first, second, count) = adam_update(
        weights,
        gradients,
        AdamMoments(first, second, count),
        learning_rate=learning_rate,
        beta_1=betas[0],
        beta_2=betas[1],
    )
    return {
        **state,
        network: weights,
        f"{network}_optimizer": [*first, *second, count],
    }


def follow(averages: list, values: list, decay: Tensor) -> list:
    """Move averages towards the newest values."""
    return [
        decay * average + (1.0 - decay) * new
        for average, new in zip(averages, values, strict=True)
    ]


def copies(variables: list) -> list:
    """Copy variables: TensorFlow would else hand out the variables themselves."""
    return [ops.copy(v.value) for v in variables]
