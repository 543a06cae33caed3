"""Convolutions by the definition, and the gated one of Yu et al. (2019), in float64."""

import numpy as np


def convolve(features, kernel, *, stride=1):
    """Convolve `[B, H, W, C]` with `[k, k, C, F]`, zeros beyond the border.

    Windows lie as in TensorFlow's "same": what a side lacks is added half before and
    half behind, the odd one behind.
    """
    batch, height, width, _ = features.shape
    starts = [_starts(n, kernel.shape[0], stride) for n in (height, width)]
    outputs = np.zeros((batch, len(starts[0]), len(starts[1]), kernel.shape[-1]))
    for i, top in enumerate(starts[0]):
        for j, left in enumerate(starts[1]):
            for y, x in np.ndindex(kernel.shape[:2]):
                row, column = top + y, left + x
                if 0 <= row < height and 0 <= column < width:
                    outputs[:, i, j] += features[:, row, column] @ kernel[y, x]
    return outputs


def gated_conv(features, kernel, bias, *, stride=1):
    """Return ELU of the first half of the filters, times sigmoid of the second."""
    both = convolve(features, kernel, stride=stride) + bias
    values, gate = np.split(both, 2, axis=-1)
    values = np.where(values > 0, values, np.exp(np.minimum(values, 0)) - 1)
    return values / (1 + np.exp(-gate))


def _starts(length, side, stride):
    count = -(-length // stride)
    lacking = max(0, (count - 1) * stride + side - length)
    return [stride * place - lacking // 2 for place in range(count)]
