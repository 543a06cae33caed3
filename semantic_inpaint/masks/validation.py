"""What every array of known pixels must fulfil."""

import numpy as np


def validate_known(known: np.ndarray) -> None:
    """Check that each image has both observed and missing pixels.

    Args:
        known: bool `[H, W]` or `[B, H, W]`, True where the pixel is observed.

    Raises:
        TypeError: `known` is not a boolean array.
        ValueError: It has another number of axes, or is empty, or an image has no
            observed pixel (nothing to complete it from) or no missing one.
    """
    if not isinstance(known, np.ndarray) or known.dtype != np.bool_:
        raise TypeError(
            "`known` must be a boolean array, True where the pixel is observed; got "
            f"{getattr(known, 'dtype', type(known).__name__)}. "
            "Compare first, for example `values > 0.5`."
        )
    if known.ndim not in (2, 3) or known.size == 0:
        raise ValueError(
            f"`known` must have shape [H, W] or [B, H, W] and at least one pixel; "
            f"got {known.shape}. Drop the channel axis if there is one."
        )
    per_image = known.reshape(-1, known.shape[-2] * known.shape[-1])
    blank = np.flatnonzero(~per_image.any(axis=1))
    full = np.flatnonzero(per_image.all(axis=1))
    if blank.size:
        raise ValueError(
            f"no pixel is known{_which(known, blank)}, so there is nothing to complete "
            "the image from (as a file, the mask is all white). Paint black what is to "
            "be kept; if the mask is inverted, swap black and white."
        )
    if full.size:
        raise ValueError(
            f"no pixel is missing{_which(known, full)}, so there is nothing to inpaint "
            "(as a file, the mask is all black). Paint the hole white."
        )


def _which(known: np.ndarray, indices: np.ndarray) -> str:
    """Name the images at fault, where there is a batch to tell them apart in."""
    return "" if known.ndim == 2 else f" in image(s) {indices[:8].tolist()}"
