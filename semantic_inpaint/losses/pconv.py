"""The terms of the loss of Liu et al. (2018, section 3.3), for partial convolutions.

Tensors in, one value per image out. Every norm is the mean over all elements of what
stands in it, not the sum: so the first author explains the weights of equation 7
(1, 6, .05, 120 and .1), which the paper prints beside plain norms. In particular the
errors of the hole are divided by the size of the image, not by that of the hole.
"""

from __future__ import annotations

from collections.abc import Sequence

from keras import ops

from semantic_inpaint.backend import Tensor

IMAGE_AXES = (1, 2, 3)


def valid_loss(generated: Tensor, reference: Tensor, known: Tensor) -> Tensor:
    """Mean absolute error of what is known (L_valid in equation 7).

    Args:
        generated: float32 `[B, H, W, C]`, I_out.
        reference: float32 `[B, H, W, C]`, I_gt.
        known: float32 `[B, H, W, 1]`, 0 in the hole and 1 elsewhere.

    Returns:
        float32 `[B]`.
    """
    return ops.mean(known * ops.abs(generated - reference), axis=IMAGE_AXES)


def hole_loss(generated: Tensor, reference: Tensor, known: Tensor) -> Tensor:
    """Mean absolute error in the hole (L_hole in equation 7); see `valid_loss`."""
    return valid_loss(generated, reference, 1.0 - known)


def perceptual_loss(maps: Sequence[Tensor], reference_maps: Sequence[Tensor]) -> Tensor:
    """Distance of one image from the truth in the space of features (equation 3).

    The equation adds it up for I_out and for I_comp.

    Args:
        maps: Of the image, float `[B, h, w, c]` of each selected layer.
        reference_maps: Of the truth, alike.

    Returns:
        float32 `[B]`: mean absolute differences, summed over the layers.
    """
    return sum(
        ops.mean(ops.abs(_float32(a) - _float32(b)), axis=IMAGE_AXES)
        for a, b in zip(maps, reference_maps, strict=True)
    )


def style_loss(maps: Sequence[Tensor], reference_maps: Sequence[Tensor]) -> Tensor:
    """Distance of one image from the truth in style (equations 4 and 5).

    Args:
        maps: Of the image, float `[B, h, w, c]` of each selected layer.
        reference_maps: Of the truth, alike.

    Returns:
        float32 `[B]`: mean absolute differences of the Gram matrices, summed over the
        layers.
    """
    return sum(
        ops.mean(ops.abs(gram_matrix(a) - gram_matrix(b)), axis=(1, 2))
        for a, b in zip(maps, reference_maps, strict=True)
    )


def gram_matrix(maps: Tensor) -> Tensor:
    """Products of channels over all places, divided by C H W (K_n of equation 4).

    Args:
        maps: float `[B, H, W, C]`.

    Returns:
        float32 `[B, C, C]`.
    """
    _, height, width, channels = maps.shape
    rows = ops.reshape(_float32(maps), (-1, height * width, channels))
    products = ops.matmul(ops.transpose(rows, (0, 2, 1)), rows)
    return products / (channels * height * width)


def hole_variation(composite: Tensor, known: Tensor) -> Tensor:
    """Total variation where the hole meets the rest, and within it (equation 6).

    Only neighbours that both lie in P count, the hole grown by one pixel to all
    eight sides.

    Args:
        composite: float32 `[B, H, W, C]`, I_comp: the hole filled, the rest true.
        known: float32 `[B, H, W, 1]`, 0 in the hole and 1 elsewhere.

    Returns:
        float32 `[B]`: the mean over all horizontal neighbours of the image plus that
        over all vertical ones.
    """
    grown = ops.max_pool(1.0 - known, 3, strides=1, padding="same")
    across = ops.abs(composite[:, :, 1:] - composite[:, :, :-1])
    down = ops.abs(composite[:, 1:] - composite[:, :-1])
    across = across * grown[:, :, 1:] * grown[:, :, :-1]
    down = down * grown[:, 1:] * grown[:, :-1]
    return ops.mean(across, axis=IMAGE_AXES) + ops.mean(down, axis=IMAGE_AXES)


def _float32(x: Tensor) -> Tensor:
    """Sums over thousands of places need more digits than bfloat16 has."""
    return ops.cast(x, "float32")
