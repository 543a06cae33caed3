"""Distance of two images in the activations of a network: the formula of LPIPS.

Which network, weights and size of the images decides what a number means; only under
the name of all three may it be compared with another. `benchmark.perceptual` has them.
"""

from collections.abc import Sequence

import numpy as np


def perceptual_distance(
    activations: Sequence[np.ndarray],
    reference: Sequence[np.ndarray],
    importances: Sequence[np.ndarray],
) -> np.ndarray:
    """Weighted squared distance of unit-length activations (Zhang et al. 2018, eq. 1).

    At every pixel of every layer the vector of all channels is brought to length 1.
    The squared differences are multiplied by the channel's importance, summed over
    channels, averaged over pixels and summed over layers.

    Args:
        activations: Of each layer `[B, H, W, C]`, the sides and C its own.
        reference: Those of the originals, of the same shapes.
        importances: Of each layer `[C]`, 0 or more.

    Returns:
        float64 `[B]`, 0 or more; 0 where all activations agree.

    Raises:
        ValueError: Numbers of layers or shapes that do not fit, an activation that is
            not finite, or an importance below 0.
    """
    if not len(activations) == len(reference) == len(importances) > 0:
        raise ValueError(
            "expected as many layers of activations, of the reference and of "
            f"importances, one or more; got {len(activations)}, {len(reference)} and "
            f"{len(importances)}."
        )
    return np.sum(
        [
            _layer_distance(number, *layer)
            for number, layer in enumerate(
                zip(activations, reference, importances, strict=True)
            )
        ],
        axis=0,
    )


def _layer_distance(
    number: int, first: np.ndarray, second: np.ndarray, importance: np.ndarray
) -> np.ndarray:
    fits = first.ndim == 4 and first.shape == second.shape and first.size > 0
    if not (fits and importance.shape == first.shape[3:]):
        raise ValueError(
            f"layer {number} must have activations [B, H, W, C] twice and importances "
            f"[C]; got {first.shape}, {second.shape} and {importance.shape}."
        )
    if not (np.isfinite(first).all() and np.isfinite(second).all()):
        raise ValueError(
            f"layer {number} has activations that are not finite. Leave such images "
            "out and report them as failed."
        )
    if not (importance >= 0).all():
        raise ValueError(f"layer {number} has an importance below 0, or NaN.")
    difference = _unit_length(first) - _unit_length(second)
    distance = np.square(difference) @ importance.astype(difference.dtype)
    return distance.mean(axis=(1, 2), dtype=np.float64)


def _unit_length(values: np.ndarray) -> np.ndarray:
    """Bring the vectors along the last axis to length 1; those of 0 stay 0."""
    return values / (np.linalg.norm(values, axis=-1, keepdims=True) + 1e-10)
