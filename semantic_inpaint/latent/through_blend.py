"""A discriminator that judges what will be delivered: the blended image.

The objectives of the papers show it G(z), whose known pixels nobody will see. For one
hole the blend is a fixed linear map (`blending.extension`), so the search can
differentiate through it, and let the discriminator see the seam.
"""

from __future__ import annotations

import dataclasses
from typing import NamedTuple

import numpy as np
from keras import ops

from semantic_inpaint.backend import Tensor
from semantic_inpaint.blending.extension import Extension, boundary_extension
from semantic_inpaint.latent.objective import Objective, SearchTarget


class BlendTarget(NamedTuple):
    """A `SearchTarget` that knows how its hole is blended; see there for the rest.

    Attributes:
        known: float32 `[B, H, W, 1]`, 1 where observed, in both stages; `images` has
            the observation there.
        extension: Of each image's hole.
    """

    images: Tensor
    weights: Tensor
    known: Tensor
    consensus_weight: Tensor
    scale: Tensor
    anchor: Tensor | None
    extension: Extension


@dataclasses.dataclass(frozen=True)
class BlendedObjective(Objective):
    """`Objective`, whose discriminator judges the blended image; see there.

    The content and consensus losses are of G(z), as they were: the blend hides an
    offset of the whole hole from the discriminator, but they still see it.
    """

    def judged(self, generated: Tensor, target: BlendTarget) -> Tensor:
        """Return the image that will be delivered, float32 `[B, H, W, 3]`."""
        return blend(generated, target.images, target.known, target.extension)


def blend(
    generated: Tensor, observed: Tensor, known: Tensor, extension: Extension
) -> Tensor:
    """Blend as `poisson_blend` does, differentiably and on the device.

    Args:
        generated: float32 `[B, H, W, 3]` in [-1, 1], `G(z)`.
        observed: float32 `[B, H, W, 3]` in [-1, 1]; finite in the hole too, where it
            does not count.
        known: float32 `[B, H, W, 1]`, 1 where observed.
        extension: Of the holes.

    Returns:
        float32 `[B, H, W, 3]`, the overshoot of the blend cut off at -1 and 1.
    """
    height, width, channels = generated.shape[1:]
    count, size = ops.shape(generated)[0], height * width
    # Places among the pixels of all images, laid end to end.
    first = size * ops.arange(count, dtype="int32")[:, None]
    offset = ops.reshape(observed - generated, (-1, channels))
    rim = ops.take(offset, first + extension.rim, axis=0)
    correction = ops.matmul(extension.matrix, rim)
    carried = ops.scatter(
        ops.reshape(first + extension.hole, (-1, 1)),
        ops.reshape(correction, (-1, channels)),
        (count * size, channels),
    )
    composite = known * observed + (1.0 - known) * generated
    blended = composite + ops.reshape(carried, (-1, height, width, channels))
    return ops.clip(blended, -1.0, 1.0)


def blend_target(
    target: SearchTarget, known: np.ndarray, *, operator: str = "gradient"
) -> BlendTarget:
    """Add to a target what a `BlendedObjective` needs.

    It holds a dense matrix for each image (see `boundary_extension` for their sizes);
    on the device are those of a search's slots.

    Args:
        target: Of either stage; its images have the observation where `known`.
        known: bool `[B, H, W]`; at least one True in each image.
        operator: D of the blend.

    Raises:
        TypeError: `known` is not bool.
        ValueError: `known` does not fit the images, leaves one of them no known pixel,
            or `operator` is unknown.
    """
    if known.shape != target.images.shape[:3]:
        raise ValueError(
            f"`known` must be {target.images.shape[:3]} like the images of the target; "
            f"got {known.shape}."
        )
    extension = boundary_extension(known, operator=operator)
    fields = target._asdict() | {"known": known.astype(np.float32)[..., None]}
    return BlendTarget(**fields, extension=extension)
