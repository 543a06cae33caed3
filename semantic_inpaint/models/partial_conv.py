"""The partial convolution of Liu et al. (2018), "Image inpainting for irregular holes".

A convolution of the observed values alone, scaled up by the share of its window that
was observed, beside a binary map of where there was anything to see at all.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from keras import activations, initializers, layers, ops

from semantic_inpaint.backend import Tensor


class PartialConv2D(layers.Layer):
    """Convolve what is valid, and say where the result is (eq. 1 and 2).

    Called as `features, validity = layer((features, validity))`. With `share` the mean
    of the validity M over the window and its channels, that is sum(M) / sum(1),

        features = W^T (X * M) / share + b  where share > 0, else 0
        validity = 1                        where share > 0, else 0

    The numerator is sum(1), as the authors' layer has it, so that a window observed in
    full is convolved as usual. The window reaches `kernel_size // 2` beyond the image
    on each side, at every stride, and what lies there is a hole: near the border the
    result is scaled up instead of fading. What stands in a hole is overwritten and not
    multiplied by 0, so that it may be NaN.

    Args:
        filters: Channels of the result.
        kernel_size: Side of the window, odd.
        strides: Step of the window along both sides.
        use_bias: Add b, where there was anything to see.
        activation: Of the features, after eq. 1; one that does not keep 0 would fill
            the holes.
        groups: Where concatenated features have validities of their own: the channels
            of each part, one for each channel of the validity.
        kernel_initializer: Of W.
        options: Of `keras.layers.Layer`: `name`, `dtype` and the like.

    Input:
        features: float `[B, H, W, C]`.
        validity: 0 and 1, `[B, H, W, 1]`, `[B, H, W, len(groups)]` or `[B, H, W, C]`.

    Output:
        features: `[B, ceil(H / strides), ceil(W / strides), filters]`, in the compute
            dtype.
        validity: float32, with one channel in every case: a place is valid if any
            channel of its window was, which is the same for all filters.

    Raises:
        ValueError: An even kernel, a count below 1, or, when first called, a validity
            or groups that do not fit the features: other channels, or other sides.
    """

    def __init__(
        self,
        filters: int,
        kernel_size: int,
        *,
        strides: int = 1,
        use_bias: bool = True,
        activation: Any = None,  # noqa: ANN401 - a name or a function, as in Keras
        groups: tuple[int, ...] | None = None,
        kernel_initializer: Any = "he_normal",  # noqa: ANN401 - as in Keras
        **options: Any,  # noqa: ANN401 - Keras'
    ) -> None:
        """Check and keep the options; the weights come with `build`."""
        # Casts are made here, one by one: a share is too coarse in bfloat16.
        super().__init__(autocast=False, **options)
        if filters < 1 or strides < 1 or kernel_size < 1 or kernel_size % 2 == 0:
            raise ValueError(
                "`filters` and `strides` must be 1 or more, and `kernel_size` odd, so "
                f"that a window has a centre; got {filters}, {strides}, {kernel_size}."
            )
        self.filters = filters
        self.kernel_size = kernel_size
        self.strides = strides
        self.use_bias = use_bias
        self.activation = activations.get(activation)
        self.groups = None if groups is None else tuple(groups)
        self.kernel_initializer = initializers.get(kernel_initializer)

    def build(self, input_shape: tuple) -> None:
        """Add W `[k, k, C, filters]` and b; check the shape of the validity."""
        check_sides(*input_shape, name="validity")
        channels, maps = (shape[-1] for shape in input_shape)
        self.parts = _channels_of_each_map(channels, maps, self.groups)
        self.kernel = self.add_weight(
            shape=(self.kernel_size, self.kernel_size, channels, self.filters),
            initializer=self.kernel_initializer,
            name="kernel",
        )
        if self.use_bias:
            self.bias = self.add_weight(
                shape=(self.filters,),
                initializer="zeros",
                name="bias",
            )

    def call(self, inputs: tuple[Tensor, Tensor]) -> tuple[Tensor, Tensor]:
        """Convolve, scale, and carry the validity on."""
        features = ops.cast(inputs[0], self.compute_dtype)
        validity = ops.cast(inputs[1], "float32")

        # A choice and no product: NaN in a hole would survive the product.
        observed = ops.where(self._spread(validity) > 0, features, 0)
        kernel = ops.cast(self.kernel, self.compute_dtype)
        convolved = convolve_alike(observed, kernel, self.strides)

        # Both factors are 0 where nothing was observed; neither divides by 0.
        share = self._window_share(validity)
        valid = ops.cast(share > 0, "float32")
        scale = valid / ops.where(share > 0, share, 1)
        outputs = convolved * ops.cast(scale, self.compute_dtype)
        if self.use_bias:
            bias = ops.cast(self.bias, self.compute_dtype)
            outputs = outputs + ops.cast(valid, self.compute_dtype) * bias
        return self.activation(outputs), valid

    def _spread(self, validity: Tensor) -> Tensor:
        """Give each channel of the features its validity, or all of them the one."""
        if len(self.parts) == 1 or set(self.parts) == {1}:
            return validity
        # A product with 0 and 1 is exact, and on a CPU faster than a repetition.
        members = np.repeat(np.eye(len(self.parts), dtype="f4"), self.parts, axis=1)
        return ops.matmul(validity, members)

    def _window_share(self, validity: Tensor) -> Tensor:
        """Mean validity over windows and channels, without a sum over filters."""
        weights = np.asarray(self.parts, np.float32) / sum(self.parts)
        if len(self.parts) > 1:
            validity = ops.sum(validity * weights, axis=-1, keepdims=True)
        return window_share(validity, self.kernel_size, self.strides)

    def get_config(self) -> dict[str, Any]:
        """Return the options, for `from_config`."""
        config = super().get_config()
        config.update(
            filters=self.filters,
            kernel_size=self.kernel_size,
            strides=self.strides,
            use_bias=self.use_bias,
            activation=activations.serialize(self.activation),
            groups=self.groups,
            kernel_initializer=initializers.serialize(self.kernel_initializer),
        )
        return config


def convolve_alike(x: Tensor, kernel: Tensor, strides: int) -> Tensor:
    """Convolve with as many zeros on all sides, `kernel_size // 2`."""
    if strides == 1:
        return ops.conv(x, kernel, padding="same")
    return ops.conv(_pad(x, kernel.shape[0]), kernel, strides=strides, padding="valid")


def window_share(validity: Tensor, kernel_size: int, strides: int) -> Tensor:
    """Mean over windows of a validity or certainty `[B, H, W, 1]`, 0 all around."""
    padded = _pad(validity, kernel_size)
    return ops.average_pool(padded, kernel_size, strides=strides, padding="valid")


def check_sides(features: tuple, beside: tuple, *, name: str) -> None:
    """Check that what comes beside features has their height and width.

    Args:
        features: Shape `[B, H, W, C]`; sides that are not known are None.
        beside: Shape `[B, H, W, c]`.
        name: Of what comes beside them.

    Raises:
        ValueError: It has another one, which would be stretched in silence.
    """
    pairs = zip(features[1:3], beside[1:3], strict=True)
    if any(None not in pair and pair[0] != pair[1] for pair in pairs):
        raise ValueError(
            f"`{name}` must have the height and width of the features, "
            f"{tuple(features[1:3])}; got {tuple(beside[1:3])}."
        )


def _pad(x: Tensor, kernel_size: int) -> Tensor:
    """Surround by zeros, alike on all sides, as "same" is not at a stride of 2."""
    edge = (kernel_size // 2,) * 2
    return ops.pad(x, ((0, 0), edge, edge, (0, 0)))


def _channels_of_each_map(
    channels: int, maps: int, groups: tuple[int, ...] | None
) -> tuple[int, ...]:
    """Say how many channels of the features each channel of the validity is for."""
    if groups is None and maps in (1, channels):
        return (channels // maps,) * maps
    if groups is not None and (len(groups), sum(groups)) == (maps, channels):
        return groups
    raise ValueError(
        f"features of {channels} channels need a validity of 1 channel, of {channels}, "
        f"or of one for each of `groups`, which must add up to {channels}; got "
        f"{maps} channel(s) and groups={groups}."
    )
