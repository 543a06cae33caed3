"""The generative prior: a generator, its discriminator, and where codes live."""

from __future__ import annotations

import dataclasses
import functools
from collections.abc import Callable
from pathlib import Path
from typing import Any

import keras
import numpy as np
from keras import ops

from semantic_inpaint import backend
from semantic_inpaint.images import from_network
from semantic_inpaint.models import dcgan

GENERATE_BATCH = 64
DISTRIBUTIONS = ("uniform", "normal")


@dataclasses.dataclass(frozen=True)
class PriorArchitecture:
    """What the networks of a prior look like.

    Attributes:
        generator_width: Channels of the generator at 4x4.
        discriminator_width: Channels of the discriminator's first convolution.
        normalization: `"batch"` or `"none"` in the discriminator.
        image_size: Side of the images.
        latent_dim: Length of the code.
    """

    generator_width: int
    discriminator_width: int
    normalization: str
    image_size: int
    latent_dim: int


@dataclasses.dataclass(frozen=True, eq=False)
class GenerativePrior:
    """A trained GAN to search in (Malesevic et al., section 3.2).

    Attributes:
        generator: `[B, latent_dim] -> [B, H, W, 3]` in [-1, 1].
        discriminator: `[B, H, W, 3]` in [-1, 1] `-> [B, 1]`, the logit of "real".
        latent_dim: Length of a code.
        image_size: H = W.
        support: Codes are uniform in [-support, support]^latent_dim.
        name: As in its card.
        sha256: Hash of the weight file; empty for a prior made in memory.
        card: The card's whole content.
        folder: Where it was loaded from; None for a prior made in memory.
    """

    generator: keras.Model
    discriminator: keras.Model
    latent_dim: int
    image_size: int
    support: float = 1.0
    name: str = "unnamed"
    sha256: str = ""
    card: dict[str, Any] = dataclasses.field(default_factory=dict)
    folder: Path | None = None

    def codes_for(
        self,
        indices: np.ndarray,
        *,
        seed: int,
        stream: int = 0,
        distribution: str = "uniform",
    ) -> np.ndarray:
        """Draw a code for each numbered image.

        Args:
            indices: int `[B]`, 0 or more; code i depends on `indices[i]`, `seed` and
                `stream` alone.
            seed: 0 or more.
            stream: Another number gives other codes.
            distribution: `"uniform"` in [-support, support], where the prior was
                trained, or `"normal"` of the standard deviation `support`, where a
                third of all coordinates lies outside: to be clipped.

        Returns:
            float32 `[B, latent_dim]`.

        Raises:
            ValueError: An unknown `distribution`.
        """
        if distribution not in DISTRIBUTIONS:
            raise ValueError(
                f"`distribution` must be one of {', '.join(DISTRIBUTIONS)}; got "
                f"{distribution!r}."
            )
        codes = np.empty((len(indices), self.latent_dim), np.float32)
        for code, index in zip(codes, indices, strict=True):
            rng = np.random.default_rng([seed, stream, int(index)])
            if distribution == "uniform":
                code[:] = rng.uniform(-self.support, self.support, self.latent_dim)
            else:
                code[:] = rng.normal(0.0, self.support, self.latent_dim)
        return codes

    def generate(self, codes: np.ndarray) -> np.ndarray:
        """Generate images, a bounded batch at a time.

        Args:
            codes: float32 `[B, latent_dim]`.

        Returns:
            float32 `[B, H, W, 3]` in [0, 1].
        """
        return from_network(self._in_batches(self._generate, codes))

    def score(self, images: np.ndarray) -> np.ndarray:
        """Probability that the discriminator gives for "this is a real image".

        Args:
            images: float32 `[B, H, W, 3]` in [0, 1].

        Returns:
            float32 `[B]` in [0, 1].
        """
        return self._in_batches(self._score, np.asarray(images, np.float32))

    @functools.cached_property
    def _generate(self) -> Callable:
        return backend.compile_function(lambda z: self.generator(z, training=False))

    @functools.cached_property
    def _score(self) -> Callable:
        return backend.compile_function(
            lambda x: ops.sigmoid(
                self.discriminator(x * 2.0 - 1.0, training=False)[:, 0]
            )
        )

    @staticmethod
    def _in_batches(function: Callable, inputs: np.ndarray) -> np.ndarray:
        return np.concatenate(
            [
                ops.convert_to_numpy(function(inputs[start : start + GENERATE_BATCH]))
                for start in range(0, len(inputs), GENERATE_BATCH)
            ]
        )


def build_networks(
    architecture: PriorArchitecture, *, precision: str = "float32"
) -> tuple[keras.Model, keras.Model]:
    """Build a generator and a discriminator, with fresh weights.

    Args:
        architecture: Their shapes.
        precision: `"float32"`, `"bfloat16"` or `"auto"`, of the inner layers.

    Returns:
        The generator and the discriminator.
    """
    policy = backend.compute_policy(precision)
    generator = dcgan.build_generator(
        image_size=architecture.image_size,
        latent_dim=architecture.latent_dim,
        base_width=architecture.generator_width,
        dtype=policy,
    )
    discriminator = dcgan.build_discriminator(
        image_size=architecture.image_size,
        width=architecture.discriminator_width,
        normalization=architecture.normalization,
        dtype=policy,
    )
    return generator, discriminator
