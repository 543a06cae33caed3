"""How much each known pixel counts in the content loss."""

from __future__ import annotations

import numpy as np
from scipy.ndimage import convolve1d

KINDS = ("ratio", "fraction")


def importance_weights(
    known: np.ndarray,
    *,
    window_size: int = 7,
    kind: str = "ratio",
    cap: float | None = None,
) -> np.ndarray:
    """Weigh known pixels by the missing ones around them.

    Both papers look at an n x n window centred on the pixel. Yeh et al. (2017,
    section 3.2) take the fraction of the window that is missing; Malesevic et al.
    (eq. 4) the ratio of missing to clean pixels, which grows without bound round a
    lone clean pixel. Yeh et al. use n = 7; Malesevic et al. do not state n. What a
    window has outside the image counts neither as missing nor as clean here; the
    papers do not say.

    Args:
        known: bool `[B, H, W]`, True where observed.
        window_size: n, odd.
        kind: `"ratio"` (Malesevic et al.) or `"fraction"` (Yeh et al.).
        cap: Largest weight; None leaves them as they are.

    Returns:
        float32 `[B, H, W]`; 0 in the hole and where a window misses nothing.

    Raises:
        ValueError: An even or non-positive `window_size`, a `cap` that is not
            positive, or an unknown `kind`.
    """
    if kind not in KINDS:
        raise ValueError(f"`kind` must be one of {', '.join(KINDS)}; got {kind!r}.")
    if window_size < 1 or window_size % 2 == 0:
        raise ValueError(
            f"`window_size` must be odd and positive, so that a window has a centre; "
            f"got {window_size}."
        )
    if cap is not None and not cap > 0:
        raise ValueError(f"`cap` must be positive or None; got {cap}.")
    clean = _window_sum(known, window_size)
    missing = _window_sum(~known, window_size)
    divisor = clean if kind == "ratio" else clean + missing
    weights = np.where(known, missing / np.maximum(divisor, 1), 0.0)
    if cap is not None:
        weights = np.minimum(weights, cap)
    return weights.astype(np.float32)


def _window_sum(pixels: np.ndarray, size: int) -> np.ndarray:
    """Count True in the window round every pixel; outside the image counts nothing."""
    counts = pixels.astype(np.int64)
    ones = np.ones(size, np.int64)
    for axis in (1, 2):
        counts = convolve1d(counts, ones, axis=axis, mode="constant")
    return counts
