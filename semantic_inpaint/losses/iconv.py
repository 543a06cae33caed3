"""The gradient penalties of IConv (Hukkelås et al. 2020, section 3.2).

All three are of the slope of a critic at a point between a real and an inpainted image,
without their factor lambda; the paper's M is `known`.
"""

from __future__ import annotations

from collections.abc import Callable

from keras import ops

from semantic_inpaint.backend import Tensor
from semantic_inpaint.losses import adversarial


def revised_slope_penalty(image_gradients: Tensor, known: Tensor) -> Tensor:
    """How far the slope in the hole exceeds 1 (eq. 10); not squared.

    A slope under 1 costs nothing, so that the size of the hole does not decide in which
    direction the critic is pushed.

    Args:
        image_gradients: float32 `[B, H, W, C]`, of the critic's value by the image.
        known: float32 `[B, H, W, 1]`, 1 where the pixel is observed.

    Returns:
        float32 `[B]`.
    """
    return ops.relu(hole_slope(image_gradients, known) - 1.0)


def hole_slope_penalty(image_gradients: Tensor, known: Tensor) -> Tensor:
    """Squared distance of the slope in the hole from 1 (eq. 9, Yu et al. 2018).

    Args:
        image_gradients: float32 `[B, H, W, C]`, of the critic's value by the image.
        known: float32 `[B, H, W, 1]`, 1 where the pixel is observed.

    Returns:
        float32 `[B]`; 1 where nothing is missing.
    """
    return adversarial.unit_slope_penalty(image_gradients * (1.0 - known))


def standard_slope_penalty(image_gradients: Tensor, known: Tensor) -> Tensor:
    """Squared distance of the slope of the whole image from 1 (eq. 8).

    Args:
        image_gradients: float32 `[B, H, W, C]`, of the critic's value by the image.
        known: Not read.

    Returns:
        float32 `[B]`.
    """
    del known
    return adversarial.unit_slope_penalty(image_gradients)


def hole_slope(image_gradients: Tensor, known: Tensor) -> Tensor:
    """L2 norm of the gradient by the missing pixels.

    Args:
        image_gradients: float32 `[B, H, W, C]`.
        known: float32 `[B, H, W, 1]`, 1 where the pixel is observed.

    Returns:
        float32 `[B]`; its own gradient is finite, also where nothing is missing.
    """
    squared = adversarial.gradient_penalty(image_gradients * (1.0 - known))
    return ops.sqrt(squared + 1e-12)


PENALTIES = ("revised", "hole", "standard")


def get_penalty(name: str) -> Callable[[Tensor, Tensor], Tensor]:
    """Look up a penalty by its name.

    Args:
        name: One of `PENALTIES`: `"revised"` (eq. 10), `"hole"` (eq. 9) or
            `"standard"` (eq. 8).

    Raises:
        ValueError: An unknown name.
    """
    found = {
        "revised": revised_slope_penalty,
        "hole": hole_slope_penalty,
        "standard": standard_slope_penalty,
    }.get(name)
    if found is None:
        raise ValueError(
            f"`penalty` must be one of {', '.join(PENALTIES)}; got {name!r}."
        )
    return found
