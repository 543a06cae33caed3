"""The U-Net of partial convolutions in the form that infers fastest.

Equal to the network that was trained, to rounding, by three identities. Batch
normalisation is folded into kernel and bias, which stand on either side of the factor
of eq. 1 as before. A bias where there was anything to see, and activations that keep 0,
leave 0 in every hole, so that nothing has to be overwritten there again. And to double
the side of a map by repetition and to convolve it 3x3 is one transposed convolution,
4x4 with a step of 2: four ninths of the products.
"""

from __future__ import annotations

import keras
import numpy as np
from keras import layers, ops

from semantic_inpaint.backend import Tensor
from semantic_inpaint.models.folding import factor_and_offset
from semantic_inpaint.models.partial_conv import convolve_alike, window_share
from semantic_inpaint.models.pconv_unet import (
    DEEPEST_SIDE,
    LEAKINESS,
    UNetRow,
    close_unet,
    open_unet,
    plan_unet,
)

SLOPES = {"relu": 0.0, "leaky_relu": LEAKINESS}


class FoldedPartialRow(layers.Layer):
    """A row of the U-Net: convolution, normalisation and activation in one.

    Called as `features, validity = layer((features, validity))`, or in the decoder as
    `layer((features, validity, skip, skip_validity))`, where the first two have half
    the side of the others. What stands in a hole must be 0, and so it is in the result.

    Args:
        row: What it does.
        options: Of `keras.layers.Layer`.
    """

    def __init__(self, row: UNetRow, **options: str) -> None:
        """Keep the row; the weights come with `build`."""
        super().__init__(autocast=False, **options)
        self.row = row

    def build(self, input_shape: tuple) -> None:
        """Add kernels and bias."""
        filters, side = self.row.filters, self.row.kernel_size
        if self.row.skip is not None:
            deep, skip = input_shape[0][-1], input_shape[2][-1]
            self.doubling = self.add_weight((4, 4, filters, deep), name="doubling")
            # Of the validity under the window, so that both maps count by channels.
            self.shares = deep / (deep + skip), skip / (deep + skip)
        channels = input_shape[-2][-1]
        self.kernel = self.add_weight((side, side, channels, filters), name="kernel")
        self.bias = self.add_weight((filters,), name="bias")

    def compute_output_spec(
        self, inputs: tuple[keras.KerasTensor, ...]
    ) -> tuple[keras.KerasTensor, keras.KerasTensor]:
        """Give the shapes; sides unknown on both paths do not add up on JAX."""
        batch, *sides, _ = inputs[-2].shape
        sides = [side and -(-side // self.row.strides) for side in sides]
        features = keras.KerasTensor(
            (batch, *sides, self.row.filters), self.compute_dtype
        )
        return features, keras.KerasTensor((batch, *sides, 1), "float32")

    def call(self, inputs: tuple[Tensor, ...]) -> tuple[Tensor, Tensor]:
        """Convolve what is valid, scale, and carry the validity on."""
        row, dtype = self.row, self.compute_dtype
        *deeper, features, validity = inputs
        features = ops.cast(features, dtype)
        convolved = convolve_alike(features, self.kernel, row.strides)
        if deeper:
            convolved += ops.conv_transpose(
                deeper[0], self.doubling, strides=2, padding="same"
            )
            doubled = ops.repeat(ops.repeat(deeper[1], 2, axis=1), 2, axis=2)
            validity = self.shares[0] * doubled + self.shares[1] * validity
        share = window_share(validity, row.kernel_size, row.strides)
        valid = ops.cast(share > 0, "float32")
        scale = valid / ops.where(share > 0, share, 1)
        outputs = convolved * ops.cast(scale, dtype)
        outputs = outputs + ops.cast(valid, dtype) * self.bias
        if row.activation is not None:
            outputs = ops.leaky_relu(outputs, SLOPES[row.activation])
        return outputs, valid


def prepare_pconv_unet(model: keras.Model) -> keras.Model:
    """Copy a network of `build_pconv_unet` into the form that infers fastest.

    Args:
        model: With its weights.

    Returns:
        A new model of the same inputs that computes what `model` does with
        `training=False`, to rounding; its kernels are kept in the precision in which
        they are used.
    """
    first = model.get_layer("pconv_1")
    rows = sum(layer.name.startswith("pconv_") for layer in model.layers)
    plan = plan_unet(image_size=DEEPEST_SIDE << rows // 2, width=first.filters)
    images, known, observed = open_unet()
    results = [(observed, known)]
    for number, row in enumerate(plan, 1):
        layer = FoldedPartialRow(
            row, dtype=first.dtype_policy.compute_dtype, name=f"row_{number}"
        )
        inputs = results[-1] if row.skip is None else results[-1] + results[row.skip]
        results.append(layer(inputs))
        layer.set_weights(_folded_weights(model, number, row))
    return keras.Model([images, known], close_unet(results[-1][0]), name=model.name)


def _folded_weights(model: keras.Model, number: int, row: UNetRow) -> list[np.ndarray]:
    """Kernels and bias of a row, computed in float64."""
    conv = model.get_layer(f"pconv_{number}")
    kernel, *rest = (np.asarray(w, np.float64) for w in conv.get_weights())
    if row.normalised:
        factor, bias = factor_and_offset(model.get_layer(f"norm_{number}"))
        kernel = kernel * factor
    else:
        (bias,) = rest
    if row.skip is None:
        return [kernel, bias]
    deep = conv.groups[0]
    return [_doubling_kernel(kernel[:, :, :deep]), kernel[:, :, deep:], bias]


def _doubling_kernel(kernel: np.ndarray) -> np.ndarray:
    """Join a repetition of every pixel 2x2 with a 3x3 convolution.

    Args:
        kernel: `[3, 3, C, F]`.

    Returns:
        `[4, 4, F, C]`, of a transposed convolution with a step of 2. The pixel that
        comes from i reaches the window's place t of the result 2 i + s - t + 1, with s
        0 or 1 for its two copies.
    """
    joined = np.zeros((4, 4, *kernel.shape[2:]))
    for down in (0, 1):
        for across in (0, 1):
            joined[down : down + 3, across : across + 3] += kernel[::-1, ::-1]
    return joined.swapaxes(2, 3)
