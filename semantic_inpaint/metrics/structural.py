"""Structural similarity, over the whole image or over the hole alone."""

import numpy as np
from skimage.metrics import structural_similarity

from semantic_inpaint.metrics.validation import validate_images

# Side of a Gaussian window of sigma 1.5 cut at 3.5 sigma.
_WINDOW_SIZE = 11


def similarity_map(
    images: np.ndarray, reference: np.ndarray, *, data_range: float = 1.0
) -> np.ndarray:
    """Structural similarity (Wang et al. 2004) around each pixel.

    Gaussian windows of sigma 1.5 and 11 pixels, population covariances, K1 = 0.01 and
    K2 = 0.03; each channel by itself, then their mean. Beyond its border an image is
    mirrored.

    Args:
        images: float `[B, H, W, C]` in [0, `data_range`], H and W at least 11.
        reference: float `[B, H, W, C]`, the originals.
        data_range: White in the images.

    Returns:
        float64 `[B, H, W]`, at most 1, which equal surroundings reach.

    Raises:
        TypeError: The images are not floating-point.
        ValueError: Shapes differ, images are smaller than a window, or a value is not
            finite or out of range.
    """
    validate_images(images, reference, None, data_range)
    if min(images.shape[1:3]) < _WINDOW_SIZE:
        raise ValueError(
            f"images must be at least {_WINDOW_SIZE} x {_WINDOW_SIZE} pixels for the "
            f"window of the similarity; got {images.shape[1]} x {images.shape[2]}."
        )
    similarity = np.empty(images.shape[:3])
    for index in range(len(images)):
        _, by_channel = structural_similarity(
            images[index].astype(np.float64),
            reference[index].astype(np.float64),
            gaussian_weights=True,
            sigma=1.5,
            use_sample_covariance=False,
            channel_axis=-1,
            data_range=data_range,
            full=True,
        )
        similarity[index] = by_channel.mean(axis=-1)
    return similarity


def mssim(
    images: np.ndarray,
    reference: np.ndarray,
    region: np.ndarray | None = None,
    *,
    data_range: float = 1.0,
) -> np.ndarray:
    """Mean of `similarity_map` over the pixels that count, image by image.

    The pixels at the image border count, too, because holes touch it; scikit-image's
    own mean leaves out a margin of 5 pixels. In a region, the windows centred on its
    pixels count; they also see what surrounds the region.

    Args:
        images: float `[B, H, W, C]` in [0, `data_range`], H and W at least 11.
        reference: float `[B, H, W, C]`, the originals.
        region: bool `[B, H, W]`, True where pixels count; None is everywhere.
        data_range: White in the images.

    Returns:
        float64 `[B]`, at most 1, which equal images reach.

    Raises:
        TypeError: The images are not floating-point, or the region is not boolean.
        ValueError: Shapes differ, images are smaller than a window, a value is not
            finite or out of range, or the region of an image is empty.
    """
    validate_images(images, reference, region, data_range)
    similarity = similarity_map(images, reference, data_range=data_range)
    return similarity.mean(axis=(1, 2), where=True if region is None else region)
