"""Does an image show a face? Asked of the frontal-face cascade of scikit-image."""

import functools
from collections.abc import Mapping
from types import MappingProxyType
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from skimage.feature import Cascade

# What `finds_face` does, in pixels of the enlarged image: its shorter side, and how far
# its borders are repeated, since a face may fill an image and the cascade's window not.
DETECTOR: Mapping[str, str | int | float] = MappingProxyType(
    {
        "cascade": "lbpcascade_frontalface_opencv",
        "side": 128,
        "margin": 32,
        "smallest_window": 64,
        "largest_window": 150,
        "scale_factor": 1.1,
        "step_ratio": 1,
        "min_neighbor_number": 4,
    }
)


def finds_face(images: np.ndarray) -> np.ndarray:
    """Tell in which images a frontal face is found that fills half a side or more.

    A cascade of local binary patterns (Viola and Jones 2001; Liao et al. 2007), which
    comes with scikit-image. Each image is enlarged or reduced to a shorter side of 128,
    its borders are repeated by 32 pixels, and windows of 64 to 150 pixels are tried;
    four or more that overlap make a face.

    Args:
        images: uint8 `[B, H, W, 3]`, no axis but B empty.

    Returns:
        bool `[B]`.

    Raises:
        TypeError: The images are not uint8.
        ValueError: Another shape.
    """
    if not isinstance(images, np.ndarray) or images.dtype != np.uint8:
        raise TypeError(
            "`images` must be a uint8 array; got "
            f"{getattr(images, 'dtype', type(images).__name__)}. "
            "Multiply values in [0, 1] by 255 and round them."
        )
    if images.ndim != 4 or images.shape[3] != 3 or 0 in images.shape[1:]:
        raise ValueError(
            f"`images` must have shape [B, H, W, 3]; got {images.shape}. "
            "Add a batch axis to a single image."
        )
    return np.array([_has_face(image) for image in images], bool)


def _has_face(image: np.ndarray) -> bool:
    from skimage.transform import resize

    scale = DETECTOR["side"] / min(image.shape[:2])
    sides = [round(scale * side) for side in image.shape[:2]]
    enlarged = np.rint(resize(image, sides, order=1, preserve_range=True))
    margin = DETECTOR["margin"]
    padded = np.pad(
        enlarged.astype(np.uint8), [(margin, margin), (margin, margin), (0, 0)], "edge"
    )
    found = _cascade().detect_multi_scale(
        padded,
        scale_factor=DETECTOR["scale_factor"],
        step_ratio=DETECTOR["step_ratio"],
        min_size=(DETECTOR["smallest_window"],) * 2,
        max_size=(DETECTOR["largest_window"],) * 2,
        min_neighbor_number=DETECTOR["min_neighbor_number"],
    )
    return len(found) > 0


@functools.cache
def _cascade() -> "Cascade":
    """Read the cascade, a file of scikit-image itself: nothing is downloaded."""
    from skimage.data import lbp_frontal_face_cascade_filename
    from skimage.feature import Cascade

    return Cascade(lbp_frontal_face_cascade_filename())
