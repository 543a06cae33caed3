"""What every metric asks of its images."""

import numpy as np

# Rounding of a change of range in float32, not overshoot.
_RANGE_TOLERANCE = 1e-5


def validate_images(
    images: np.ndarray,
    reference: np.ndarray,
    region: np.ndarray | None,
    data_range: float,
) -> None:
    """Check a batch of images, its reference and the region to compare them in.

    Args:
        images: float `[B, H, W, C]` in [0, `data_range`].
        reference: float `[B, H, W, C]` in [0, `data_range`].
        region: bool `[B, H, W]`, True where pixels count; None is everywhere.
        data_range: White.

    Raises:
        TypeError: The images are not floating-point, or the region is not boolean.
        ValueError: Shapes differ, a value is not finite or out of range, or the region
            of an image is empty.
    """
    if not (np.isfinite(data_range) and data_range > 0):
        raise ValueError(f"`data_range` must be finite and positive; got {data_range}.")
    _validate_values("images", images, data_range)
    _validate_values("reference", reference, data_range)
    if images.shape != reference.shape:
        raise ValueError(
            f"`images` and `reference` must have the same shape; got {images.shape} "
            f"and {reference.shape}."
        )
    if region is None:
        return
    if not isinstance(region, np.ndarray) or region.dtype != np.bool_:
        raise TypeError(
            "`region` must be a boolean array, such as `known` or `~known`; got "
            f"{getattr(region, 'dtype', type(region).__name__)}."
        )
    if region.shape != images.shape[:3]:
        raise ValueError(
            f"`region` must have shape [B, H, W] = {images.shape[:3]}; "
            f"got {region.shape}."
        )
    empty = np.flatnonzero(~region.any(axis=(1, 2)))
    if empty.size:
        raise ValueError(
            f"`region` has no pixel in image(s) {empty[:8].tolist()}. "
            "Leave those images out: no error is defined on nothing."
        )


def _validate_values(name: str, values: np.ndarray, data_range: float) -> None:
    if not isinstance(values, np.ndarray) or not np.issubdtype(
        values.dtype, np.floating
    ):
        raise TypeError(
            f"`{name}` must be a floating-point array; got "
            f"{getattr(values, 'dtype', type(values).__name__)}. "
            "Divide 8-bit values by 255."
        )
    if values.ndim != 4 or values.size == 0:
        raise ValueError(
            f"`{name}` must have shape [B, H, W, C] and no empty axis; "
            f"got {values.shape}. Add a batch axis to a single image."
        )
    bad = np.flatnonzero(~np.isfinite(values).all(axis=(1, 2, 3)))
    if bad.size:
        raise ValueError(
            f"`{name}` has NaN or infinite values in image(s) {bad[:8].tolist()}. "
            "Leave those images out and report them as failed."
        )
    low, high = float(values.min()), float(values.max())
    slack = _RANGE_TOLERANCE * data_range
    if low < -slack or high > data_range + slack:
        raise ValueError(
            f"`{name}` must lie in [0, {data_range:g}]; got [{low:g}, {high:g}]. "
            "Clip them, change their range, or pass another `data_range`."
        )
