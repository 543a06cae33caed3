"""The U-Net of partial convolutions (Liu et al. 2018, table 2), and two twins of it.

The twins differ in the convolution alone: a plain one, as in the paper's own baseline,
and a gated one (Yu et al. 2019). So a comparison of the three tells of the layer, and
not of depth, loss or schedule.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import keras
from keras import initializers, layers, ops

from semantic_inpaint.models.gated_conv import GatedConv2D
from semantic_inpaint.models.partial_conv import PartialConv2D

LEAKINESS = 0.2
DEEPEST_SIDE = 2
SMALLEST_SIZE = 8
FIRST_KERNELS = (7, 5, 5)
WIDEST = 8
# PyTorch's defaults, in which the paper's network was written.
MOMENTUM, EPSILON = 0.9, 1e-5


class UNetRow(NamedTuple):
    """One convolution, as a row of table 2 of Liu et al. describes it.

    Attributes:
        filters: Channels of its result.
        kernel_size: Side of its window.
        strides: Its step.
        skip: None in the encoder. In the decoder the map is first doubled in size and
            joined with the result of this row, counted from 1; 0 is the input.
        normalised: Whether batch normalisation follows.
        activation: What follows then: `"relu"`, `"leaky_relu"` or None.
    """

    filters: int
    kernel_size: int
    strides: int
    skip: int | None
    normalised: bool
    activation: str | None


class FrozenBatchNormalization(layers.BatchNormalization):
    """Normalise by the running statistics, and leave them alone, in training too."""

    def call(self, inputs: keras.KerasTensor, **_: object) -> keras.KerasTensor:
        """Normalise `[B, H, W, C]`."""
        return super().call(inputs, training=False)


def plan_unet(*, image_size: int = 512, width: int = 64) -> list[UNetRow]:
    """List the convolutions of the network: table 2, and its rule at other sizes.

    The encoder halves the side until 2 are left, eight times from 512; its channels are
    `width` times 1, 2, 4, 8, 8, ... and its windows 7, 5, 5, 3, 3, ... wide.

    Args:
        image_size: Side of the images that the network is meant for, a power of two,
            8 or more.
        width: Channels of the first row, 64 in the paper.

    Raises:
        ValueError: Another size, or no channels.
    """
    if image_size < SMALLEST_SIZE or image_size.bit_count() != 1 or width < 1:
        raise ValueError(
            "`image_size` must be a power of two, 8 or more, and `width` 1 or more; "
            f"got {image_size} and {width}."
        )
    levels = (image_size // DEEPEST_SIDE).bit_length() - 1
    filters = [width * min(2**level, WIDEST) for level in range(levels)]
    kernels = [*FIRST_KERNELS, *[3] * levels]
    encoder = [
        UNetRow(filters[level], kernels[level], 2, None, level > 0, "relu")
        for level in range(levels)
    ]
    decoder = [
        UNetRow(filters[skip - 1], 3, 1, skip, True, "leaky_relu")
        for skip in range(levels - 1, 0, -1)
    ]
    return [*encoder, *decoder, UNetRow(3, 3, 1, 0, False, None)]


def build_pconv_unet(
    *,
    image_size: int = 64,
    width: int = 64,
    frozen_encoder: bool = False,
    dtype: str = "float32",
    seed: int = 0,
) -> keras.Model:
    """Build the network of partial convolutions (table 2 of Liu et al.).

    Args:
        image_size: What `plan_unet` lays the network out for; images may have any sides
            that can be halved as often.
        width: Channels of the first row.
        frozen_encoder: Normalise the encoder by its running statistics in training too;
            the variables are the same, in the same order.
        dtype: Keras dtype policy of the inner layers; the output is float32.
        seed: Of the initial weights.

    Returns:
        A model of `[images, known]`, float32 `[B, H, W, 3]` in [-1, 1] and `[B, H, W,
        1]` of 0 and 1, `-> [B, H, W, 3]`, float32. What stands in the hole is never
        read. The last row has no activation: the images are near [-1, 1], not cut off.

    Raises:
        ValueError: A size that `plan_unet` refuses.
    """
    plan = plan_unet(image_size=image_size, width=width)
    images, known, observed = open_unet()
    finish = _finisher(frozen_encoder, dtype)
    results = [(observed, known)]
    features, validity = observed, known
    for number, row in enumerate(plan, 1):
        groups = None
        if row.skip is not None:
            skip, skip_validity = results[row.skip]
            features = _join(features, skip, number, dtype)
            groups = (features.shape[-1] - skip.shape[-1], skip.shape[-1])
            # Counted, so never in half precision.
            validity = _join(validity, skip_validity, f"{number}_validity", "float32")
        features, validity = PartialConv2D(
            row.filters,
            row.kernel_size,
            strides=row.strides,
            use_bias=not row.normalised,
            groups=groups,
            kernel_initializer=_he_normal(seed, number),
            dtype=dtype,
            name=f"pconv_{number}",
        )((features, validity))
        features = finish(features, number, row)
        results.append((features, validity))
    return keras.Model([images, known], close_unet(features), name="pconv_unet")


def build_conv_unet(
    *,
    image_size: int = 64,
    width: int = 64,
    frozen_encoder: bool = False,
    dtype: str = "float32",
    seed: int = 0,
) -> keras.Model:
    """Build the twin of plain convolutions ("Conv" in section 4.3 of Liu et al.).

    The hole holds 0, the grey 127.5 of figure 2e. What the partial convolutions know,
    this network is told: the known pixels are one more channel of its input.

    Args and Returns: see `build_pconv_unet`.
    """

    def convolve(row: UNetRow, number: int) -> Callable:
        # At a step of 2, "same" is the mirror image of PyTorch's padding.
        return layers.Conv2D(
            row.filters,
            row.kernel_size,
            strides=row.strides,
            padding="same",
            use_bias=not row.normalised,
            kernel_initializer=_he_normal(seed, number),
            dtype=dtype,
            name=f"conv_{number}",
        )

    plan = plan_unet(image_size=image_size, width=width)
    return _build_twin("conv", plan, convolve, frozen_encoder, dtype)


def build_gated_unet(
    *,
    image_size: int = 64,
    width: int = 64,
    frozen_encoder: bool = False,
    dtype: str = "float32",
    seed: int = 0,
) -> keras.Model:
    """Build the twin of gated convolutions (Yu et al. 2019, equation 3).

    It has twice the weights at the same `width`. As in the plain twin, the known pixels
    are one more channel of the input.

    Args and Returns: see `build_pconv_unet`.
    """

    def convolve(row: UNetRow, number: int) -> Callable:
        return GatedConv2D(
            row.filters,
            row.kernel_size,
            strides=row.strides,
            kernel_initializer=_he_normal(seed, number),
            dtype=dtype,
            name=f"gated_{number}",
        )

    plan = plan_unet(image_size=image_size, width=width)
    return _build_twin("gated", plan, convolve, frozen_encoder, dtype)


UNETS: dict[str, Callable[..., keras.Model]] = {
    "pconv": build_pconv_unet,
    "conv": build_conv_unet,
    "gated": build_gated_unet,
}
"""The networks by the name of their layer."""


def _build_twin(
    kind: str,
    plan: list[UNetRow],
    convolve: Callable[[UNetRow, int], Callable],
    frozen_encoder: bool,
    dtype: str,
) -> keras.Model:
    images, known, observed = open_unet()
    finish = _finisher(frozen_encoder, dtype)
    features = layers.Concatenate(name="input")([observed, known])
    results = [features]
    for number, row in enumerate(plan, 1):
        if row.skip is not None:
            features = _join(features, results[row.skip], number, dtype)
        features = finish(convolve(row, number)(features), number, row)
        results.append(features)
    return keras.Model([images, known], close_unet(features), name=f"{kind}_unet")


def open_unet() -> tuple[keras.KerasTensor, keras.KerasTensor, keras.KerasTensor]:
    """Make the inputs of images and known, and the images with 0 in the hole."""
    images = keras.Input((None, None, 3), name="images")
    known = keras.Input((None, None, 1), name="known")
    # A choice and no product: a hole of NaN would survive the product.
    return images, known, ops.where(known > 0.5, images, 0.0)


def close_unet(features: keras.KerasTensor) -> keras.KerasTensor:
    """Make the output of the last row's result, in float32."""
    return layers.Activation("linear", dtype="float32", name="image")(features)


def _join(
    deep: keras.KerasTensor, skip: keras.KerasTensor, name: int | str, dtype: str
) -> keras.KerasTensor:
    """Double the side of the deeper map, and put the other beside it."""
    up = layers.UpSampling2D(2, interpolation="nearest", dtype=dtype, name=f"up_{name}")
    return layers.Concatenate(dtype=dtype, name=f"join_{name}")([up(deep), skip])


def _finisher(frozen_encoder: bool, dtype: str) -> Callable:
    """Make what follows a convolution: its normalisation and its activation."""

    def finish(x: keras.KerasTensor, number: int, row: UNetRow) -> keras.KerasTensor:
        if row.normalised:
            frozen = frozen_encoder and row.skip is None
            norm = FrozenBatchNormalization if frozen else layers.BatchNormalization
            x = norm(
                momentum=MOMENTUM, epsilon=EPSILON, dtype=dtype, name=f"norm_{number}"
            )(x)
        if row.activation is not None:
            slope = LEAKINESS if row.activation == "leaky_relu" else 0.0
            x = layers.ReLU(
                negative_slope=slope, dtype=dtype, name=f"{row.activation}_{number}"
            )(x)
        return x

    return finish


def _he_normal(seed: int, number: int) -> initializers.Initializer:
    """As He et al. (2015), reference 33 of the paper; one seed a layer."""
    return initializers.HeNormal(seed=1000 * (seed + 3) + number)
