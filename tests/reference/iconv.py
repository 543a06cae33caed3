"""IConv's networks at 8x8 (Hukkelås et al. 2020, figure 3) in NumPy, in float64.

`weights` has for each layer its variables by name.
"""

import numpy as np

from tests.reference.certainty_skip import merge
from tests.reference.gated_conv import convolve
from tests.reference.imputed_conv import carry_on, impute, weighted_pool


def run_generator(weights, images, known, latent):
    """Return images `[B, 8, 8, 3]`, with certainties by the official code."""

    def convolution(name, x, certainty):
        layer = weights[name]
        taps, shift = layer["imputation_kernel"][..., 0], layer["imputation_bias"]
        x = impute(x, certainty, taps, shift)
        x = leaky(convolve(x, layer["kernel"]) + layer["bias"])
        if "certainty_kernel" in layer:
            certainty = carry_on(certainty, layer["certainty_kernel"], "official")
        return pixel_norm(x), certainty

    def both(way, side, *flow):
        return convolution(f"{way}_{side}_1", *convolution(f"{way}_{side}_0", *flow))

    def to_rgb(side, x):
        layer = weights[f"to_rgb_{side}"]
        return x @ layer["kernel"][0, 0] + layer["bias"]

    skip = both("down", 8, *convolution("from_rgb", images * known, known))
    x, certainty = both("down", 4, *weighted_pool(*skip))
    x = np.concatenate([x, latent.reshape(len(x), 4, 4, -1)], axis=-1)
    x, certainty = both("up", 4, x, certainty)
    small = to_rgb(4, x)
    scalars = weights["skip_8"]
    x, certainty, _ = merge(
        *skip,
        double(x),
        double(certainty),
        beta_1=scalars["skip_weight"],
        beta_2=scalars["deep_weight"],
    )
    x, _ = both("up", 8, x, certainty)
    generated = (double(small) + to_rgb(8, x)) / 2
    return known * images + (1 - known) * np.clip(generated, -1, 1)


def run_critic(weights, image, images, known):
    """Return the values `[B, 1]` of a residual critic without a pose."""

    def convolution(name, x):
        return leaky(convolve(x, weights[name]["kernel"]) + weights[name]["bias"])

    x = np.concatenate([image, images * known, known], axis=-1)
    x = convolution("from_rgb", x)
    straight = convolve(x, weights["residual_8"]["kernel"])
    straight = straight + weights["residual_8"]["bias"]
    x = convolution("down_8_1", convolution("down_8_0", x))
    x = (x + straight) / np.sqrt(2)
    x = x.reshape(len(x), 4, 2, 4, 2, -1).mean(axis=(2, 4))
    x = convolution("last_0", x)
    # A window as large as the map: one place is left.
    last = np.tensordot(x, weights["last_1"]["kernel"], 3) + weights["last_1"]["bias"]
    return leaky(last) @ weights["value"]["kernel"] + weights["value"]["bias"]


def leaky(x):
    """LeakyReLU of slope .2."""
    return np.where(x > 0, x, 0.2 * x)


def pixel_norm(x):
    """Divide by the root mean square over the channels."""
    return x / np.sqrt(np.mean(x**2, axis=-1, keepdims=True) + 1e-7)


def double(x):
    """Repeat every pixel 2x2."""
    return x.repeat(2, axis=1).repeat(2, axis=2)
