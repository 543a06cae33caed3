"""PConv-GAN's generator (Lundgren et al. 2018, table 1) in NumPy, for one image."""

import numpy as np

from tests.reference.pconv_unet import partial_convolution


def run_pconv_gan(image, known, weights, *, levels):
    """Run the network on one image with its running statistics.

    `weights` has for each convolution a kernel, a bias or None, and gamma, beta, mean
    and variance or None: `levels` that halve the side, as many that double it, and one
    of 1 x 1. Validities have a channel for each of the features'.
    """
    x, validity = image, np.repeat(known[..., None], 3, axis=-1)
    skips = []
    for layer in weights[:levels]:
        skips.append((x, validity))
        x, validity = _partial(x, validity, layer, stride=2)
        x = np.maximum(_normalise(x, layer), 0.0)
    for layer in weights[levels:-1]:
        shallow = skips.pop()
        x, validity = (
            np.concatenate([deep.repeat(2, axis=0).repeat(2, axis=1), skip], axis=-1)
            for deep, skip in zip((x, validity), shallow, strict=True)
        )
        x, validity = _partial(x, validity, layer, stride=1)
        x = _normalise(x, layer)
        x = np.where(x > 0, x, 0.2 * x)
    x, _ = _partial(x, validity, weights[-1], stride=1)
    # The paper's sigmoid is a share of [0, 1]; images are in [-1, 1].
    return 2.0 / (1.0 + np.exp(-x)) - 1.0


def _partial(x, validity, layer, *, stride):
    kernel, bias, _ = layer
    shift = 0.0 if bias is None else bias
    x, valid = partial_convolution(x, validity, kernel, shift, stride)
    return x, np.repeat(valid, x.shape[-1], axis=-1)


def _normalise(x, layer):
    _, _, norm = layer
    if norm is None:
        return x
    gamma, beta, mean, variance = norm
    return (x - mean) / np.sqrt(variance + 1e-5) * gamma + beta
