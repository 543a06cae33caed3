"""The five losses of PConv-GAN (Lundgren, Bolin & Jersch 2018, section 4.4).

The paper's pixels are in [0, 1] and ours in [-1, 1]: squared errors are taken in the
paper's unit, or its 1/2000 of the adversarial term would weigh a quarter of what it
does there. In its formulas `I_in` stands for the image without a hole, and the real
image of the discriminator's loss is written `I_out`; both are slips of the pen.
"""

from __future__ import annotations

from keras import ops

from semantic_inpaint.backend import Tensor
from semantic_inpaint.losses import adversarial

VALID_WEIGHT = 1 / 6
ADVERSARIAL_WEIGHT = 1 / 2000


def hole_error(generated: Tensor, images: Tensor, known: Tensor) -> Tensor:
    """Squared error in the hole, over all elements of the image (`L_MSE^+`).

    Args:
        generated: float32 `[B, H, W, 3]` in [-1, 1].
        images: float32 `[B, H, W, 3]` in [-1, 1], nothing missing.
        known: float32 `[B, H, W, 1]`, 1 where the pixel is observed.

    Returns:
        float32 `[B]`, in units of pixels in [0, 1].
    """
    return _squared_error(generated, images, 1.0 - known)


def valid_error(generated: Tensor, images: Tensor, known: Tensor) -> Tensor:
    """Squared error on the known pixels, over all elements of the image (`L_MSE^-`).

    Args:
        generated: float32 `[B, H, W, 3]` in [-1, 1].
        images: float32 `[B, H, W, 3]` in [-1, 1], nothing missing.
        known: float32 `[B, H, W, 1]`, 1 where the pixel is observed.

    Returns:
        float32 `[B]`, in units of pixels in [0, 1].
    """
    return _squared_error(generated, images, known)


def reconstruction_loss(
    generated: Tensor,
    images: Tensor,
    known: Tensor,
    *,
    valid_weight: float = VALID_WEIGHT,
) -> Tensor:
    """Error in the hole and a sixth of that outside it (`L_MSE`).

    Args:
        generated: float32 `[B, H, W, 3]` in [-1, 1].
        images: float32 `[B, H, W, 3]` in [-1, 1], nothing missing.
        known: float32 `[B, H, W, 1]`, 1 where the pixel is observed.
        valid_weight: Weight of the known pixels; the paper: 1/6.

    Returns:
        float32 `[B]`.
    """
    missing = hole_error(generated, images, known)
    return missing + valid_weight * valid_error(generated, images, known)


def discriminator_loss(real_logits: Tensor, fake_logits: Tensor) -> Tensor:
    """Cross-entropy of D on real and on inpainted images (`L_D`).

    Args:
        real_logits: float32 `[B, 1]`.
        fake_logits: float32 `[B, 1]`.

    Returns:
        float32 `[B]`.
    """
    real = adversarial.discriminator_real_loss(real_logits)
    return real + adversarial.discriminator_fake_loss(fake_logits)


def generator_loss(
    reconstruction: Tensor,
    fake_logits: Tensor,
    *,
    adversarial_weight: float = ADVERSARIAL_WEIGHT,
) -> Tensor:
    """Reconstruction, and what D thinks of the inpainted image (`L_G`).

    Args:
        reconstruction: float32 `[B]`, from `reconstruction_loss`.
        fake_logits: float32 `[B, 1]` of D on inpainted images.
        adversarial_weight: The paper: 1/2000.

    Returns:
        float32 `[B]`.
    """
    return reconstruction + adversarial_weight * adversarial.generator_loss(fake_logits)


def _squared_error(generated: Tensor, images: Tensor, weights: Tensor) -> Tensor:
    difference = 0.5 * (generated - images)
    return ops.mean(weights * ops.square(difference), axis=(1, 2, 3))
