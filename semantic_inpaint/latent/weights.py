"""How much each known pixel counts in the content loss."""

from __future__ import annotations

import numpy as np
from scipy.ndimage import convolve1d

KINDS = ("ratio", "fraction", "inverted", "uniform", "neighbours")


def importance_weights(
    known: np.ndarray,
    *,
    window_size: int = 7,
    kind: str = "ratio",
    cap: float | None = None,
) -> np.ndarray:
    """Weigh known pixels by the missing ones around them.

    All but `"uniform"` look at an n x n window centred on the pixel:

    - `"ratio"` (Malesevic et al., eq. 4; n not stated): missing pixels over clean
      ones, which grows without bound round a lone clean pixel;
    - `"fraction"` (Yeh et al. 2017, section 3.2, n = 7): the share that is missing;
    - `"inverted"` (the public code of Yeh et al., by mistake): the share that is clean;
    - `"neighbours"` (KrnTneja): the missing share of the window without its centre;
    - `"uniform"` (bamos, fonfonx): 1.

    What a window has outside the image counts neither as missing nor as clean here.
    The papers do not say; the public codes mirror the image or wrap it round.

    Args:
        known: bool `[B, H, W]`, True where observed.
        window_size: n, odd.
        kind: One of `KINDS`, as above.
        cap: Largest weight; None leaves them as they are.

    Returns:
        float32 `[B, H, W]`; 0 in the hole, and for `"ratio"`, `"fraction"` and
        `"neighbours"` where a window misses nothing.

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
    weights = np.where(known, _relative_counts(known, window_size, kind), 0.0)
    if cap is not None:
        weights = np.minimum(weights, cap)
    return weights.astype(np.float32)


def _relative_counts(known: np.ndarray, window_size: int, kind: str) -> np.ndarray:
    """Count in the window round every pixel, over what the kind divides by."""
    if kind == "uniform":
        return np.ones(known.shape)
    clean = _window_sum(known, window_size)
    missing = _window_sum(~known, window_size)
    counted = clean if kind == "inverted" else missing
    divisor = {
        "ratio": clean,
        "fraction": clean + missing,
        "inverted": clean + missing,
        "neighbours": clean + missing - 1,
    }[kind]
    return counted / np.maximum(divisor, 1)


def _window_sum(pixels: np.ndarray, size: int) -> np.ndarray:
    """Count True in the window round every pixel; outside the image counts nothing."""
    counts = pixels.astype(np.int64)
    ones = np.ones(size, np.int64)
    for axis in (1, 2):
        counts = convolve1d(counts, ones, axis=axis, mode="constant")
    return counts
