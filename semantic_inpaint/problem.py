"""What is asked, and what is answered: every method sees only these two."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

# Stands in the hole of every problem, so that nothing can read what was there.
HOLE_VALUE = 0.5


@dataclasses.dataclass(frozen=True, eq=False)
class InpaintingProblem:
    """Images and the pixels known of them.

    What stands in the holes is overwritten: a method cannot read it, by accident or
    otherwise.

    Attributes:
        images: float32 `[B, H, W, 3]` in [0, 1]; `HOLE_VALUE` in the holes.
        known: bool `[B, H, W]`, True where a pixel is observed.
        indices: int64 `[B]`, numbers of the images: what a method draws at random for
            an image depends on its seed and this number, not on the image's place in
            a batch. Default: 0, 1, 2 ...

    Raises:
        TypeError: `images` is not a float or `known` not a boolean array.
        ValueError: Shapes that do not fit, values outside [0, 1] or not finite in
            known pixels, an image with nothing known or with nothing missing.
    """

    images: np.ndarray
    known: np.ndarray
    indices: np.ndarray | None = None

    def __post_init__(self) -> None:
        """Check once, copy, and overwrite the holes."""
        images, known = np.asarray(self.images), np.asarray(self.known)
        _check_arrays(images, known)
        indices = np.arange(len(images)) if self.indices is None else self.indices
        indices = np.array(indices, np.int64)
        if indices.shape != (len(images),) or indices.min() < 0:
            raise ValueError(
                f"`indices` must be [B] = [{len(images)}] numbers of 0 or more; got "
                f"{indices.tolist()}."
            )
        images = np.where(known[..., None], images, HOLE_VALUE).astype(np.float32)
        known = known.copy()
        for array in (images, known, indices):
            array.setflags(write=False)
        object.__setattr__(self, "images", images)
        object.__setattr__(self, "known", known)
        object.__setattr__(self, "indices", indices)

    def __len__(self) -> int:
        """Return the number of images."""
        return len(self.images)

    @property
    def hole(self) -> np.ndarray:
        """Bool `[B, H, W]`, True where a pixel is missing."""
        return ~self.known

    def take(self, rows: slice | Sequence[int] | np.ndarray) -> InpaintingProblem:
        """Return the problem of some of the images; they keep their numbers."""
        return InpaintingProblem(
            self.images[rows], self.known[rows], self.indices[rows]
        )


@dataclasses.dataclass(frozen=True, eq=False)
class InpaintingResult:
    """The answer of a method.

    Attributes:
        completed: float32 `[B, H, W, 3]` in [0, 1]; known pixels are bit-exact.
        generated: float32 `[B, H, W, 3]` in [0, 1], what the method made before it
            was joined with the known pixels.
        stages: Further pictures of the same shape, in the order they were made.
        status: `"converged"`, `"max_steps"` or `"nonfinite"` for each image.
        stats: What else the method tells, arrays with a first axis of B.
    """

    completed: np.ndarray
    generated: np.ndarray
    stages: Mapping[str, np.ndarray] = dataclasses.field(default_factory=dict)
    status: tuple[str, ...] = ()
    stats: Mapping[str, Any] = dataclasses.field(default_factory=dict)

    def __len__(self) -> int:
        """Return the number of images."""
        return len(self.completed)


def concatenate_results(results: Sequence[InpaintingResult]) -> InpaintingResult:
    """Join the answers to consecutive parts of a problem.

    Raises:
        ValueError: There is nothing to join.
    """
    if not results:
        raise ValueError("no results to join; expected one or more.")
    first = results[0]
    return InpaintingResult(
        completed=np.concatenate([r.completed for r in results]),
        generated=np.concatenate([r.generated for r in results]),
        stages={
            name: np.concatenate([r.stages[name] for r in results])
            for name in first.stages
        },
        status=tuple(status for r in results for status in r.status),
        stats={
            name: np.concatenate([np.asarray(r.stats[name]) for r in results])
            for name in first.stats
        },
    )


def _check_arrays(images: np.ndarray, known: np.ndarray) -> None:
    if not np.issubdtype(images.dtype, np.floating):
        raise TypeError(
            f"`images` must be float in [0, 1]; got {images.dtype}. Divide 8-bit "
            "images by 255."
        )
    if known.dtype != np.bool_:
        raise TypeError(
            f"`known` must be bool, True = observed; got {known.dtype}. A mask file "
            "(white = hole) is read by `masks.load_known`."
        )
    if images.ndim != 4 or images.shape[-1] != 3 or len(images) == 0:
        raise ValueError(
            f"`images` must be [B, H, W, 3] with B > 0; got {list(images.shape)}."
        )
    if known.shape != images.shape[:3]:
        raise ValueError(
            f"`known` must be [B, H, W] = {list(images.shape[:3])}; got "
            f"{list(known.shape)}."
        )
    for index, (image, pixels) in enumerate(zip(images, known, strict=True)):
        if not pixels.any():
            raise ValueError(f"image {index} has no known pixel; nothing to go by.")
        if pixels.all():
            raise ValueError(f"image {index} has no missing pixel; nothing to fill.")
        values = image[pixels]
        if not np.isfinite(values).all():
            raise ValueError(
                f"image {index} has known pixels that are NaN or infinite; mark them "
                "as missing, or mend the image."
            )
        if values.min() < 0.0 or values.max() > 1.0:
            raise ValueError(
                f"image {index} has known pixels in [{values.min():g}, "
                f"{values.max():g}]; expected [0, 1]."
            )
