"""What `run` fills, in parts that each have one size."""

from __future__ import annotations

import dataclasses

from semantic_inpaint.app.inputs import (
    Holes,
    Images,
    make_holes,
    read_images,
    read_whole_images,
)
from semantic_inpaint.app.options import RunOptions


@dataclasses.dataclass(frozen=True, eq=False)
class Part:
    """Images of one size with their holes.

    Attributes:
        images: To fill.
        kinds: Of holes; of every part the same, in the same order.
    """

    images: Images
    kinds: list[Holes]


def read_parts(options: RunOptions, size: int) -> list[Part]:
    """Load images and make their holes: fitted to `size`, or whole.

    Raises:
        ValueError: As of `read_images` and `make_holes`.
    """
    found = (
        read_whole_images(options) if options.whole else [read_images(options, size)]
    )
    return [Part(images, make_holes(options, images)) for images in found]
