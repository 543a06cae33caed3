"""The DCGAN of Yeh et al. (2017) and Malesevic et al. (section 3.2).

After Radford et al. (2016): strided 5x5 convolutions, batch normalisation, ReLU in
the generator, LeakyReLU in the discriminator. Images are in [-1, 1]; the latent code
is uniform in [-1, 1]^latent_dim.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator

import keras
from keras import initializers, layers

LEAKINESS = 0.2
INITIAL_STDDEV = 0.02


def build_generator(
    *,
    image_size: int = 64,
    latent_dim: int = 100,
    base_width: int = 1024,
    dtype: str = "float32",
    seed: int = 0,
) -> keras.Model:
    """Build G: a code to an image, from 4x4 up by factors of two.

    Args:
        image_size: Side of the image, a power of two, 8 or more.
        latent_dim: Length of the code.
        base_width: Channels at 4x4, halved at every doubling of the side: 1024 in
            the papers, 512 in our slim network.
        dtype: Keras dtype policy of the inner layers; the output is float32.
        seed: Of the initial weights.

    Returns:
        A model `[B, latent_dim] -> [B, image_size, image_size, 3]` in [-1, 1].

    Raises:
        ValueError: `image_size` is not a power of two of 8 or more, or `base_width`
            cannot be halved often enough.
    """
    doublings = _doublings(image_size)
    if base_width % 2 ** (doublings - 1):
        raise ValueError(
            f"`base_width` must be divisible by {2 ** (doublings - 1)} for "
            f"{image_size}x{image_size} images; got {base_width}."
        )
    initial = _initializers(seed)
    code = keras.Input((latent_dim,), name="code")
    x = layers.Dense(
        16 * base_width,
        use_bias=False,
        kernel_initializer=next(initial),
        dtype=dtype,
        name="project",
    )(code)
    x = layers.Reshape((4, 4, base_width), dtype=dtype, name="reshape")(x)
    x = _batch_norm_relu(x, "4x4", dtype)
    for level in range(1, doublings):
        side = 4 * 2**level
        x = layers.Conv2DTranspose(
            base_width // 2**level,
            5,
            strides=2,
            padding="same",
            use_bias=False,
            kernel_initializer=next(initial),
            dtype=dtype,
            name=f"deconv_{side}",
        )(x)
        x = _batch_norm_relu(x, f"{side}x{side}", dtype)
    x = layers.Conv2DTranspose(
        3,
        5,
        strides=2,
        padding="same",
        kernel_initializer=next(initial),
        dtype=dtype,
        name=f"deconv_{image_size}",
    )(x)
    image = layers.Activation("tanh", dtype="float32", name="image")(x)
    return keras.Model(code, image, name="generator")


def build_discriminator(
    *,
    image_size: int = 64,
    width: int = 64,
    normalization: str = "batch",
    dtype: str = "float32",
    seed: int = 0,
) -> keras.Model:
    """Build D: an image to the logit of "this is a real image".

    Args:
        image_size: Side of the image, a power of two, 8 or more.
        width: Channels after the first convolution, doubled at every halving of the
            side down to 4x4: 64 in the papers.
        normalization: `"batch"` (the papers; not in the first layer) or `"none"`.
            Without it, the score of an image never depends on its batch.
        dtype: Keras dtype policy of the inner layers; the output is float32.
        seed: Of the initial weights.

    Returns:
        A model `[B, image_size, image_size, 3] in [-1, 1] -> [B, 1]`, float32.

    Raises:
        ValueError: A size that is no power of two, or an unknown normalisation.
    """
    if normalization not in ("batch", "none"):
        raise ValueError(
            f"`normalization` must be 'batch' or 'none'; got {normalization!r}."
        )
    batch_norm = normalization == "batch"
    # Without normalisation the scale of the activations is the initialiser's task.
    initial = _initializers(seed + 1, keep_scale=not batch_norm)
    image = keras.Input((image_size, image_size, 3), name="image")
    x = image
    for level in range(_doublings(image_size)):
        side = image_size // 2 ** (level + 1)
        normalise = batch_norm and level > 0
        x = layers.Conv2D(
            width * 2**level,
            5,
            strides=2,
            padding="same",
            use_bias=not normalise,
            kernel_initializer=next(initial),
            dtype=dtype,
            name=f"conv_{side}",
        )(x)
        if normalise:
            x = layers.BatchNormalization(
                momentum=0.9, epsilon=1e-5, dtype=dtype, name=f"norm_{side}"
            )(x)
        x = layers.LeakyReLU(LEAKINESS, dtype=dtype, name=f"leaky_{side}")(x)
    x = layers.Flatten(dtype=dtype, name="flatten")(x)
    logit = layers.Dense(
        1, kernel_initializer=next(initial), dtype="float32", name="logit"
    )(x)
    return keras.Model(image, logit, name="discriminator")


def _batch_norm_relu(x: keras.KerasTensor, name: str, dtype: str) -> keras.KerasTensor:
    x = layers.BatchNormalization(
        momentum=0.9, epsilon=1e-5, dtype=dtype, name=f"norm_{name}"
    )(x)
    return layers.ReLU(dtype=dtype, name=f"relu_{name}")(x)


def _initializers(
    seed: int, *, keep_scale: bool = False
) -> Iterator[initializers.Initializer]:
    """One initialiser for each layer in turn, each with a seed of its own."""
    for layer in itertools.count():
        layer_seed = 1000 * seed + layer
        if keep_scale:
            yield initializers.HeNormal(seed=layer_seed)
        else:
            yield initializers.TruncatedNormal(stddev=INITIAL_STDDEV, seed=layer_seed)


def _doublings(image_size: int) -> int:
    """How often 4 is doubled to give `image_size`."""
    doublings = image_size.bit_length() - 3
    if image_size < 8 or 4 * 2**doublings != image_size:
        raise ValueError(
            f"`image_size` must be a power of two, 8 or more; got {image_size}."
        )
    return doublings
