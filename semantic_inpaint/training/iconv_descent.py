"""The equalised learning rate (Karras et al. 2018, section 4.1), as units of Adam."""

from __future__ import annotations

import math
from collections.abc import Sequence

import keras

from semantic_inpaint.backend import Tensor
from semantic_inpaint.training.descent import State, descend


def step_units(network: keras.Model, *, gain: float = 1.0) -> list[float]:
    """Say how long a step of Adam is for each weight, in multiples of the rate.

    A kernel's unit is gain / sqrt(fan-in), its standard deviation at first. The filter
    of an imputation sees one channel, so that its fan-in is K^2; the authors' code
    divides that by the number of channels besides. Everything else has the unit 1.

    Args:
        network: Of IConv.
        gain: Of its kernels, as they were initialised.

    Returns:
        A number for each trainable variable.
    """
    return [
        gain / math.sqrt(math.prod(variable.shape[:-1]))
        if variable.name == "kernel"
        else 1.0 / variable.shape[0]
        if variable.name == "imputation_kernel"
        else 1.0
        for variable in network.trainable_variables
    ]


def descend_in_units(
    state: State,
    network: str,
    gradients: list,
    *,
    units: Sequence[float],
    learning_rate: Tensor,
    betas: Sequence[float],
) -> State:
    """Take one step of Adam with each weight divided by its unit, then undo that.

    This is what training normalised weights and scaling them at every use comes to, but
    the weights are those that the network has.

    Args:
        state: Has the group `network` and its optimiser.
        network: Name of the group.
        gradients: One for each tensor of the group.
        units: A number for each tensor of the group.
        learning_rate: A scalar.
        betas: Adam's two decays.

    Returns:
        The state with both groups replaced.
    """
    pairs = zip(state[network], units, strict=True)
    normalised = {**state, network: [weight / unit for weight, unit in pairs]}
    state = descend(
        normalised,
        network,
        [g * unit for g, unit in zip(gradients, units, strict=True)],
        learning_rate=learning_rate,
        betas=betas,
    )
    pairs = zip(state[network], units, strict=True)
    return {**state, network: [weight * unit for weight, unit in pairs]}
