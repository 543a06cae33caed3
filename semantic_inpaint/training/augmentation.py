"""Differentiable augmentation (Zhao et al. 2020): what D sees, real and generated.

D judges only changed images, so that it cannot learn few faces by heart, and G is
taught through the change. Each change is a smooth function of the image and of
random numbers that are drawn outside.
"""

from __future__ import annotations

from keras import ops

from semantic_inpaint.backend import Tensor

POLICIES = ("color", "translation", "cutout")
NUM_DRAWS = 7
SHIFT, CUT = 0.125, 0.5


def augment(images: Tensor, draws: Tensor, policy: tuple[str, ...]) -> Tensor:
    """Change each image by its own random numbers.

    Args:
        images: float32 `[B, H, W, 3]` in [-1, 1].
        draws: float32 `[B, NUM_DRAWS]`, uniform in [0, 1).
        policy: Some of `POLICIES`, done in this order: brightness, saturation and
            contrast; a shift by up to an eighth of the side, with zeros coming in; a
            square of half the side set to zero.

    Returns:
        float32 `[B, H, W, 3]`; colours may leave [-1, 1].
    """
    brightness, saturation, contrast = (draws[:, i, None, None, None] for i in range(3))
    down, right, top, left = (draws[:, i] for i in range(3, NUM_DRAWS))
    if "color" in policy:
        images = images + (brightness - 0.5)
        grey = ops.mean(images, axis=3, keepdims=True)
        images = grey + (images - grey) * (2.0 * saturation)
        mean = ops.mean(images, axis=(1, 2, 3), keepdims=True)
        images = mean + (images - mean) * (contrast + 0.5)
    height, width = images.shape[1:3]
    if "translation" in policy:
        images = ops.einsum("bij,bjwc->biwc", _shift(down, height), images)
        images = ops.einsum("bwv,bhvc->bhwc", _shift(right, width), images)
    if "cutout" in policy:
        rows, columns = _inside(top, height), _inside(left, width)
        cut = rows[:, :, None, None] * columns[:, None, :, None]
        images = images * (1.0 - cut)
    return images


def _shift(draw: Tensor, size: int) -> Tensor:
    """0/1 matrices `[B, size, size]` that move rows by up to SHIFT of `size`."""
    reach = round(SHIFT * size)
    offset = ops.floor(draw * (2 * reach + 1)) - reach
    places = ops.arange(size, dtype="float32")
    source = places[None, :, None] - offset[:, None, None]
    return ops.cast(ops.equal(source, places[None, None, :]), "float32")


def _inside(draw: Tensor, size: int) -> Tensor:
    """1 in an interval of CUT of `size` round a random place, `[B, size]`."""
    center = ops.floor(draw * (size + 1))
    places = ops.arange(size, dtype="float32")[None]
    first = center[:, None] - round(CUT * size) // 2
    within = ops.logical_and(places >= first, places < first + round(CUT * size))
    return ops.cast(within, "float32")
