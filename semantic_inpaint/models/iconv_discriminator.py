"""The critic of IConv (Hukkelås et al. 2020, section 3.3 and figure 3).

It sees an image, the masked image and the known map: seven channels. There is no
normalisation and no statistic of the batch, so that the score of an image never depends
on the others.
"""

from __future__ import annotations

import math

import keras
from keras import layers

from semantic_inpaint.models.iconv_generator import POSES, SMALLEST_SIDE
from semantic_inpaint.models.iconv_layers import (
    LEAKINESS,
    EmptyHole,
    fan_in_normal,
    level_widths,
    one_hot_poses,
    scalar_pose,
)

POSE_SIDE = 32
POSE_HIDDEN = 64


def build_iconv_discriminator(
    *,
    image_size: int = 64,
    model_size: int = 64,
    full_width_side: int = 8,
    num_landmarks: int = 0,
    pose: str = "scalar",
    residual: bool = True,
    gain: float = 1.0,
    dtype: str = "float32",
    seed: int = 0,
) -> keras.Model:
    """Build D: an image, beside what was known of it, to the critic's value.

    Two convolutions at each side, then the mean of 2x2 pixels; at 4x4 a last one over
    the whole map. The channels are those of the generator times sqrt(2), rounded up to
    a multiple of 8.

    Args:
        image_size: Side of the image, a power of two, 8 or more.
        model_size: As the generator's.
        full_width_side: As the generator's.
        num_landmarks: Landmarks of the pose; 0: the network has no such input.
        pose: `"scalar"` (two fully connected layers to 32x32x1, or to the whole image
            if that is smaller) or `"one-hot"` (drawn at every level: the paper's
            configs A to D).
        residual: Add to each level but the last a 1x1 convolution of its input, and
            multiply the sum of the two by sqrt(1/2) (config E).
        gain: Standard deviation of the initial weights, times sqrt(fan-in).
        dtype: Keras dtype policy of the inner layers; the output is float32.
        seed: Of the initial weights.

    Returns:
        A model of `[image, images, known]`, or `[image, images, known, landmarks]`: the
        image to judge, then the generator's inputs without the code. It gives float32
        `[B, 1]`.

    Raises:
        ValueError: A size that cannot be built, an unknown `pose`.
    """
    if pose not in POSES:
        raise ValueError(f"`pose` must be one of {', '.join(POSES)}; got {pose!r}.")
    plain = level_widths(
        image_size, model_size=model_size, full_width_side=full_width_side
    )
    widths = {side: _wider(width) for side, width in plain.items()}
    image = keras.Input((image_size, image_size, 3), name="image")
    images = keras.Input((image_size, image_size, 3), name="images")
    known = keras.Input((image_size, image_size, 1), name="known")
    inputs = [image, images, known]
    poses = {}
    if num_landmarks > 0:
        inputs.append(keras.Input((2 * num_landmarks,), name="landmarks"))
        poses = _pose(inputs[-1], pose, widths, gain, dtype, seed)

    observed = EmptyHole(dtype="float32", name="observed")([images, known])
    x = layers.Concatenate(dtype=dtype, name="judged")([image, observed, known])
    build = _Levels(gain=gain, dtype=dtype, seed=seed + 1)
    x = build.convolve(x, widths[image_size], size=1, name="from_rgb")
    for side in sorted(widths, reverse=True):
        if side in poses:
            join = layers.Concatenate(dtype=dtype, name=f"join_{side}")
            x = join([x, poses[side]])
        if side > SMALLEST_SIDE:
            x = build.level(x, side, widths, residual=residual)
    x = build.convolve(x, x.shape[-1], size=3, name="last_0")
    x = build.convolve(x, widths[SMALLEST_SIDE], size=4, name="last_1", padding="valid")
    x = layers.Flatten(dtype=dtype, name="flatten")(x)
    value = layers.Dense(
        1, kernel_initializer=build.initializer(), dtype="float32", name="value"
    )(x)
    return keras.Model(inputs, value, name="iconv_discriminator")


class _Levels:
    """Makes the layers of the critic, each with a seed of its own."""

    def __init__(self, *, gain: float, dtype: str, seed: int) -> None:
        self._gain = gain
        self.dtype = dtype
        self._next_seed = 1000 * seed + 500

    def initializer(self) -> keras.initializers.Initializer:
        self._next_seed += 1
        return fan_in_normal(self._next_seed, gain=self._gain)

    def convolve(
        self,
        x: keras.KerasTensor,
        filters: int,
        *,
        size: int,
        name: str,
        padding: str = "same",
    ) -> keras.KerasTensor:
        x = layers.Conv2D(
            filters,
            size,
            padding=padding,
            kernel_initializer=self.initializer(),
            dtype=self.dtype,
            name=name,
        )(x)
        return layers.LeakyReLU(LEAKINESS, dtype=self.dtype, name=f"{name}_leaky")(x)

    def level(
        self, x: keras.KerasTensor, side: int, widths: dict[int, int], *, residual: bool
    ) -> keras.KerasTensor:
        below = widths[side // 2]
        y = self.convolve(x, x.shape[-1], size=3, name=f"down_{side}_0")
        y = self.convolve(y, below, size=3, name=f"down_{side}_1")
        if residual:
            straight = layers.Conv2D(
                below,
                1,
                kernel_initializer=self.initializer(),
                dtype=self.dtype,
                name=f"residual_{side}",
            )(x)
            y = layers.Add(dtype=self.dtype, name=f"add_{side}")([y, straight])
            # The sum of two, at the scale of one.
            rescale = layers.Rescaling(
                math.sqrt(0.5), dtype=self.dtype, name=f"scale_{side}"
            )
            y = rescale(y)
        return layers.AveragePooling2D(2, dtype=self.dtype, name=f"shrink_{side}")(y)


def _pose(
    landmarks: keras.KerasTensor,
    pose: str,
    widths: dict[int, int],
    gain: float,
    dtype: str,
    seed: int,
) -> dict[int, keras.KerasTensor]:
    """Features of the pose, by the side at which they join."""
    if pose == "one-hot":
        return one_hot_poses(landmarks, widths, dtype=dtype)
    side = min(POSE_SIDE, max(widths))
    features = scalar_pose(
        landmarks,
        hidden=POSE_HIDDEN,
        shape=(side, side, 1),
        gain=gain,
        dtype=dtype,
        seed=1000 * seed + 950,
    )
    return {side: features}


def _wider(width: int) -> int:
    """Sqrt(2) times as many channels, rounded up to a multiple of 8."""
    return 8 * math.ceil(width * math.sqrt(2.0) / 8)
