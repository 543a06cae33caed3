"""The partial convolution of Liu et al. (2018), place by place, in float64."""

import numpy as np


def partial_conv(features, validity, kernel, bias, *, stride=1):
    """Return features and validity after eq. 1 and 2.

    `validity` has as many channels as the features. Windows are cut off at the border:
    no padding is ever written down, so that what lies beyond cannot count.
    """
    batch, height, width, channels = features.shape
    side, filters = kernel.shape[0], kernel.shape[-1]
    reach = side // 2
    rows, columns = range(0, height, stride), range(0, width, stride)
    outputs = np.zeros((batch, len(rows), len(columns), filters))
    valid = np.zeros((batch, len(rows), len(columns), 1))
    for image in range(batch):
        for i, row in enumerate(rows):
            for j, column in enumerate(columns):
                total, seen = np.zeros(filters), 0
                for y in range(max(0, row - reach), min(height, row + reach + 1)):
                    for x in range(
                        max(0, column - reach), min(width, column + reach + 1)
                    ):
                        tap = kernel[y - row + reach, x - column + reach]
                        for channel in range(channels):
                            if validity[image, y, x, channel]:
                                total += features[image, y, x, channel] * tap[channel]
                                seen += 1
                if seen:
                    outputs[image, i, j] = (
                        total * (side * side * channels / seen) + bias
                    )
                    valid[image, i, j] = 1.0
    return outputs, valid
