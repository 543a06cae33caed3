"""Networks made ready to be searched: equal to those that were trained, and faster."""

from __future__ import annotations

import keras
from keras import layers

from semantic_inpaint.models import fast_convolutions as fast
from semantic_inpaint.models.folding import (
    Replacement,
    copy_chain,
    fold_batch_norm,
)

# Where the other forms were measured to be faster; between them they are not.
SMALL_SIDE = 4
FEW_CHANNELS = 3


def prepare_for_inference(model: keras.Model) -> keras.Model:
    """Copy a network of `models.dcgan` into the form that infers fastest.

    Batch normalisation is folded into the kernels, the convolutions at both ends take
    the forms of `models.fast_convolutions`, and kernels are kept in the precision in
    which they are used, so that none is cast in every step.

    Args:
        model: A generator or a discriminator.

    Returns:
        A new model that computes what `model` does with `training=False`, to rounding.

    Raises:
        ValueError: `model` is no chain of layers that can be folded.
    """

    def replace(layer: layers.Layer) -> Replacement:
        policy = layer.dtype_policy.compute_dtype
        if (kind := _faster_form(layer)) is not None:
            new = kind(layer.filters, dtype=policy, name=layer.name)
            return new, new.weights_from(*layer.get_weights())
        config = layer.get_config() | {"dtype": policy}
        return type(layer).from_config(config), layer.get_weights()

    return copy_chain(fold_batch_norm(model), replace)


def _faster_form(layer: layers.Layer) -> type | None:
    """Choose among `fast_convolutions`; None: the layer keeps its own."""
    transposed = type(layer) is layers.Conv2DTranspose
    if not (transposed or type(layer) is layers.Conv2D) or not _is_plain(layer):
        return None
    large, small = layer.input.shape[1:], layer.output.shape[1:]
    if transposed:
        large, small = small, large
    if large[:2] != tuple(2 * (side or 0) for side in small[:2]):
        return None
    if max(small[:2]) <= SMALL_SIDE:
        return fast.MatrixTransposed if transposed else fast.MatrixConvolution
    if large[2] <= FEW_CHANNELS:
        return fast.SubPixelTransposed if transposed else fast.SubPixelConvolution
    return None


def _is_plain(layer: layers.Conv2D | layers.Conv2DTranspose) -> bool:
    """Say whether a convolution is one of those that the other forms stand for."""
    return (
        (layer.kernel_size, layer.strides) == ((5, 5), (2, 2))
        and (layer.padding, layer.data_format) == ("same", "channels_last")
        and (layer.dilation_rate, getattr(layer, "groups", 1)) == ((1, 1), 1)
        and layer.activation is keras.activations.linear
        and layer.use_bias
    )
