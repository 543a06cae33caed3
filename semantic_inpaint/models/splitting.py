"""A generator cut in two, so that the maps between its layers can be searched."""

from __future__ import annotations

import itertools

import keras


def split_generator(
    generator: keras.Model, *, side: int
) -> tuple[keras.Model, keras.Model]:
    """Cut a generator where its maps have a given side.

    Args:
        generator: A chain of layers from `models.dcgan`, prepared for inference or
            not.
        side: Of the maps; the cut is behind the last layer that gives such maps.

    Returns:
        The head, `[B, latent_dim] -> [B, side, side, C]`, and the tail,
        `[B, side, side, C] -> [B, H, W, 3]`. They share the layers of `generator` and
        compute what it does: `tail(head(z))` is `generator(z)`, to the bit.

    Raises:
        ValueError: `generator` is no chain, or has no maps of this side before its
            last.
    """
    layers = generator.layers
    if any(a.output is not b.input for a, b in itertools.pairwise(layers)):
        raise ValueError(
            f"{generator.name!r} is no chain of layers from one input to one output; "
            "it has no single place to cut."
        )
    last = {}
    for place, layer in enumerate(layers):
        shape = layer.output.shape
        if len(shape) == 4 and shape[1] == shape[2]:
            last[shape[1]] = place
    last.pop(generator.output_shape[1], None)
    if side not in last:
        sides = ", ".join(str(known) for known in last)
        raise ValueError(
            f"`side` must be one of {sides} to cut {generator.name!r}; got {side}."
        )
    cut = last[side]
    activations = layers[cut].output
    x = inputs = keras.Input(activations.shape[1:], name="activations")
    for layer in layers[cut + 1 :]:
        x = layer(x)
    return (
        keras.Model(generator.input, activations, name=f"{generator.name}_head"),
        keras.Model(inputs, x, name=f"{generator.name}_tail"),
    )
