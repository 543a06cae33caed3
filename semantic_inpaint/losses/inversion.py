"""Losses that find a code. Tensors in, one value per image out.

All are sums over pixels and channels, as the papers write them; whoever weighs them
against each other (`latent.objective`) chooses the scale.
"""

from __future__ import annotations

from keras import ops

from semantic_inpaint.backend import Tensor


def content_loss(generated: Tensor, observed: Tensor, weights: Tensor) -> Tensor:
    """Weighted L1 distance on the known pixels (Malesevic et al., eq. 4).

    Args:
        generated: float32 `[B, H, W, 3]` in [-1, 1], `G(z)`.
        observed: float32 `[B, H, W, 3]` in [-1, 1]; finite in the hole too, where
            the weights keep it from counting.
        weights: float32 `[B, H, W, 1]`, zero in the hole.

    Returns:
        float32 `[B]`, summed over pixels and channels.
    """
    return ops.sum(weights * ops.abs(generated - observed), axis=(1, 2, 3))


def prior_loss(logits: Tensor) -> Tensor:
    """The papers' perception loss, log(1 - D(x)) (Malesevic et al., eq. 5).

    Args:
        logits: float32 `[B, 1]`, of the discriminator on `G(z)`.

    Returns:
        float32 `[B]`, at most 0; lower for images that look real. From logits, so
        that it stays finite where D is 1 to the last digit.
    """
    return -ops.softplus(ops.squeeze(logits, -1))


def anchor_loss(codes: Tensor, anchor: Tensor) -> Tensor:
    """Squared distance of the codes from those that a search is to stay near.

    Our extension, in the spirit of in-domain inversion (Zhu et al. 2020), where an
    encoder's opinion of G(z) holds the code; here its first code itself does.

    Args:
        codes: float32 `[B, latent_dim]`.
        anchor: float32 `[B, latent_dim]`.

    Returns:
        float32 `[B]`, summed over the code.
    """
    return ops.sum(ops.square(codes - anchor), axis=1)


def global_consensus(generated: Tensor, blended: Tensor, known: Tensor) -> Tensor:
    """L1 distance to the blended image on all known pixels (Malesevic et al., eq. 7).

    Args:
        generated: float32 `[B, H, W, 3]` in [-1, 1], `G(z)`.
        blended: float32 `[B, H, W, 3]` in [-1, 1], the first stage's result.
        known: float32 `[B, H, W, 1]`, 1 where observed.

    Returns:
        float32 `[B]`, summed over pixels and channels.
    """
    return ops.sum(known * ops.abs(generated - blended), axis=(1, 2, 3))


def inpainting_consensus(generated: Tensor, blended: Tensor, known: Tensor) -> Tensor:
    """L1 distance to the blended image in the hole (Malesevic et al., eq. 8).

    Args:
        generated: float32 `[B, H, W, 3]` in [-1, 1], `G(z)`.
        blended: float32 `[B, H, W, 3]` in [-1, 1], the first stage's result.
        known: float32 `[B, H, W, 1]`, 1 where observed.

    Returns:
        float32 `[B]`, summed over pixels and channels.
    """
    return ops.sum((1.0 - known) * ops.abs(generated - blended), axis=(1, 2, 3))
