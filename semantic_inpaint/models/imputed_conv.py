"""The imputed convolution of Hukkelås et al. (2020), "learnable feature imputation".

What is uncertain is replaced by an estimate from its neighbourhood, then convolved as
usual; a certainty of one channel follows the features through the network.
"""

from __future__ import annotations

from typing import Any

import keras
from keras import activations, initializers, layers, ops

from semantic_inpaint.backend import Tensor
from semantic_inpaint.models.partial_conv import check_sides, window_share

# What keeps the estimate finite where nothing around is certain: the official code's
# constant, which draws it towards 0, or one too small to be seen in eq. 4.
EPSILONS = {"official": 1e-2, "paper": 1e-8}
VARIANTS = tuple(EPSILONS)
# Keeps the official certainty above 0.
LEAST_CERTAINTY = 1e-6


class ImputedConv2D(layers.Layer):
    """Impute, convolve, and carry the certainty on (eq. 2 to 5).

    Called as `features, certainty = layer((features, certainty))`. With C the certainty
    of the features X, and `mean` the mean over a window of `imputation_size` in which
    all is 0 beyond the border,

        h = (w * (C X) + a) / (mean(C) + 0.01)   a filter w for each channel, eq. 4
        features = W^T (C X + (1 - C) h) + b     eq. 2 and 3
        certainty = 2 sigmoid(V * C) - 1 + 1e-6  clipped to [0, 1], eq. 5

    Eq. 4 has a sum for the mean, which is a factor in w. The authors' code and their
    paper differ in three more places, each a variant here: `"official"` is what stands
    above; `"paper"` has no bias a, 1e-8 for .01, and certainty = sigmoid(V * C), which
    is 1/2 where nothing is known. A 1x1 convolution imputes, and leaves the certainty
    as it is.

    Features of certainty 0 count for nothing, but have to be finite.

    Args:
        filters: Channels of the result.
        kernel_size: Side of W and of V, odd.
        imputation_size: Side of w, odd: the paper's K. The official code has 3 at 4x4
            and 8x8, 5 elsewhere.
        variant: `"official"` or `"paper"`.
        use_bias: Add b.
        activation: Of the features.
        kernel_initializer: Of W.
        imputation_initializer: Of w; by default 1 / K^2, with which h is the
            certainty-weighted mean. In the official code w is normal, of standard
            deviation sqrt(C) / K.
        options: Of `keras.layers.Layer`: `name`, `dtype` and the like.

    Input:
        features: float `[B, H, W, C]`.
        certainty: `[B, H, W, 1]` in [0, 1].

    Output:
        features: `[B, H, W, filters]`, in the compute dtype.
        certainty: float32 `[B, H, W, 1]`.

    Raises:
        ValueError: An even kernel, no filters, an unknown variant, or, when first
            called, a certainty of more than one channel or of other sides than the
            features.
    """

    def __init__(
        self,
        filters: int,
        kernel_size: int = 3,
        *,
        imputation_size: int = 5,
        variant: str = "official",
        use_bias: bool = True,
        activation: Any = None,  # noqa: ANN401 - a name or a function, as in Keras
        kernel_initializer: Any = "he_normal",  # noqa: ANN401 - as in Keras
        imputation_initializer: Any = None,  # noqa: ANN401 - as in Keras
        **options: Any,  # noqa: ANN401 - Keras'
    ) -> None:
        """Check and keep the options; the weights come with `build`."""
        # Casts are made here, one by one: the certainty stays in float32.
        super().__init__(autocast=False, **options)
        windows = (kernel_size, imputation_size)
        if filters < 1 or any(side < 1 or side % 2 == 0 for side in windows):
            raise ValueError(
                "`filters` must be 1 or more, `kernel_size` and `imputation_size` odd; "
                f"got {filters}, {kernel_size}, {imputation_size}."
            )
        if variant not in VARIANTS:
            raise ValueError(
                f"`variant` must be one of {', '.join(VARIANTS)}; got {variant!r}."
            )
        if imputation_initializer is None:
            imputation_initializer = initializers.Constant(1 / imputation_size**2)
        self.filters = filters
        self.kernel_size = kernel_size
        self.imputation_size = imputation_size
        self.variant = variant
        self.use_bias = use_bias
        self.activation = activations.get(activation)
        self.kernel_initializer = initializers.get(kernel_initializer)
        self.imputation_initializer = initializers.get(imputation_initializer)

    def build(self, input_shape: tuple) -> None:
        """Add w, a, W, b and V; check the shape of the certainty."""
        check_sides(*input_shape, name="certainty")
        channels, maps = (shape[-1] for shape in input_shape)
        if maps != 1:
            raise ValueError(
                f"`certainty` must have one channel, [B, H, W, 1]; got {maps}."
            )
        window, side = self.imputation_size, self.kernel_size
        self.imputation_kernel = self._weight(
            "imputation_kernel",
            (window, window, channels, 1),
            self.imputation_initializer,
        )
        if self.variant == "official":
            self.imputation_bias = self._weight("imputation_bias", (channels,), "zeros")
        self.kernel = self._weight(
            "kernel", (side, side, channels, self.filters), self.kernel_initializer
        )
        if self.use_bias:
            self.bias = self._weight("bias", (self.filters,), "zeros")
        if side > 1:
            self.certainty_kernel = self._weight(
                "certainty_kernel", (side, side, 1, 1), "ones"
            )

    def call(self, inputs: tuple[Tensor, Tensor]) -> tuple[Tensor, Tensor]:
        """Impute, convolve, and carry the certainty on."""
        features, certainty = (ops.cast(x, "float32") for x in inputs)
        outputs = ops.conv(
            ops.cast(self.impute(features, certainty), self.compute_dtype),
            ops.cast(self.kernel, self.compute_dtype),
            padding="same",
        )
        if self.use_bias:
            outputs = outputs + ops.cast(self.bias, self.compute_dtype)
        return self.activation(outputs), self._carry_on(certainty)

    def impute(self, features: Tensor, certainty: Tensor) -> Tensor:
        """Take the expected value of the features: C X + (1 - C) h (eq. 3 and 4).

        Args:
            features: float32 `[B, H, W, C]`.
            certainty: float32 `[B, H, W, 1]` in [0, 1].

        Returns:
            float32 `[B, H, W, C]`.
        """
        # In float32 in each case: on a CPU a convolution of single channels is twice
        # as slow in bfloat16, not faster.
        certain = features * certainty
        estimate = ops.depthwise_conv(certain, self.imputation_kernel, padding="same")
        if self.variant == "official":
            estimate = estimate + self.imputation_bias
        mean = window_share(certainty, self.imputation_size, 1)
        return certain + estimate * ((1 - certainty) / (mean + EPSILONS[self.variant]))

    def _weight(
        self,
        name: str,
        shape: tuple[int, ...],
        initializer: str | initializers.Initializer,
    ) -> keras.Variable:
        """Add a weight that is read in float32, whatever the layer computes in."""
        return self.add_weight(
            shape=shape, initializer=initializer, autocast=False, name=name
        )

    def _carry_on(self, certainty: Tensor) -> Tensor:
        """Compute the certainty of the result (eq. 5)."""
        if self.kernel_size == 1:
            return certainty
        carried = ops.conv(certainty, self.certainty_kernel, padding="same")
        if self.variant == "paper":
            return ops.sigmoid(carried)
        return ops.clip(2 * ops.sigmoid(carried) - 1 + LEAST_CERTAINTY, 0, 1)

    def get_config(self) -> dict[str, Any]:
        """Return the options, for `from_config`."""
        config = super().get_config()
        config.update(
            filters=self.filters,
            kernel_size=self.kernel_size,
            imputation_size=self.imputation_size,
            variant=self.variant,
            use_bias=self.use_bias,
            activation=activations.serialize(self.activation),
            kernel_initializer=initializers.serialize(self.kernel_initializer),
            imputation_initializer=initializers.serialize(self.imputation_initializer),
        )
        return config


def certainty_pool(features: Tensor, certainty: Tensor) -> tuple[Tensor, Tensor]:
    """Halve the sides by means over 2x2 pixels in which certain features count more.

    The paper's "certainty-weighted average" (section 3.3), with the constant of the
    official code: mean(C X) / (mean(C) + 0.01), and mean(C).

    Args:
        features: float `[B, H, W, C]`, finite; H and W are even.
        certainty: float `[B, H, W, 1]` in [0, 1].

    Returns:
        `[B, H / 2, W / 2, C]` in the dtype of the features, and float32
        `[B, H / 2, W / 2, 1]`.

    Raises:
        ValueError: A side is odd, so that its last row or column would be lost, or the
            certainty has other sides than the features.
    """
    check_sides(features.shape, certainty.shape, name="certainty")
    if any(side is not None and side % 2 for side in features.shape[1:3]):
        raise ValueError(
            f"height and width must be even to be halved; got "
            f"{tuple(features.shape[1:3])}. Crop or pad the features first."
        )
    certainty = ops.cast(certainty, "float32")
    mean = ops.average_pool(certainty, 2, strides=2, padding="valid")
    certain = features * ops.cast(certainty, features.dtype)
    pooled = ops.average_pool(certain, 2, strides=2, padding="valid")
    scale = 1 / (mean + EPSILONS["official"])
    return pooled * ops.cast(scale, features.dtype), mean
