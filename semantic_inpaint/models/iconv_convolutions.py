"""The three kinds of convolution that the generator of IConv can be made of.

`ImputedConvolutions` is the paper's; the others are its twins, with plain convolutions
and with gated ones (Yu et al. 2019), for comparisons. All begin from the same weights
where they have the same layers.
"""

from __future__ import annotations

from typing import NamedTuple

import keras
from keras import layers

from semantic_inpaint.models.certainty_skip import CertaintySkip
from semantic_inpaint.models.gated_conv import GatedConv2D
from semantic_inpaint.models.iconv_layers import LEAKINESS, PixelNorm, fan_in_normal
from semantic_inpaint.models.imputed_conv import ImputedConv2D, certainty_pool

# Up to this side h is estimated from 3x3 neighbours, above it from 5x5.
LARGEST_SMALL_SIDE = 8


class Flow(NamedTuple):
    """What runs through the generator.

    Attributes:
        features: `[B, H, W, C]`.
        certainty: float32 `[B, H, W, 1]` in [0, 1]; None with plain or gated
            convolutions, which see the known map as channels of their input.
    """

    features: keras.KerasTensor
    certainty: keras.KerasTensor | None


class PlainConvolutions:
    """Convolutions that treat known and missing pixels alike.

    Args:
        dtype: Keras dtype policy.
        seed: Of the initial weights; each layer has one of its own.
        variant: Of `ImputedConv2D`; the other kinds have none.
    """

    def __init__(self, *, dtype: str, seed: int, variant: str = "official") -> None:
        """Keep the options; layers are made by the other methods."""
        self.dtype = dtype
        self.variant = variant
        self._next_seed = 1000 * seed

    def enter(self, observed: keras.KerasTensor, known: keras.KerasTensor) -> Flow:
        """Begin with the image, the known map and the hole: five channels."""
        hole = layers.Rescaling(-1.0, offset=1.0, name="hole")(known)
        join = layers.Concatenate(dtype=self.dtype, name="observed_known_hole")
        return Flow(join([observed, known, hole]), None)

    def convolve(self, flow: Flow, filters: int, *, size: int, name: str) -> Flow:
        """Convolve, LeakyReLU, normalise each pixel."""
        return self._activate(self._convolve(flow, filters, size, name), name)

    def shrink(self, flow: Flow, *, name: str) -> Flow:
        """Halve the side by the mean of 2x2 pixels."""
        pool = layers.AveragePooling2D(2, dtype=self.dtype, name=name)
        return Flow(pool(flow.features), None)

    def grow(self, flow: Flow, *, name: str) -> Flow:
        """Double the side, each pixel to four."""
        double = layers.UpSampling2D(2, dtype=self.dtype, name=name)
        return Flow(double(flow.features), None)

    def merge(self, skip: Flow, deep: Flow, *, name: str) -> Flow:
        """Join the encoder's features to the decoder's of the same shape."""
        joined = self.join(skip, [deep.features], name=f"{name}_join")
        return self.convolve(joined, deep.features.shape[-1], size=1, name=name)

    def join(self, flow: Flow, extras: list, *, name: str) -> Flow:
        """Append features whose certainty is that of the place."""
        if not extras:
            return flow
        join = layers.Concatenate(dtype=self.dtype, name=name)
        return Flow(join([flow.features, *extras]), flow.certainty)

    def initializer(self) -> keras.initializers.Initializer:
        """Initial weights of the next layer."""
        self._next_seed += 1
        return fan_in_normal(self._next_seed)

    def _convolve(self, flow: Flow, filters: int, size: int, name: str) -> Flow:
        convolution = layers.Conv2D(
            filters,
            size,
            padding="same",
            kernel_initializer=self.initializer(),
            dtype=self.dtype,
            name=name,
        )
        return Flow(convolution(flow.features), None)

    def _activate(self, flow: Flow, name: str) -> Flow:
        leaky = layers.LeakyReLU(LEAKINESS, dtype=self.dtype, name=f"{name}_leaky")
        normalise = PixelNorm(dtype=self.dtype, name=f"{name}_norm")
        return Flow(normalise(leaky(flow.features)), flow.certainty)


class GatedConvolutions(PlainConvolutions):
    """Convolutions times a learned gate for each feature, of twice the weights."""

    def _convolve(self, flow: Flow, filters: int, size: int, name: str) -> Flow:
        convolution = GatedConv2D(
            filters,
            size,
            activation=None,
            kernel_initializer=self.initializer(),
            dtype=self.dtype,
            name=name,
        )
        return Flow(convolution(flow.features), None)


class ImputedConvolutions(PlainConvolutions):
    """Convolutions of what is certain, and of an estimate where it is not (eq. 2-7)."""

    def enter(self, observed: keras.KerasTensor, known: keras.KerasTensor) -> Flow:
        """Begin with the image alone; the known map is its certainty C^0."""
        return Flow(observed, known)

    def shrink(self, flow: Flow, *, name: str) -> Flow:
        """Halve the side by the certainty-weighted mean of 2x2 pixels."""
        del name
        return Flow(*certainty_pool(*flow))

    def grow(self, flow: Flow, *, name: str) -> Flow:
        """Double the side of both, each pixel to four."""
        double = layers.UpSampling2D(2, dtype="float32", name=f"{name}_certainty")
        features = super().grow(flow, name=name).features
        return Flow(features, double(flow.certainty))

    def merge(self, skip: Flow, deep: Flow, *, name: str) -> Flow:
        """Weigh the encoder's features against the decoder's (eq. 6 and 7)."""
        weigh = CertaintySkip(dtype=self.dtype, name=name)
        return Flow(*weigh((*skip, *deep)))

    def _convolve(self, flow: Flow, filters: int, size: int, name: str) -> Flow:
        small = flow.features.shape[1] <= LARGEST_SMALL_SIDE
        convolution = ImputedConv2D(
            filters,
            size,
            imputation_size=3 if small else 5,
            variant=self.variant,
            kernel_initializer=self.initializer(),
            dtype=self.dtype,
            name=name,
        )
        return Flow(*convolution(tuple(flow)))


CONVOLUTIONS = {
    "imputed": ImputedConvolutions,
    "plain": PlainConvolutions,
    "gated": GatedConvolutions,
}
