"""The gated convolution of Yu et al. (2019), "Free-form image inpainting"."""

from __future__ import annotations

from typing import Any

from keras import activations, initializers, layers, ops

from semantic_inpaint.backend import Tensor


class GatedConv2D(layers.Layer):
    """Convolve, and let a second convolution say how much of it passes.

    Called as `features = layer(features)`:

        features = activation(W^T X + b) * sigmoid(V^T X + c)   (section 3.1)

    The gate has a value for every channel and place, and learns what the other layers
    are told: the known map is a channel of the first layer's input, in which the
    network has overwritten the hole. Borders are zeros, as in Keras' "same".

    Args:
        filters: Channels of the result; W and V have as many each, in one kernel.
        kernel_size: Side of the window.
        strides: Step of the window along both sides.
        activation: Of the features, not of the gate; the authors have an ELU.
        kernel_initializer: Of W and V.
        options: Of `keras.layers.Layer`: `name`, `dtype` and the like.

    Input:
        features: float `[B, H, W, C]`.

    Output:
        `[B, ceil(H / strides), ceil(W / strides), filters]`, in the compute dtype.

    Raises:
        ValueError: A count below 1.
    """

    def __init__(
        self,
        filters: int,
        kernel_size: int,
        *,
        strides: int = 1,
        activation: Any = None,  # noqa: ANN401 - a name or a function, as in Keras
        kernel_initializer: Any = "he_normal",  # noqa: ANN401 - as in Keras
        **options: Any,  # noqa: ANN401 - Keras'
    ) -> None:
        """Check and keep the options; the weights come with `build`."""
        super().__init__(**options)
        if min(filters, kernel_size, strides) < 1:
            raise ValueError(
                "`filters`, `kernel_size` and `strides` must be 1 or more; got "
                f"{filters}, {kernel_size}, {strides}."
            )
        self.filters = filters
        self.kernel_size = kernel_size
        self.strides = strides
        self.activation = activations.get(activation)
        self.kernel_initializer = initializers.get(kernel_initializer)

    def build(self, input_shape: tuple) -> None:
        """Add W and V `[k, k, C, 2 filters]`, W first, and b and c."""
        side = self.kernel_size
        self.kernel = self.add_weight(
            shape=(side, side, input_shape[-1], 2 * self.filters),
            initializer=self.kernel_initializer,
            name="kernel",
        )
        self.bias = self.add_weight(
            shape=(2 * self.filters,), initializer="zeros", name="bias"
        )

    def call(self, features: Tensor) -> Tensor:
        """Convolve and gate."""
        both = ops.conv(features, self.kernel, strides=self.strides, padding="same")
        outputs, gate = ops.split(both + self.bias, 2, axis=-1)
        return self.activation(outputs) * ops.sigmoid(gate)

    def get_config(self) -> dict[str, Any]:
        """Return the options, for `from_config`."""
        config = super().get_config()
        config.update(
            filters=self.filters,
            kernel_size=self.kernel_size,
            strides=self.strides,
            activation=activations.serialize(self.activation),
            kernel_initializer=initializers.serialize(self.kernel_initializer),
        )
        return config
