"""All metrics of a batch, in the hole and in the whole image, and their means."""

from collections.abc import Mapping, Sequence

import numpy as np

from semantic_inpaint.metrics.pixel import (
    mean_absolute_error,
    mean_squared_error,
    psnr_from_mse,
)
from semantic_inpaint.metrics.structural import similarity_map

Evaluation = Mapping[str, Mapping[str, Sequence[float]]]


def evaluate(
    completed: np.ndarray, reference: np.ndarray, known: np.ndarray
) -> dict[str, dict[str, list[float]]]:
    """Measure each completed image twice: in its hole and as a whole.

    Args:
        completed: float `[B, H, W, C]` in [0, 1], H and W at least 11.
        reference: float `[B, H, W, C]` in [0, 1], the originals.
        known: bool `[B, H, W]`, True where the pixel was observed.

    Returns:
        Under `"hole"` and `"image"`: `"mae"` and `"mse"` on the scale to 255, `"psnr"`
        (inf for an exact image) and `"mssim"`, each a list with one value per image.

    Raises:
        TypeError: The images are not floating-point, or `known` is not boolean.
        ValueError: Shapes differ, a value is not finite or out of range, or an image
            has no hole.
    """
    if not isinstance(known, np.ndarray) or known.dtype != np.bool_:
        raise TypeError(
            "`known` must be a boolean array, True where the pixel was observed; got "
            f"{getattr(known, 'dtype', type(known).__name__)}."
        )
    similarity = similarity_map(completed, reference)
    results = {}
    for name, region in (("hole", ~known), ("image", np.ones_like(known))):
        mse = mean_squared_error(completed, reference, region)
        results[name] = {
            "mae": mean_absolute_error(completed, reference, region).tolist(),
            "mse": mse.tolist(),
            "psnr": psnr_from_mse(mse).tolist(),
            "mssim": similarity.mean(axis=(1, 2), where=region).tolist(),
        }
    return results


def aggregate(*evaluations: Evaluation) -> dict[str, dict[str, float]]:
    """Average what `evaluate` gave, over all images of one or more batches.

    Args:
        *evaluations: Results of `evaluate`, batches of any sizes.

    Returns:
        Under `"hole"` and `"image"`: the means `"mae"`, `"mse"`, `"mssim"`,
        `"psnr_mean"` (the mean of the PSNR; inf as soon as one image is exact) and
        `"psnr_pooled"` (the PSNR of the mean MSE, the kind that the paper prints).

    Raises:
        ValueError: There is no image at all.
    """
    results = {}
    for name in ("hole", "image"):
        values = {
            metric: np.concatenate(
                [batch[name][metric] for batch in evaluations] or [[]]
            )
            for metric in ("mae", "mse", "psnr", "mssim")
        }
        if values["mse"].size == 0:
            raise ValueError("no image to aggregate. Pass a result of `evaluate`.")
        results[name] = {
            "mae": float(values["mae"].mean()),
            "mse": float(values["mse"].mean()),
            "mssim": float(values["mssim"].mean()),
            "psnr_mean": float(values["psnr"].mean()),
            "psnr_pooled": float(psnr_from_mse(values["mse"].mean())),
        }
    return results
