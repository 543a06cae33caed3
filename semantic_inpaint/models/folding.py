"""Batch normalisation folded into the layer before it, for networks that only infer.

At inference the normalisation of a channel is a multiplication and an addition by
constants, so the kernel before it can carry the one and a bias the other (Jacob et
al. 2018, section 3.2).
"""

from __future__ import annotations

import itertools
from collections.abc import Callable
from typing import TypeAlias

import keras
import numpy as np
from keras import layers, ops

Replacement: TypeAlias = tuple[layers.Layer, list[np.ndarray]]

# Where the axis of the output's channels stands in the kernel.
_CHANNEL_AXIS = {layers.Dense: 1, layers.Conv2D: 3, layers.Conv2DTranspose: 2}


def fold_batch_norm(model: keras.Model) -> keras.Model:
    """Copy a network without its batch normalisation, for inference.

    Args:
        model: A chain of layers; each BatchNormalization normalises the last axis and
            follows a Dense, Conv2D or Conv2DTranspose without activation, perhaps
            with a Reshape between.

    Returns:
        A new model with the same names, input and dtype policies, and with weights of
        its own. It computes what `model` does with `training=False`, to rounding.

    Raises:
        ValueError: `model` is no chain, or has a normalisation that cannot be folded.
    """
    carriers = _carriers(model)

    def replace(layer: layers.Layer) -> Replacement | None:
        if isinstance(layer, layers.BatchNormalization):
            return None
        if layer in carriers:
            config = layer.get_config() | {"use_bias": True}
            return type(layer).from_config(config), _folded(layer, carriers[layer])
        return type(layer).from_config(layer.get_config()), layer.get_weights()

    return copy_chain(model, replace)


def copy_chain(
    model: keras.Model, replace: Callable[[layers.Layer], Replacement | None]
) -> keras.Model:
    """Build a network anew, layer by layer.

    Args:
        model: A chain of layers from one input to one output.
        replace: Gives for each layer the one to stand in its place, with its weights,
            or None to leave it out.

    Returns:
        A new model of the same name.

    Raises:
        ValueError: `model` is no chain.
    """
    first, *rest = model.layers
    joints = all(a.output is b.input for a, b in itertools.pairwise(model.layers))
    ends = len(model.inputs) == len(model.outputs) == 1
    if not (ends and joints and model.output is model.layers[-1].output):
        raise ValueError(
            f"{model.name!r} is no chain of layers from one input to one output; use "
            "it as it is."
        )
    inputs = keras.Input(model.input_shape[1:], dtype=first.dtype, name=first.name)
    x = inputs
    for layer in rest:
        if (replacement := replace(layer)) is not None:
            new, weights = replacement
            x = new(x)
            new.set_weights(weights)
    return keras.Model(inputs, x, name=model.name)


def factor_and_offset(
    norm: layers.BatchNormalization,
) -> tuple[np.ndarray, np.ndarray]:
    """Say what a normalisation multiplies each channel by at inference, and adds.

    Returns:
        Two arrays float64 `[C]`.
    """
    mean, variance = _exact(norm.moving_mean), _exact(norm.moving_variance)
    gamma = _exact(norm.gamma) if norm.scale else np.ones_like(mean)
    beta = _exact(norm.beta) if norm.center else np.zeros_like(mean)
    factor = gamma / np.sqrt(variance + norm.epsilon)
    return factor, beta - mean * factor


def _carriers(
    model: keras.Model,
) -> dict[layers.Layer, layers.BatchNormalization]:
    """Find the layer that each normalisation can be folded into."""
    carriers, before = {}, None
    for layer in model.layers:
        if isinstance(layer, layers.BatchNormalization):
            if not _can_carry(before) or layer.axis not in (-1, layer.input.ndim - 1):
                raise ValueError(
                    f"cannot fold {layer.name!r} of {model.name!r}: it must normalise "
                    "the last axis and follow a Dense, Conv2D or Conv2DTranspose "
                    "without activation. Use the network as it is."
                )
            carriers[before] = layer
            before = None
        elif not isinstance(layer, layers.Reshape):
            before = layer
    return carriers


def _can_carry(layer: layers.Layer | None) -> bool:
    return (
        type(layer) in _CHANNEL_AXIS
        and layer.activation is keras.activations.linear
        and getattr(layer, "data_format", "channels_last") == "channels_last"
    )


def _folded(layer: layers.Layer, norm: layers.BatchNormalization) -> list[np.ndarray]:
    """Kernel and bias, in float64, that compute the layer and its normalisation."""
    factor, offset = factor_and_offset(norm)
    kernel, axis = _exact(layer.kernel), _CHANNEL_AXIS[type(layer)]

    # A Reshape to [..., C] lays the outputs of a Dense out with the channel fastest.
    repeats = kernel.shape[axis] // len(factor)
    factor, offset = (np.tile(part, repeats) for part in (factor, offset))
    bias = _exact(layer.bias) if layer.use_bias else 0.0
    shape = [-1 if a == axis else 1 for a in range(kernel.ndim)]
    return [kernel * factor.reshape(shape), offset + bias * factor]


def _exact(variable: keras.Variable) -> np.ndarray:
    return ops.convert_to_numpy(variable.value).astype(np.float64)
