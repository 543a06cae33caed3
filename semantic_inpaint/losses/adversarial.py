"""Losses that train a GAN. Logits in, one value per image out."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import NamedTuple

from keras import ops

from semantic_inpaint.backend import Tensor


def discriminator_real_loss(logits: Tensor, *, label: float = 1.0) -> Tensor:
    """Cross-entropy of D on real images (Malesevic et al., eq. 1, first term).

    Args:
        logits: float32 `[B, 1]`.
        label: Target for "real"; under 1 is one-sided label smoothing
            (Salimans et al. 2016).

    Returns:
        float32 `[B]`.
    """
    logits = ops.squeeze(logits, -1)
    return label * ops.softplus(-logits) + (1.0 - label) * ops.softplus(logits)


def discriminator_fake_loss(logits: Tensor) -> Tensor:
    """Cross-entropy of D on generated images (Malesevic et al., eq. 1, second term).

    Args:
        logits: float32 `[B, 1]`.

    Returns:
        float32 `[B]`.
    """
    return ops.softplus(ops.squeeze(logits, -1))


def generator_loss(logits: Tensor) -> Tensor:
    """Non-saturating loss of G (Goodfellow et al. 2014, section 3).

    Args:
        logits: float32 `[B, 1]` of D on generated images.

    Returns:
        float32 `[B]`.
    """
    return ops.softplus(-ops.squeeze(logits, -1))


def hinge_real_loss(logits: Tensor) -> Tensor:
    """Hinge loss of D on real images (Lim & Ye 2017; Miyato et al. 2018, eq. 16).

    Args:
        logits: float32 `[B, 1]`.

    Returns:
        float32 `[B]`.
    """
    return ops.relu(1.0 - ops.squeeze(logits, -1))


def hinge_fake_loss(logits: Tensor) -> Tensor:
    """Hinge loss of D on generated images (Lim & Ye 2017; Miyato et al. 2018, eq. 16).

    Args:
        logits: float32 `[B, 1]`.

    Returns:
        float32 `[B]`.
    """
    return ops.relu(1.0 + ops.squeeze(logits, -1))


def critic_loss(logits: Tensor) -> Tensor:
    """Give the critic's value, its loss on generated images (Arjovsky et al. 2017).

    Args:
        logits: float32 `[B, 1]`.

    Returns:
        float32 `[B]`.
    """
    return ops.squeeze(logits, -1)


def negative_critic_loss(logits: Tensor) -> Tensor:
    """Give minus the critic's value: its loss on real images, and the generator's.

    Args:
        logits: float32 `[B, 1]`.

    Returns:
        float32 `[B]`.
    """
    return -ops.squeeze(logits, -1)


def unit_slope_penalty(image_gradients: Tensor) -> Tensor:
    """Squared distance of the slope of D from 1 (Gulrajani et al. 2017, eq. 3).

    Args:
        image_gradients: float32 `[B, H, W, C]`, at points between real and generated
            images.

    Returns:
        float32 `[B]`, without its factor lambda.
    """
    slope = ops.sqrt(gradient_penalty(image_gradients) + 1e-12)
    return ops.square(slope - 1.0)


def gradient_penalty(image_gradients: Tensor) -> Tensor:
    """Squared norm of the gradient of D's logit by the image.

    On real images this is the R1 penalty (Mescheder et al. 2018), without its factor
    gamma / 2.

    Args:
        image_gradients: float32 `[B, H, W, C]`.

    Returns:
        float32 `[B]`.
    """
    return ops.sum(ops.square(image_gradients), axis=(1, 2, 3))


def _logistic_ratio(logits: Tensor) -> Tensor:
    """softplus(-l)' / softplus(l)' = -exp(-l)."""
    return -ops.exp(-ops.maximum(logits, -60.0))


def _critic_ratio(logits: Tensor) -> Tensor:
    return -ops.ones_like(logits)


class AdversarialLoss(NamedTuple):
    """What D and G minimise.

    Attributes:
        real: Of D on real images.
        fake: Of D on generated images.
        generator: Of G.
        ratio: The derivative of `generator` by the logit as a multiple of that of
            `fake`; None where that is 0 and the other is not.
    """

    real: Callable[[Tensor], Tensor]
    fake: Callable[[Tensor], Tensor]
    generator: Callable[[Tensor], Tensor]
    ratio: Callable[[Tensor], Tensor] | None


LOSSES = ("logistic", "hinge", "wasserstein")


def get_loss(name: str, *, real_label: float = 1.0) -> AdversarialLoss:
    """Look up a loss by its name.

    Args:
        name: One of `LOSSES`; `"logistic"` is the non-saturating loss.
        real_label: Target for "real" of the logistic loss; see
            `discriminator_real_loss`.

    Raises:
        ValueError: An unknown name.
    """
    if name == "logistic":
        real = functools.partial(discriminator_real_loss, label=real_label)
        return AdversarialLoss(
            real, discriminator_fake_loss, generator_loss, _logistic_ratio
        )
    if name == "hinge":
        return AdversarialLoss(
            hinge_real_loss, hinge_fake_loss, negative_critic_loss, None
        )
    if name == "wasserstein":
        return AdversarialLoss(
            negative_critic_loss, critic_loss, negative_critic_loss, _critic_ratio
        )
    raise ValueError(f"`loss` must be one of {', '.join(LOSSES)}; got {name!r}.")
