"""Other forms of the 5x5 convolutions of the DCGAN, equal and faster at its ends.

Two kinds of layers are slow where a search asks for few images at a time. Those round
the 4x4 maps have large kernels and few pixels: as a product of matrices, followed or
preceded by a sum over the places where windows overlap, they lose no time to laying
the kernel out anew. Those at the image have three channels on one side: as a plain
3x3 convolution with the four pixels of each 2x2 block as channels (Shi et al. 2016,
"sub-pixel"), the narrow side is four times as wide.

Each layer takes the weights of the layer that it stands for by `weights_from`.
"""

from __future__ import annotations

import functools
from typing import Any

import numpy as np
from keras import layers, ops

from semantic_inpaint.backend import Tensor

SIZE = 5
# "same" with a stride of 2 pads an even side by one pixel before and two behind.
BEFORE = 1


class _Stride2(layers.Layer):
    """A 5x5 convolution of stride 2, with bias, in another form."""

    def __init__(self, filters: int, **options: Any) -> None:  # noqa: ANN401 - Keras'
        super().__init__(**options)
        self.filters = filters

    def _add_weights(self, kernel: tuple[int, ...], bias: int) -> None:
        self.kernel = self.add_weight(shape=kernel, name="kernel")
        self.bias = self.add_weight(shape=(bias,), initializer="zeros", name="bias")


class MatrixTransposed(_Stride2):
    """A transposed convolution of a small map: a product, then sums of overlaps."""

    def build(self, input_shape: tuple) -> None:
        """Add weights: the kernel as `[25 * filters, C]`."""
        _, height, width, channels = input_shape
        self._add_weights((SIZE**2 * self.filters, channels), self.filters)
        self.overlaps = overlaps(height, width)

    def call(self, x: Tensor) -> Tensor:
        """Map `[B, H, W, C]` to `[B, 2H, 2W, filters]`."""
        _, height, width, channels = x.shape
        windows = ops.matmul(ops.reshape(x, (-1, channels)), ops.transpose(self.kernel))
        windows = ops.reshape(windows, (-1, self.overlaps.shape[1], self.filters))
        y = ops.matmul(ops.cast(self.overlaps, x.dtype), windows)
        return ops.reshape(y, (-1, 2 * height, 2 * width, self.filters)) + self.bias

    def weights_from(self, kernel: np.ndarray, bias: np.ndarray) -> list[np.ndarray]:
        """Rearrange `[5, 5, filters, C]` and its bias."""
        return [kernel.reshape(-1, kernel.shape[-1]), bias]


class MatrixConvolution(_Stride2):
    """A convolution to a small map: windows gathered, then a product."""

    def build(self, input_shape: tuple) -> None:
        """Add weights: the kernel as `[25 * C, filters]`."""
        _, height, width, channels = input_shape
        self._add_weights((SIZE**2 * channels, self.filters), self.filters)
        self.overlaps = np.ascontiguousarray(overlaps(height // 2, width // 2).T)

    def call(self, x: Tensor) -> Tensor:
        """Map `[B, 2H, 2W, C]` to `[B, H, W, filters]`."""
        _, height, width, channels = x.shape
        windows = ops.matmul(
            ops.cast(self.overlaps, x.dtype),
            ops.reshape(x, (-1, height * width, channels)),
        )
        windows = ops.reshape(windows, (-1, SIZE**2 * channels))
        y = ops.matmul(windows, self.kernel)
        return ops.reshape(y, (-1, height // 2, width // 2, self.filters)) + self.bias

    def weights_from(self, kernel: np.ndarray, bias: np.ndarray) -> list[np.ndarray]:
        """Rearrange `[5, 5, C, filters]` and its bias."""
        return [kernel.reshape(-1, kernel.shape[-1]), bias]


class SubPixelTransposed(_Stride2):
    """A transposed convolution to few channels: 3x3, then 2x2 blocks of pixels."""

    def build(self, input_shape: tuple) -> None:
        """Add weights: the kernel as `[3, 3, C, 4 * filters]`."""
        self._add_weights((3, 3, input_shape[-1], 4 * self.filters), 4 * self.filters)

    def call(self, x: Tensor) -> Tensor:
        """Map `[B, H, W, C]` to `[B, 2H, 2W, filters]`."""
        _, height, width, _ = x.shape
        y = ops.conv(x, self.kernel, padding="same") + self.bias
        y = ops.reshape(y, (-1, height, width, 2, 2, self.filters))
        y = ops.transpose(y, (0, 1, 3, 2, 4, 5))
        return ops.reshape(y, (-1, 2 * height, 2 * width, self.filters))

    def weights_from(self, kernel: np.ndarray, bias: np.ndarray) -> list[np.ndarray]:
        """Rearrange `[5, 5, filters, C]` and its bias."""
        # Turned round, since a transposed convolution spreads what a plain one reads.
        blocks = _blocks(kernel)[::-1, ::-1].transpose(0, 1, 5, 2, 3, 4)
        return [blocks.reshape(3, 3, kernel.shape[-1], -1), np.tile(bias, 4)]


class SubPixelConvolution(_Stride2):
    """A convolution of few channels: 2x2 blocks of pixels, then 3x3."""

    def build(self, input_shape: tuple) -> None:
        """Add weights: the kernel as `[3, 3, 4 * C, filters]`."""
        self._add_weights((3, 3, 4 * input_shape[-1], self.filters), self.filters)

    def call(self, x: Tensor) -> Tensor:
        """Map `[B, 2H, 2W, C]` to `[B, H, W, filters]`."""
        _, height, width, channels = x.shape
        x = ops.reshape(x, (-1, height // 2, 2, width // 2, 2, channels))
        x = ops.transpose(x, (0, 1, 3, 2, 4, 5))
        x = ops.reshape(x, (-1, height // 2, width // 2, 4 * channels))
        return ops.conv(x, self.kernel, padding="same") + self.bias

    def weights_from(self, kernel: np.ndarray, bias: np.ndarray) -> list[np.ndarray]:
        """Rearrange `[5, 5, C, filters]` and its bias."""
        return [_blocks(kernel).reshape(3, 3, -1, kernel.shape[-1]), bias]


@functools.lru_cache(maxsize=8)
def overlaps(height: int, width: int) -> np.ndarray:
    """Say which taps of which windows fall on which pixels.

    Args:
        height: Of the small map.
        width: Of the small map.

    Returns:
        float32 `[2H * 2W, H * W * 25]`, 1 where tap t of the window of a pixel of the
        small map falls on a pixel of the large one, else 0.
    """

    def side(length: int) -> np.ndarray:
        place = np.arange(length)[:, None] * 2 + np.arange(SIZE) - BEFORE
        return (np.arange(2 * length)[:, None, None] == place).astype(np.float32)

    both = np.einsum("yit,xju->yxijtu", side(height), side(width))
    return both.reshape(4 * height * width, -1)


def _blocks(kernel: np.ndarray) -> np.ndarray:
    """Sort the taps of a 5x5 kernel by 2x2 blocks.

    Returns:
        `[3, 3, 2, 2, *]`: block above, at and below the window's own, pixel in it.
    """
    # Tap t falls on pixel t - BEFORE of the window's block, whose pixels are 0 and 1;
    # the blocks reach from -2 to 3.
    padded = np.zeros((6, 6, *kernel.shape[2:]), kernel.dtype)
    start = 2 - BEFORE
    padded[start : start + SIZE, start : start + SIZE] = kernel
    blocks = padded.reshape(3, 2, 3, 2, *kernel.shape[2:])
    return blocks.transpose(0, 2, 1, 3, *range(4, blocks.ndim))
