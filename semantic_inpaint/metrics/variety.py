"""How much several answers to one question differ, and which is nearest the truth."""

import numpy as np
from scipy.spatial.distance import pdist

from semantic_inpaint.metrics.pixel import mean_squared_error


def uncertainty_map(completed: np.ndarray) -> np.ndarray:
    """Standard deviation of the answers, pixel by pixel.

    Args:
        completed: float `[B, S, H, W, C]`, S answers for each image, two or more.

    Returns:
        float64 `[B, H, W]`, in the units of the images: over the answers the standard
        deviation with S as divisor, over the channels its root mean square. Zero
        where all agree, as they do on known pixels.

    Raises:
        TypeError: The images are not floating-point.
        ValueError: Another shape, fewer than two answers, or a value is not finite.
    """
    _validate_answers(completed, least=2)
    variance = completed.astype(np.float64).var(axis=1)
    return np.sqrt(variance.mean(axis=-1))


def hole_diversity(completed: np.ndarray, known: np.ndarray) -> np.ndarray:
    """Mean distance between two answers, over the hole.

    Args:
        completed: float `[B, S, H, W, C]`, S answers for each image, two or more.
        known: bool `[B, H, W]`, True where observed.

    Returns:
        float64 `[B]`: over the pairs of answers the mean of the root mean square of
        their differences over the hole's pixels and channels, in the units of the
        images.

    Raises:
        TypeError: The images are not floating-point, or `known` is not boolean.
        ValueError: Another shape, fewer than two answers, a value is not finite, or
            an image has no hole.
    """
    _validate_answers(completed, least=2)
    _validate_known(known, completed)
    diversity = np.empty(len(completed))
    for index, (answers, pixels) in enumerate(zip(completed, known, strict=True)):
        values = answers[:, ~pixels].reshape(len(answers), -1).astype(np.float64)
        diversity[index] = pdist(values).mean() / values.shape[1] ** 0.5
    return diversity


def oracle_choice(
    completed: np.ndarray, images: np.ndarray, known: np.ndarray
) -> np.ndarray:
    """Tell which answer is nearest the original: a bound on every choice.

    This sees the truth. It may never choose an answer, nor be reported as what a
    method reaches: it is the upper bound of what choosing better could gain.

    Args:
        completed: float `[B, K, H, W, C]` in [0, 1], K answers for each image.
        images: float `[B, H, W, C]` in [0, 1], the originals.
        known: bool `[B, H, W]`, True where observed.

    Returns:
        int `[B]`, the answer with the least squared error over the hole.

    Raises:
        TypeError: The images are not floating-point, or `known` is not boolean.
        ValueError: Shapes that do not fit, a value is not finite or out of range, or
            an image has no hole.
    """
    _validate_answers(completed, least=1)
    _validate_known(known, completed)
    count, answers = completed.shape[:2]
    error = mean_squared_error(
        completed.reshape(-1, *completed.shape[2:]),
        np.repeat(images, answers, axis=0),
        np.repeat(~known, answers, axis=0),
    )
    return error.reshape(count, answers).argmin(axis=1)


def _validate_answers(completed: np.ndarray, *, least: int) -> None:
    if not np.issubdtype(getattr(completed, "dtype", None), np.floating):
        raise TypeError(
            "`completed` must be a floating-point array; got "
            f"{getattr(completed, 'dtype', type(completed).__name__)}. "
            "Divide 8-bit values by 255."
        )
    if completed.ndim != 5 or completed.size == 0 or completed.shape[1] < least:
        raise ValueError(
            f"`completed` must have shape [B, S, H, W, C] with S of {least} or more; "
            f"got {completed.shape}."
        )
    bad = np.flatnonzero(~np.isfinite(completed).all(axis=(1, 2, 3, 4)))
    if bad.size:
        raise ValueError(
            f"`completed` has NaN or infinite values in image(s) {bad[:8].tolist()}. "
            "Leave those images out and report them as failed."
        )


def _validate_known(known: np.ndarray, completed: np.ndarray) -> None:
    if not isinstance(known, np.ndarray) or known.dtype != np.bool_:
        raise TypeError(
            "`known` must be a boolean array, True = observed; got "
            f"{getattr(known, 'dtype', type(known).__name__)}."
        )
    expected = (len(completed), *completed.shape[2:4])
    if known.shape != expected:
        raise ValueError(
            f"`known` must have shape [B, H, W] = {expected}; got {known.shape}."
        )
    full = np.flatnonzero(known.all(axis=(1, 2)))
    if full.size:
        raise ValueError(
            f"image(s) {full[:8].tolist()} have no hole. Leave them out: answers "
            "cannot differ where nothing is missing."
        )
