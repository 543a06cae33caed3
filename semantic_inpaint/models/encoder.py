"""An encoder: a masked image to the latent code of a prior, in one pass.

Its convolutions are those of the DCGAN's discriminator (Radford et al. 2016), without
normalisation, so that the code of an image never depends on its batch.
"""

from __future__ import annotations

import dataclasses
import functools
from collections.abc import Callable
from typing import Any

import keras
import numpy as np
from keras import initializers, layers, ops

from semantic_inpaint import backend
from semantic_inpaint.backend import Tensor
from semantic_inpaint.images import to_network
from semantic_inpaint.models.prior import GenerativePrior

LEAKINESS = 0.2
SMALLEST_SIDE = 4
ENCODE_BATCH = 64


@dataclasses.dataclass(frozen=True, eq=False)
class LatentEncoder:
    """A trained encoder, and the prior whose codes it gives.

    Attributes:
        network: `[B, H, W, 4] -> [B, latent_dim]`, from `build_encoder`.
        prior_sha256: Hash of the weights of its prior; empty for one made in memory.
        card: The card's whole content.
    """

    network: keras.Model
    prior_sha256: str = ""
    card: dict[str, Any] = dataclasses.field(default_factory=dict)

    def encode(self, images: np.ndarray, known: np.ndarray) -> np.ndarray:
        """Estimate codes, a bounded batch at a time.

        Args:
            images: float `[B, H, W, 3]` in [0, 1]; the hole is never read.
            known: bool `[B, H, W]`.

        Returns:
            float32 `[B, latent_dim]` in [-1, 1].

        Raises:
            ValueError: The images are not of the encoder's size, or `known` not of
                theirs.
        """
        sides = self.network.input_shape[1:3]
        if images.shape[1:] != (*sides, 3) or known.shape != images.shape[:3]:
            raise ValueError(
                f"expected images [B, {sides[0]}, {sides[1]}, 3] and known "
                f"[B, {sides[0]}, {sides[1]}]; got {images.shape} and {known.shape}. "
                "Fit them with `images.fit_image`."
            )
        # Handed in with each call, so that a change of them is seen on every backend.
        weights = [v.value for v in self.network.trainable_variables]
        parts = []
        for start in range(0, max(1, len(images)), ENCODE_BATCH):
            chunk = np.arange(len(images))[start : start + ENCODE_BATCH]
            rows = backend.enough_rows(chunk) if len(chunk) else chunk
            codes = self._encode(weights, to_network(images[rows]), known[rows])
            parts.append(ops.convert_to_numpy(codes)[: len(chunk)])
        return np.concatenate(parts)

    def require_prior(self, prior: GenerativePrior) -> None:
        """Check that the encoder gives codes of this prior.

        Raises:
            ValueError: It was trained for another one.
        """
        if self.prior_sha256 != prior.sha256:
            raise ValueError(
                f"the encoder belongs to a prior with the weights "
                f"{_short(self.prior_sha256)}, but {prior.name!r} has "
                f"{_short(prior.sha256)}; its codes mean nothing there. Train one for "
                "this prior with pipelines/train_encoder.py."
            )

    @functools.cached_property
    def _encode(self) -> Callable:
        def encode(weights: list, images: Tensor, known: Tensor) -> Tensor:
            inputs = encoder_input(images, known)
            return self.network.stateless_call(weights, [], inputs, training=False)[0]

        return backend.compile_function(encode)


def encoder_input(images: Tensor, known: Tensor) -> Tensor:
    """Put together what an encoder sees.

    Args:
        images: float32 `[B, H, W, 3]` in [-1, 1]; the hole is never read, and may
            hold anything.
        known: bool, or float 0 and 1, `[B, H, W]`.

    Returns:
        float32 `[B, H, W, 4]`: the images, 0 in the hole, and the known map.
    """
    known = ops.cast(known, "bool")[..., None]
    # A choice and no product: a hole of NaN would survive the product.
    observed = ops.where(known, ops.cast(images, "float32"), 0.0)
    return ops.concatenate([observed, ops.cast(known, "float32")], axis=-1)


def build_encoder(
    *,
    image_size: int,
    latent_dim: int,
    width: int = 48,
    hidden: int = 256,
    dtype: str = "float32",
    seed: int = 0,
) -> keras.Model:
    """Build E: a masked image with its known map to a code.

    Args:
        image_size: Side of the image, a power of two, 8 or more.
        latent_dim: Length of the code.
        width: Channels after the first convolution, doubled at every halving of the
            side down to 4x4.
        hidden: Units of the layer before the code.
        dtype: Keras dtype policy of the inner layers; the output is float32.
        seed: Of the initial weights.

    Returns:
        A model `[B, image_size, image_size, 4] -> [B, latent_dim]` in [-1, 1]; what
        goes in is made by `encoder_input`.

    Raises:
        ValueError: `image_size` is not a power of two of 8 or more.
    """
    if image_size < 2 * SMALLEST_SIDE or image_size.bit_count() != 1:
        raise ValueError(
            f"`image_size` must be a power of two, 8 or more; got {image_size}."
        )
    masked = keras.Input((image_size, image_size, 4), name="masked")
    x, side, level = masked, image_size, 0
    while side > SMALLEST_SIDE:
        side //= 2
        x = layers.Conv2D(
            width * 2**level,
            5,
            strides=2,
            padding="same",
            kernel_initializer=_he_normal(seed, level),
            dtype=dtype,
            name=f"conv_{side}",
        )(x)
        x = layers.LeakyReLU(LEAKINESS, dtype=dtype, name=f"leaky_{side}")(x)
        level += 1
    x = layers.Flatten(dtype=dtype, name="flatten")(x)
    x = layers.Dense(
        hidden,
        kernel_initializer=_he_normal(seed, level),
        dtype=dtype,
        name="hidden",
    )(x)
    x = layers.LeakyReLU(LEAKINESS, dtype=dtype, name="leaky_hidden")(x)
    x = layers.Dense(
        latent_dim,
        kernel_initializer=_he_normal(seed, level + 1),
        dtype=dtype,
        name="project",
    )(x)
    code = layers.Activation("tanh", dtype="float32", name="code")(x)
    return keras.Model(masked, code, name="encoder")


def _he_normal(seed: int, layer: int) -> initializers.Initializer:
    """Keep the scale of the activations, as no normalisation does; one seed a layer."""
    return initializers.HeNormal(seed=1000 * (seed + 2) + layer)


def _short(sha256: str) -> str:
    return f"{sha256[:12]}..." if sha256 else "(none, made in memory)"
