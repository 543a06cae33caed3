"""Losses that train a GAN. Logits in, one value per image out."""

from __future__ import annotations

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
