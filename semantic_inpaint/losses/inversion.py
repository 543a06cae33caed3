"""Losses that find a code. Tensors in, one value per image out.

All are sums over pixels and channels, as the papers write them; whoever weighs them
against each other (`latent.targets`) chooses the scale.
"""

from __future__ import annotations

from collections.abc import Callable

from keras import ops

from semantic_inpaint.backend import Tensor

# Of a scale of [-1, 1]: 13 of the 255 levels of a picture.
CORNER = 0.1


def smooth_absolute(difference: Tensor) -> Tensor:
    """Half the square of a difference below 1, its size less a half beyond.

    The "smooth L1" of Girshick (2015, eq. 3), element by element: one slope at 1 from
    either side, and no corner at 0.
    """
    size = ops.abs(difference)
    return ops.where(size < 1.0, 0.5 * ops.square(difference), size - 0.5)


def rounded_absolute(difference: Tensor) -> Tensor:
    """Size of a difference, its corner at 0 rounded off within `CORNER` (Huber 1964).

    Beyond it the slope is 1, as of the absolute value, which lies half of it higher.
    """
    size = ops.abs(difference)
    inside = 0.5 / CORNER * ops.square(difference)
    return ops.where(size < CORNER, inside, size - 0.5 * CORNER)


DISTANCES: dict[str, Callable] = {
    "absolute": ops.abs,
    "rounded": rounded_absolute,
    "squared": ops.square,
    "smooth": smooth_absolute,
}
"""What the content losses make of each difference of two pixels."""


def content_loss(
    generated: Tensor,
    observed: Tensor,
    weights: Tensor,
    *,
    distance: str = "absolute",
) -> Tensor:
    """Weighted distance on the known pixels (Malesevic et al., eq. 4, with L1).

    Args:
        generated: float32 `[B, H, W, 3]` in [-1, 1], `G(z)`.
        observed: float32 `[B, H, W, 3]` in [-1, 1]; finite in the hole too, where
            the weights keep it from counting.
        weights: float32 `[B, H, W, 1]`, zero in the hole.
        distance: Of two pixels, one of `DISTANCES`; `"absolute"` is the papers' L1.

    Returns:
        float32 `[B]`, summed over pixels and channels.
    """
    differences = DISTANCES[distance](generated - observed)
    return ops.sum(weights * differences, axis=(1, 2, 3))


def prior_loss(logits: Tensor) -> Tensor:
    """The papers' perception loss, log(1 - D(x)) (Malesevic et al., eq. 5).

    Args:
        logits: float32 `[B, 1]`, of the discriminator on `G(z)`.

    Returns:
        float32 `[B]`, at most 0; lower for images that look real. From logits, so
        that it stays finite where D is 1 to the last digit.
    """
    return -ops.softplus(ops.squeeze(logits, -1))


def non_saturating_prior_loss(logits: Tensor) -> Tensor:
    """Give -log D(x), which the public codes minimise in place of log(1 - D(x)).

    The generator's loss that does not saturate (Goodfellow et al. 2014, section 3):
    its slope is steepest where an image does not look real, that of `prior_loss`
    where it does.

    Args:
        logits: float32 `[B, 1]`, of the discriminator on `G(z)`.

    Returns:
        float32 `[B]`, at least 0; lower for images that look real.
    """
    return ops.softplus(-ops.squeeze(logits, -1))


PRIOR_LOSSES: dict[str, Callable] = {
    "saturating": prior_loss,
    "non-saturating": non_saturating_prior_loss,
}
"""Ways to ask the discriminator, by name."""


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


def global_consensus(
    generated: Tensor, blended: Tensor, known: Tensor, *, distance: str = "absolute"
) -> Tensor:
    """Distance to the blended image on all known pixels (Malesevic et al., eq. 7).

    Args:
        generated: float32 `[B, H, W, 3]` in [-1, 1], `G(z)`.
        blended: float32 `[B, H, W, 3]` in [-1, 1], the first stage's result.
        known: float32 `[B, H, W, 1]`, 1 where observed.
        distance: As of `content_loss`.

    Returns:
        float32 `[B]`, summed over pixels and channels.
    """
    return content_loss(generated, blended, known, distance=distance)


def inpainting_consensus(
    generated: Tensor, blended: Tensor, known: Tensor, *, distance: str = "absolute"
) -> Tensor:
    """Distance to the blended image in the hole (Malesevic et al., eq. 8).

    Args:
        generated: float32 `[B, H, W, 3]` in [-1, 1], `G(z)`.
        blended: float32 `[B, H, W, 3]` in [-1, 1], the first stage's result.
        known: float32 `[B, H, W, 1]`, 1 where observed.
        distance: As of `content_loss`.

    Returns:
        float32 `[B]`, summed over pixels and channels.
    """
    return content_loss(generated, blended, 1.0 - known, distance=distance)
