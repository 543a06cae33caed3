"""The skip connection of Hukkelås et al. (2020): shallow features where certain."""

from __future__ import annotations

from typing import Any

from keras import layers, ops

from semantic_inpaint.backend import Tensor

# Keeps the weight finite where neither side is certain; from the official code.
EPSILON = 1e-8


class CertaintySkip(layers.Layer):
    """Mean of shallow and deep features, weighted by their certainties (eq. 6, 7).

    Called as `features, certainty = layer((skip, skip_certainty, deep,
    deep_certainty))`. With gamma from `gamma`,

        features = gamma skip + (1 - gamma) deep, and likewise the certainty.

    beta_1 and beta_2, which are 1 to begin with, are kept positive by a ReLU, as in the
    official code. Where neither side is certain, the deep features are taken.

    Args:
        options: Of `keras.layers.Layer`: `name`, `dtype` and the like.

    Input:
        skip, deep: float `[B, H, W, C]`, finite.
        skip_certainty, deep_certainty: `[B, H, W, 1]` in [0, 1].

    Output:
        features: `[B, H, W, C]`, in the compute dtype.
        certainty: float32 `[B, H, W, 1]`.

    Raises:
        ValueError: When first called: the two sides differ in shape.
    """

    def __init__(self, **options: Any) -> None:  # noqa: ANN401 - Keras'
        """Keep the options; the weights come with `build`."""
        # Casts are made here, one by one: the certainty stays in float32.
        super().__init__(autocast=False, **options)

    def build(self, input_shape: tuple) -> None:
        """Add the scalars beta_1 and beta_2; check that the two sides agree."""
        skip, skip_certainty, deep, deep_certainty = (tuple(s) for s in input_shape)
        if skip[1:] != deep[1:] or skip_certainty[1:] != deep_certainty[1:]:
            raise ValueError(
                "skip and deep features must be of one shape, and their certainties; "
                f"got {skip} and {deep}, {skip_certainty} and {deep_certainty}."
            )
        scalar = {"shape": (), "initializer": "ones", "autocast": False}
        self.skip_weight = self.add_weight(name="skip_weight", **scalar)
        self.deep_weight = self.add_weight(name="deep_weight", **scalar)

    def call(
        self, inputs: tuple[Tensor, Tensor, Tensor, Tensor]
    ) -> tuple[Tensor, Tensor]:
        """Merge the two sides."""
        skip, skip_certainty, deep, deep_certainty = inputs
        skip_certainty = ops.cast(skip_certainty, "float32")
        deep_certainty = ops.cast(deep_certainty, "float32")
        gamma = self.gamma(skip_certainty, deep_certainty)
        certainty = gamma * skip_certainty + (1 - gamma) * deep_certainty
        skip = ops.cast(gamma, self.compute_dtype) * ops.cast(skip, self.compute_dtype)
        deep = ops.cast(1 - gamma, self.compute_dtype) * ops.cast(
            deep, self.compute_dtype
        )
        return skip + deep, certainty

    def gamma(self, skip_certainty: Tensor, deep_certainty: Tensor) -> Tensor:
        """Weight of the skip (eq. 7), for the merge and for figures of it.

        Args:
            skip_certainty: float32 `[B, H, W, 1]` in [0, 1].
            deep_certainty: float32 `[B, H, W, 1]` in [0, 1].

        Returns:
            float32 `[B, H, W, 1]` in [0, 1]: C_s b_1 / (C_s b_1 + C_d b_2 + 1e-8).
        """
        skip = skip_certainty * ops.relu(self.skip_weight)
        deep = deep_certainty * ops.relu(self.deep_weight)
        return skip / (skip + deep + EPSILON)

    def get_config(self) -> dict[str, Any]:
        """Return the options, for `from_config`."""
        # Without a method here Keras records the arguments itself, less the name.
        return super().get_config()
