"""The discriminators of PConv-GAN (Lundgren, Bolin & Jersch 2018, table 2).

One sees the whole image, one its left third, one the other two thirds; a dense layer
makes one score of their three answers (section 4.3, after Iizuka et al. 2017).
"""

from __future__ import annotations

import functools
import itertools
from collections.abc import Iterator

import keras
from keras import initializers, layers

# Table 2: filters as multiples of the first layer's (32); the last is global only.
MULTIPLES = (1, 2, 2, 4, 4)
LOCAL_LAYERS = 4


def build_pconv_gan_discriminator(
    *,
    image_size: int = 128,
    width: int = 32,
    units: int = 512,
    local: bool = True,
    dtype: str = "float32",
    seed: int = 0,
) -> keras.Model:
    """Build D: an image to the logit of "this is a real image".

    Nothing is normalised over the batch, so that a score depends on its image alone.

    Args:
        image_size: Side of the image, 8 or more.
        width: Filters of the first convolutions; 32 in the paper.
        units: Of each discriminator's dense layer; the paper gives no number.
        local: Have the two local discriminators; without them the dense layer that
            fuses sees the global one alone, as in the paper's ablation.
        dtype: Keras dtype policy of the inner layers; the output is float32.
        seed: Of the initial weights.

    Returns:
        A model `[B, image_size, image_size, 3] in [-1, 1] -> [B, 1]`, float32.

    Raises:
        ValueError: `image_size` is under 8.
    """
    if image_size < 8:
        raise ValueError(
            f"`image_size` must be 8 or more, for a left third; got {image_size}."
        )
    initial = _initializers(seed + 1)
    image = keras.Input((image_size, image_size, 3), name="image")

    judge = functools.partial(
        _judge, width=width, units=units, initial=initial, dtype=dtype
    )
    answers = judge(image, "global", len(MULTIPLES))
    if local:
        third = left_third(image_size)
        parts = (("left", (0, image_size - third)), ("right", (third, 0)))
        cropped = [
            judge(
                layers.Cropping2D(((0, 0), columns), dtype=dtype, name=name)(image),
                name,
                LOCAL_LAYERS,
            )
            for name, columns in parts
        ]
        answers = layers.Concatenate(dtype=dtype, name="answers")([answers, *cropped])
    logit = layers.Dense(
        1, kernel_initializer=next(initial), dtype="float32", name="logit"
    )(answers)
    return keras.Model(image, logit, name="discriminator")


def left_third(width: int) -> int:
    """Columns that the left discriminator sees."""
    return round(width / 3)


def _initializers(seed: int) -> Iterator[initializers.Initializer]:
    """One initialiser for each layer in turn, each with a seed of its own."""
    for layer in itertools.count():
        yield initializers.HeNormal(seed=1000 * seed + layer)


def _judge(
    x: keras.KerasTensor,
    name: str,
    num_layers: int,
    *,
    width: int,
    units: int,
    initial: Iterator[initializers.Initializer],
    dtype: str,
) -> keras.KerasTensor:
    """Add one discriminator: convolutions of stride 2, then a dense layer."""
    for level, multiple in enumerate(MULTIPLES[:num_layers], start=1):
        x = layers.Conv2D(
            multiple * width,
            5,
            strides=2,
            padding="same",
            activation="relu",
            kernel_initializer=next(initial),
            dtype=dtype,
            name=f"{name}_conv_{level}",
        )(x)
    x = layers.Flatten(dtype=dtype, name=f"{name}_flatten")(x)
    return layers.Dense(
        units,
        activation="relu",
        kernel_initializer=next(initial),
        dtype=dtype,
        name=f"{name}_dense",
    )(x)
