"""Small layers and sizes of IConv's networks (Hukkelås et al. 2020)."""

from __future__ import annotations

import math
from collections.abc import Iterable
from typing import Any

import keras
from keras import initializers, layers, ops

from semantic_inpaint.backend import Tensor

LEAKINESS = 0.2
PIXEL_NORM_EPSILON = 1e-7


class PixelNorm(layers.Layer):
    """Divide each pixel's features by their root mean square (Karras et al. 2018, 4.2).

    Input and output: float `[B, H, W, C]`.
    """

    def call(self, features: Tensor) -> Tensor:
        """Normalise; the mean is taken in float32."""
        exact = ops.cast(features, "float32")
        power = ops.mean(ops.square(exact), axis=-1, keepdims=True)
        exact = exact * ops.rsqrt(power + PIXEL_NORM_EPSILON)
        return ops.cast(exact, self.compute_dtype)


class EmptyHole(layers.Layer):
    """Overwrite the hole with 0, so that nothing after it can read what stood there.

    Called as `layer([images, known])`; float32 `[B, H, W, 3]`, as the images.
    """

    def call(self, inputs: list[Tensor]) -> Tensor:
        """Choose, and do not multiply: a hole of NaN would survive the product."""
        images, known = inputs
        return ops.where(known > 0.5, images, 0.0)


class OutputConstraint(layers.Layer):
    """Put the known pixels back (eq. 12), and keep images in [-1, 1] when not training.

    The sum of the RGB outputs has no bounds. In training none are set: a clipped pixel
    would have no gradient to lead it back.

    Called as `layer([generated, observed, known])`, float32.

    Args:
        constrain: Whether eq. 12 applies; without it the known pixels are generated.
        options: Of `keras.layers.Layer`.
    """

    def __init__(self, *, constrain: bool = True, **options: Any) -> None:  # noqa: ANN401
        """Keep the options."""
        super().__init__(**options)
        self.constrain = constrain

    def call(self, inputs: list[Tensor], training: bool = False) -> Tensor:
        """Composite, with the known pixels exact to the bit."""
        generated, observed, known = inputs
        if not training:
            generated = ops.clip(generated, -1.0, 1.0)
        if not self.constrain:
            return generated
        return ops.where(known > 0.5, observed, generated)

    def get_config(self) -> dict[str, Any]:
        """Return the options, for `from_config`."""
        return {**super().get_config(), "constrain": self.constrain}


class OneHotPose(layers.Layer):
    """Landmarks as images: one channel for each, 1 at its pixel and 0 elsewhere.

    This is the pose of the paper's configs A and B. Input: float `[B, 2 L]`, x and y of
    each landmark in turn as shares of the side; those beyond the border are drawn at
    it. Output: `[B, side, side, L]`.

    Args:
        side: H and W.
        options: Of `keras.layers.Layer`.
    """

    def __init__(self, side: int, **options: Any) -> None:  # noqa: ANN401 - Keras'
        """Keep the options."""
        # In bfloat16 a landmark could move to the pixel beside its own.
        super().__init__(autocast=False, **options)
        self.side = side

    def call(self, landmarks: Tensor) -> Tensor:
        """Draw each landmark in a channel of its own."""
        points = ops.reshape(landmarks, (-1, landmarks.shape[-1] // 2, 2))
        places = ops.cast(ops.floor(points * self.side), "int32")
        places = ops.clip(places, 0, self.side - 1)
        hot = ops.one_hot(places, self.side, dtype=self.compute_dtype)
        # [B, L, H, 1] and [B, L, 1, W], then the landmarks last.
        drawn = hot[:, :, 1, :, None] * hot[:, :, 0, None, :]
        return ops.transpose(drawn, (0, 2, 3, 1))

    def get_config(self) -> dict[str, Any]:
        """Return the options, for `from_config`."""
        return {**super().get_config(), "side": self.side}


def one_hot_poses(
    landmarks: keras.KerasTensor, sides: Iterable[int], *, dtype: str
) -> dict[int, keras.KerasTensor]:
    """Draw the landmarks at every side: `[B, side, side, L]` by side."""
    return {
        side: OneHotPose(side, dtype=dtype, name=f"pose_{side}")(landmarks)
        for side in sides
    }


def scalar_pose(
    landmarks: keras.KerasTensor,
    *,
    hidden: int,
    shape: tuple[int, int, int],
    gain: float = 1.0,
    dtype: str,
    seed: int,
) -> keras.KerasTensor:
    """Turn landmarks into features by two fully connected layers (section 3.3).

    Args:
        landmarks: `[B, 2 L]` in [0, 1].
        hidden: Units between the two layers.
        shape: H, W and C of the features.
        gain: Of the initial weights.
        dtype: Keras dtype policy.
        seed: Of the initial weights.

    Returns:
        `[B, *shape]`.
    """
    x = layers.Rescaling(2.0, offset=-1.0, dtype=dtype, name="pose_rescale")(landmarks)
    for number, units in enumerate((hidden, math.prod(shape))):
        x = layers.Dense(
            units,
            kernel_initializer=fan_in_normal(10 * seed + number, gain=gain),
            dtype=dtype,
            name=f"pose_dense_{number}",
        )(x)
        x = layers.LeakyReLU(LEAKINESS, dtype=dtype, name=f"pose_leaky_{number}")(x)
    return layers.Reshape(shape, dtype=dtype, name="pose_features")(x)


def fan_in_normal(seed: int, *, gain: float = 1.0) -> initializers.Initializer:
    """Draw normal weights of standard deviation gain / sqrt(fan-in), not truncated.

    With Adam's steps in the same unit (`training.iconv`), this is the equalised
    learning rate of Karras et al. 2018, section 4.1.
    """
    return initializers.VarianceScaling(
        gain**2, "fan_in", "untruncated_normal", seed=seed
    )


def level_widths(
    image_size: int, *, model_size: int, full_width_side: int
) -> dict[int, int]:
    """Channels at each side of a feature map, from 4 up to that of the image.

    Args:
        image_size: Side of the image.
        model_size: Channels up to `full_width_side`, halved at each doubling above it.
        full_width_side: 32 in the paper.

    Returns:
        Channels by side, the smallest side first.

    Raises:
        ValueError: A side that is no power of two, or channels that cannot be halved.
    """
    sides = {"image_size": (image_size, 8), "full_width_side": (full_width_side, 4)}
    for name, (side, least) in sides.items():
        if side < least or side.bit_count() != 1:
            raise ValueError(
                f"`{name}` must be a power of two, {least} or more; got {side}."
            )
    halvings = max(1, image_size // full_width_side)
    if model_size < 1 or model_size % halvings:
        raise ValueError(
            f"`model_size` must be divisible by {halvings} for images of side "
            f"{image_size} that are at full width up to {full_width_side}; got "
            f"{model_size}."
        )
    widths, side = {}, 4
    while side <= image_size:
        widths[side] = model_size // max(1, side // full_width_side)
        side *= 2
    return widths
