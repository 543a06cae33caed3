"""The generator of PConv-GAN (Lundgren, Bolin & Jersch 2018, section 4.2, table 1).

A U-Net of eleven partial convolutions: five halve the side, five double it beside the
features that the encoder had there, the masked image itself last, and one of 1 x 1
gives the image. Where paper and table leave a choice, see `docs/decisions/0021`.
"""

from __future__ import annotations

import dataclasses

import keras
from keras import initializers, layers, ops

from semantic_inpaint.models.partial_conv import PartialConv2D

LEAKINESS = 0.2
SMALLEST_SIDE = 2
CONVOLUTIONS = ("partial", "plain")

# Table 1: kernel and filters, these as multiples of the first layer's (64).
ENCODER = ((5, 1), (5, 2), (3, 4), (3, 4), (3, 4))
DECODER = ((3, 4), (3, 4), (3, 2), (3, 1))


def build_pconv_gan(
    *,
    image_size: int = 128,
    width: int = 64,
    convolution: str = "partial",
    dtype: str = "float32",
    seed: int = 0,
) -> keras.Model:
    """Build G: an image with a hole to the whole image.

    Args:
        image_size: Side of the images to train on, a power of two of 16 or more; it
            sets the number of levels: five from 64 on, as in the paper, fewer where
            they would end below 2x2. The network takes any multiple of 2 to the power
            of the levels.
        width: Filters of the first layer; 64 in the paper.
        convolution: `"partial"`, or `"plain"` for the paper's ablation: convolutions
            as usual, the hole filled with the mean colour of the known pixels and the
            known map as a fourth channel.
        dtype: Keras dtype policy of the inner layers; the output is float32.
        seed: Of the initial weights.

    Returns:
        A model `[images, known] -> generated`: `images` float32 `[B, H, W, 3]` in
        [-1, 1], whose hole is never read and may hold anything; `known` float32
        `[B, H, W, 1]` of 0 and 1; `generated` float32 `[B, H, W, 3]` in [-1, 1], the
        network's own image of known pixels too.

    Raises:
        ValueError: A size that is no power of two of 16 or more, or an unknown kind of
            convolution.
    """
    if convolution not in CONVOLUTIONS:
        raise ValueError(
            f"`convolution` must be one of {', '.join(CONVOLUTIONS)}; got "
            f"{convolution!r}."
        )
    levels = count_levels(image_size)
    images = keras.Input((None, None, 3), name="images")
    known = keras.Input((None, None, 1), name="known")
    build = _partial_unet if convolution == "partial" else _plain_unet
    x = build(images, known, levels, _Blocks(width, dtype, seed))
    # The paper's sigmoid, between the [0, 1] of its pixels and our [-1, 1].
    share = layers.Activation("sigmoid", dtype="float32", name="share")(x)
    generated = layers.Rescaling(2.0, offset=-1.0, dtype="float32", name="image")(share)
    return keras.Model([images, known], generated, name="generator")


def count_levels(image_size: int) -> int:
    """How often the generator for images of a size halves their side.

    Raises:
        ValueError: `image_size` is no power of two of 16 or more.
    """
    if image_size < 16 or image_size.bit_count() != 1:
        raise ValueError(
            f"`image_size` must be a power of two, 16 or more; got {image_size}."
        )
    halvings = (image_size // SMALLEST_SIDE).bit_length() - 1
    return min(len(ENCODER), halvings)


def _partial_unet(
    images: keras.KerasTensor, known: keras.KerasTensor, levels: int, blocks: _Blocks
) -> keras.KerasTensor:
    """All but the sigmoid. Where features are joined, each part keeps its validity."""
    x, validity = ops.where(known > 0.5, images, 0.0), known
    skips = []
    for kernel_size, multiple in ENCODER[:levels]:
        skips.append((x, validity))
        convolve = blocks.partial(multiple * blocks.width, kernel_size, strides=2)
        x, validity = convolve((x, validity))
        x = blocks.finish(x, "relu")
    for level, (kernel_size, filters) in enumerate(_decoder(levels, blocks.width)):
        skip, skip_validity = skips.pop()
        joined = blocks.join(x, skip)
        validities = layers.Concatenate(dtype="float32")(
            [layers.UpSampling2D(2, dtype="float32")(validity), skip_validity]
        )
        groups = (x.shape[-1], skip.shape[-1])
        last = level == levels - 1
        convolve = blocks.partial(filters, kernel_size, groups=groups, use_bias=last)
        x, validity = convolve((joined, validities))
        x = blocks.finish(x, "leaky", normalise=not last)
    return blocks.partial(3, 1, use_bias=True)((x, validity))[0]


def _plain_unet(
    images: keras.KerasTensor, known: keras.KerasTensor, levels: int, blocks: _Blocks
) -> keras.KerasTensor:
    """The same with convolutions as usual, told where the hole is."""
    observed = ops.where(known > 0.5, images, 0.0)
    count = ops.maximum(ops.sum(known, axis=(1, 2), keepdims=True), 1.0)
    mean = ops.sum(observed, axis=(1, 2), keepdims=True) / count
    filled = ops.where(known > 0.5, observed, mean)
    x = layers.Concatenate(dtype="float32", name="input")([filled, known])
    skips = []
    for kernel_size, multiple in ENCODER[:levels]:
        skips.append(x)
        x = layers.ZeroPadding2D(kernel_size // 2, dtype=blocks.dtype)(x)
        x = blocks.plain(multiple * blocks.width, kernel_size, strides=2)(x)
        x = blocks.finish(x, "relu")
    for level, (kernel_size, filters) in enumerate(_decoder(levels, blocks.width)):
        last = level == levels - 1
        x = blocks.join(x, skips.pop())
        x = blocks.plain(filters, kernel_size, use_bias=last)(x)
        x = blocks.finish(x, "leaky", normalise=not last)
    return blocks.plain(3, 1, use_bias=True)(x)


def _decoder(levels: int, width: int) -> list[tuple[int, int]]:
    """Kernel and filters of the layers that double the side, the coarsest first."""
    deep = [(kernel, multiple * width) for kernel, multiple in DECODER[1 - levels :]]
    return [*deep, (3, 3)]


@dataclasses.dataclass
class _Blocks:
    """Makes layers, and gives each its own seed and number.

    Attributes:
        width: Filters of the first layer.
        dtype: Keras dtype policy.
        seed: Of the initial weights.
        count: Convolutions made.
    """

    width: int
    dtype: str
    seed: int
    count: int = 0

    def partial(
        self,
        filters: int,
        kernel_size: int,
        *,
        strides: int = 1,
        groups: tuple[int, ...] | None = None,
        use_bias: bool = False,
    ) -> PartialConv2D:
        return PartialConv2D(
            filters,
            kernel_size,
            strides=strides,
            groups=groups,
            use_bias=use_bias,
            **self._next(),
        )

    def plain(
        self,
        filters: int,
        kernel_size: int,
        *,
        strides: int = 1,
        use_bias: bool = False,
    ) -> layers.Conv2D:
        return layers.Conv2D(
            filters,
            kernel_size,
            strides=strides,
            # A strided window reaches as far on either side, as the partial ones do.
            padding="same" if strides == 1 else "valid",
            use_bias=use_bias,
            **self._next(),
        )

    def finish(
        self, x: keras.KerasTensor, activation: str, *, normalise: bool = True
    ) -> keras.KerasTensor:
        """Normalise, in place of a bias, and activate what the last layer gives."""
        number = f"{self.count:02d}"
        if normalise:
            x = layers.BatchNormalization(
                momentum=0.9, epsilon=1e-5, dtype=self.dtype, name=f"norm_{number}"
            )(x)
        if activation == "relu":
            return layers.ReLU(dtype=self.dtype, name=f"relu_{number}")(x)
        leaky = layers.LeakyReLU(LEAKINESS, dtype=self.dtype, name=f"leaky_{number}")
        return leaky(x)

    def join(self, x: keras.KerasTensor, skip: keras.KerasTensor) -> keras.KerasTensor:
        """Double the side and put the encoder's features beside."""
        larger = layers.UpSampling2D(2, dtype=self.dtype)(x)
        return layers.Concatenate(dtype=self.dtype)([larger, skip])

    def _next(self) -> dict:
        """Options of the next convolution."""
        self.count += 1
        # Normalised or not, the scale of the activations is kept from the start.
        initial = initializers.HeNormal(seed=1000 * self.seed + self.count)
        return {
            "kernel_initializer": initial,
            "dtype": self.dtype,
            "name": f"conv_{self.count:02d}",
        }
