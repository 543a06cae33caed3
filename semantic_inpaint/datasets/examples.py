"""A real face that may be shown: the one that scikit-image ships."""

import numpy as np
from PIL import Image

from semantic_inpaint.images import fit_image

# Centres of the eyes and corners of the mouth, as x + iy in pixels: in the picture, and
# on average in CelebA's aligned faces, of which the square from (35, 55) is used.
_LANDMARKS = np.array([203.4 + 101.0j, 246.8 + 103.2j, 204.4 + 140.0j, 243.6 + 141.2j])
_CELEBA_LANDMARKS = np.array(
    [69.5 + 111.5j, 107.5 + 111.5j, 71.5 + 152.0j, 105.5 + 152.0j]
)
_CELEBA_ORIGIN = 35 + 55j
_CELEBA_CROP = 108
_FINE_SIZE = 512  # Finer than the picture, so that only the reduction needs care.


def astronaut(size: int = 64) -> np.ndarray:
    """Crop the portrait of Eileen Collins (NASA, public domain) like a CelebA face.

    A similarity transform puts eyes and mouth where they are in CelebA's centred 108 x
    108, in the least-squares sense.

    Args:
        size: Side of the result.

    Returns:
        float32 `[size, size, 3]` in [0, 1].

    Raises:
        ValueError: `size` is not positive.
    """
    from skimage.data import astronaut as portrait

    scale, offset = face_transform(_FINE_SIZE)
    rows = (scale.real, -scale.imag, offset.real, scale.imag, scale.real, offset.imag)
    fine = Image.fromarray(portrait()).transform(
        (_FINE_SIZE, _FINE_SIZE),
        Image.Transform.AFFINE,
        rows,
        Image.Resampling.BICUBIC,
    )
    return fit_image(np.asarray(fine, np.float32) / 255.0, size)[0]


def face_transform(size: int) -> tuple[complex, complex]:
    """Solve for the similarity from the cropped face to the portrait.

    Args:
        size: Side of the cropped face.

    Returns:
        `scale` and `offset`: the point `p = x + iy` of the crop is `scale * p + offset`
        of the portrait.
    """
    targets = (_CELEBA_LANDMARKS - _CELEBA_ORIGIN) * (size / _CELEBA_CROP)
    system = np.stack([targets, np.ones_like(targets)], axis=1)
    scale, offset = np.linalg.lstsq(system, _LANDMARKS, rcond=None)[0]
    return complex(scale), complex(offset)
