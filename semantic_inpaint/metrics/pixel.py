"""Errors pixel by pixel: MAE, MSE, RMSE, L1% and both kinds of mean PSNR.

`region` chooses the pixels that count: `~known` for the hole alone, None for the whole
image. An average over the whole image is smaller by the hole share where the known
pixels are kept, so say which one a number is.
"""

import numpy as np

from semantic_inpaint.metrics.validation import validate_images


def mean_absolute_error(
    images: np.ndarray,
    reference: np.ndarray,
    region: np.ndarray | None = None,
    *,
    scale: float = 255.0,
    data_range: float = 1.0,
) -> np.ndarray:
    """Mean absolute difference over pixels and channels, image by image.

    Args:
        images: float `[B, H, W, C]` in [0, `data_range`].
        reference: float `[B, H, W, C]`, the originals.
        region: bool `[B, H, W]`, True where pixels count; None is everywhere.
        scale: White in the units of the result; 255 gives those of Malesevic et al.,
            table 1.
        data_range: White in the images.

    Returns:
        float64 `[B]`, in [0, `scale`].

    Raises:
        TypeError: The images are not floating-point, or the region is not boolean.
        ValueError: Shapes differ, a value is not finite or out of range, or the region
            of an image is empty.
    """
    validate_images(images, reference, region, data_range)
    difference = np.abs(_difference(images, reference)) * (scale / data_range)
    return _region_mean(difference, region)


def mean_squared_error(
    images: np.ndarray,
    reference: np.ndarray,
    region: np.ndarray | None = None,
    *,
    scale: float = 255.0,
    data_range: float = 1.0,
) -> np.ndarray:
    """Mean squared difference over pixels and channels, image by image.

    Args:
        images: float `[B, H, W, C]` in [0, `data_range`].
        reference: float `[B, H, W, C]`, the originals.
        region: bool `[B, H, W]`, True where pixels count; None is everywhere.
        scale: White in the units whose square the result has; 255 gives those of
            Malesevic et al., table 1.
        data_range: White in the images.

    Returns:
        float64 `[B]`, in [0, `scale` ** 2].

    Raises:
        TypeError: The images are not floating-point, or the region is not boolean.
        ValueError: Shapes differ, a value is not finite or out of range, or the region
            of an image is empty.
    """
    validate_images(images, reference, region, data_range)
    difference = _difference(images, reference) * (scale / data_range)
    return _region_mean(difference**2, region)


def root_mean_squared_error(
    images: np.ndarray,
    reference: np.ndarray,
    region: np.ndarray | None = None,
    *,
    scale: float = 255.0,
    data_range: float = 1.0,
) -> np.ndarray:
    """Root of `mean_squared_error`, image by image.

    Arguments and errors are those of `mean_squared_error`. The mean of the results is
    not the root of the mean squared error, but below it.

    Returns:
        float64 `[B]`, in [0, `scale`].
    """
    return np.sqrt(
        mean_squared_error(
            images, reference, region, scale=scale, data_range=data_range
        )
    )


def l1_percent(
    images: np.ndarray,
    reference: np.ndarray,
    region: np.ndarray | None = None,
    *,
    data_range: float = 1.0,
) -> np.ndarray:
    """Mean absolute difference in percent of white, image by image.

    Liu et al. 2018 (partial convolutions), table 1, as l1(%); there over the whole
    image. Arguments and errors are those of `mean_absolute_error`.

    Returns:
        float64 `[B]`, in [0, 100].
    """
    return mean_absolute_error(
        images, reference, region, scale=100.0, data_range=data_range
    )


def peak_signal_to_noise_ratio(
    images: np.ndarray,
    reference: np.ndarray,
    region: np.ndarray | None = None,
    *,
    data_range: float = 1.0,
) -> np.ndarray:
    """PSNR image by image.

    Args:
        images: float `[B, H, W, C]` in [0, `data_range`].
        reference: float `[B, H, W, C]`, the originals.
        region: bool `[B, H, W]`, True where pixels count; None is everywhere.
        data_range: White in the images.

    Returns:
        float64 `[B]`, decibels; inf where an image equals its reference.

    Raises:
        TypeError: The images are not floating-point, or the region is not boolean.
        ValueError: Shapes differ, a value is not finite or out of range, or the region
            of an image is empty.
    """
    mse = mean_squared_error(images, reference, region, data_range=data_range)
    return psnr_from_mse(mse)


def mean_psnr(
    images: np.ndarray,
    reference: np.ndarray,
    region: np.ndarray | None = None,
    *,
    data_range: float = 1.0,
) -> float:
    """Mean over the images of their PSNR; never below `pooled_psnr`.

    Arguments and errors are those of `peak_signal_to_noise_ratio`.

    Returns:
        Decibels; inf as soon as a single image equals its reference.
    """
    psnr = peak_signal_to_noise_ratio(images, reference, region, data_range=data_range)
    return float(psnr.mean())


def pooled_psnr(
    images: np.ndarray,
    reference: np.ndarray,
    region: np.ndarray | None = None,
    *,
    data_range: float = 1.0,
) -> float:
    """PSNR of the mean over the images of their MSE.

    This is the kind that Malesevic et al. print: the PSNR of table 1 follows from the
    MSE beside it. Every image has the same weight, however large its region. Arguments
    and errors are those of `peak_signal_to_noise_ratio`.

    Returns:
        Decibels; inf only where all images equal their references.
    """
    mse = mean_squared_error(images, reference, region, data_range=data_range)
    return float(psnr_from_mse(mse.mean()))


def psnr_from_mse(mse: np.ndarray | float, *, scale: float = 255.0) -> np.ndarray:
    """Give the PSNR that belongs to a mean squared error.

    Args:
        mse: Mean squared errors of any shape, not negative.
        scale: White in the units of the error.

    Returns:
        float64 of the same shape, decibels: 10 log10(scale^2 / mse); inf at 0.

    Raises:
        ValueError: An error is negative or NaN.
    """
    mse = np.asarray(mse, dtype=np.float64)
    if not (mse >= 0).all():
        raise ValueError(
            f"`mse` must be 0 or more; got a minimum of {mse.min()}. "
            "Pass squared errors, on the same scale as `scale`."
        )
    with np.errstate(divide="ignore"):
        return 10.0 * np.log10(scale**2 / mse)


def _difference(images: np.ndarray, reference: np.ndarray) -> np.ndarray:
    """Subtract in double precision, as float16 images would lose the small errors."""
    return images.astype(np.float64) - reference.astype(np.float64)


def _region_mean(values: np.ndarray, region: np.ndarray | None) -> np.ndarray:
    """Average `[B, H, W, C]` over the channels and the pixels that count."""
    where = True if region is None else region[..., None]
    return values.mean(axis=(1, 2, 3), where=where)
