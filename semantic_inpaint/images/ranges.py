"""Pixel ranges: [0, 1] everywhere, [-1, 1] in the networks, 0 to 255 in files."""

import numpy as np

_TOLERANCE = 1e-3  # Rounding, of a network in half precision say; not a 0-255 image.


def to_network(images: np.ndarray) -> np.ndarray:
    """Map [0, 1] to [-1, 1], as float32."""
    return np.asarray(images, np.float32) * 2.0 - 1.0


def from_network(images: np.ndarray) -> np.ndarray:
    """Map [-1, 1] to [0, 1], as float32; what lies outside is clipped."""
    return np.clip(np.asarray(images, np.float32) * 0.5 + 0.5, 0.0, 1.0)


def to_uint8(images: np.ndarray) -> np.ndarray:
    """Round to 8 bits.

    Args:
        images: Any shape: float in [0, 1], bool (True becomes 255), or uint8.

    Returns:
        uint8 of the same shape.

    Raises:
        TypeError: Another dtype.
        ValueError: A value outside [0, 1], or not finite.
    """
    if images.dtype == np.uint8:
        return images
    if images.dtype == np.bool_:
        return np.where(images, np.uint8(255), np.uint8(0))
    if not np.issubdtype(images.dtype, np.floating):
        raise TypeError(
            f"an image must be float in [0, 1], uint8 or bool; got {images.dtype}. "
            "Convert it first."
        )
    if not np.isfinite(images).all():
        raise ValueError("an image has values that are not finite. Repair it first.")
    if images.size and (images.min() < -_TOLERANCE or images.max() > 1 + _TOLERANCE):
        raise ValueError(
            f"a float image must be in [0, 1]; got [{images.min():.4g}, "
            f"{images.max():.4g}]. Divide by 255 or clip it, or use `from_network`."
        )
    return np.rint(np.clip(images, 0.0, 1.0) * 255.0).astype(np.uint8)
