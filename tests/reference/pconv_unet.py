"""Table 2 of Liu et al. (2018), and a U-Net of partial convolutions in NumPy."""

import numpy as np

# Name, window, filters, step, batch normalisation, nonlinearity; what is concatenated.
ENCODER = (
    ("PConv1", 7, 64, 2, False, "ReLU"),
    ("PConv2", 5, 128, 2, True, "ReLU"),
    ("PConv3", 5, 256, 2, True, "ReLU"),
    ("PConv4", 3, 512, 2, True, "ReLU"),
    ("PConv5", 3, 512, 2, True, "ReLU"),
    ("PConv6", 3, 512, 2, True, "ReLU"),
    ("PConv7", 3, 512, 2, True, "ReLU"),
    ("PConv8", 3, 512, 2, True, "ReLU"),
)
DECODER = (
    ((512, 512), ("PConv9", 3, 512, 1, True, "LeakyReLU(0.2)")),
    ((512, 512), ("PConv10", 3, 512, 1, True, "LeakyReLU(0.2)")),
    ((512, 512), ("PConv11", 3, 512, 1, True, "LeakyReLU(0.2)")),
    ((512, 512), ("PConv12", 3, 512, 1, True, "LeakyReLU(0.2)")),
    ((512, 256), ("PConv13", 3, 256, 1, True, "LeakyReLU(0.2)")),
    ((256, 128), ("PConv14", 3, 128, 1, True, "LeakyReLU(0.2)")),
    ((128, 64), ("PConv15", 3, 64, 1, True, "LeakyReLU(0.2)")),
    ((64, 3), ("PConv16", 3, 3, 1, False, "-")),
)


def partial_convolution(features, validity, kernel, bias, stride):
    """Equations 1 and 2 for one image, with a validity `[H, W, C]` of every channel."""
    side = kernel.shape[0]
    edge = ((side // 2,) * 2, (side // 2,) * 2, (0, 0))
    x = np.pad(np.where(validity > 0, features, 0.0), edge)
    m = np.pad(validity, edge)
    rows = range(0, x.shape[0] - side + 1, stride)
    columns = range(0, x.shape[1] - side + 1, stride)
    outputs = np.zeros((len(rows), len(columns), kernel.shape[-1]))
    valid = np.zeros((len(rows), len(columns), 1))
    for i, top in enumerate(rows):
        for j, left in enumerate(columns):
            window = np.s_[top : top + side, left : left + side]
            if m[window].sum() > 0:
                scale = m[window].size / m[window].sum()
                product = np.tensordot(x[window], kernel, 3)
                outputs[i, j] = product * scale + bias
                valid[i, j] = 1.0
    return outputs, valid


def run_unet(image, known, weights, steps):
    """Run the network on one image with its running statistics.

    `weights` has for each convolution a kernel, a bias or None, and gamma, beta, mean
    and variance or None; `steps` the step of each, 2 in the encoder.
    """
    results = [(image, np.repeat(known[..., None], 3, axis=-1))]
    x, validity = results[0]
    depth = steps.count(2)
    for number, ((kernel, bias, norm), step) in enumerate(
        zip(weights, steps, strict=True)
    ):
        if step == 1:
            skip, skip_validity = results[2 * depth - number - 1]
            doubled = (a.repeat(2, axis=0).repeat(2, axis=1) for a in (x, validity))
            x, validity = (
                np.concatenate(pair, axis=-1)
                for pair in zip(doubled, (skip, skip_validity), strict=True)
            )
        shift = 0.0 if bias is None else bias
        x, valid = partial_convolution(x, validity, kernel, shift, step)
        validity = np.repeat(valid, x.shape[-1], axis=-1)
        if norm is not None:
            gamma, beta, mean, variance = norm
            x = (x - mean) / np.sqrt(variance + 1e-5) * gamma + beta
        if number < len(weights) - 1:
            x = np.where(x > 0, x, (0.0 if step == 2 else 0.2) * x)
        results.append((x, validity))
    return x
