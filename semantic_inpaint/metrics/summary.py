"""All metrics of a batch, in the hole, outside of it and overall, and their means."""

from collections.abc import Mapping, Sequence

import numpy as np

from semantic_inpaint.metrics.pixel import (
    l1_percent,
    mean_absolute_error,
    mean_squared_error,
    psnr_from_mse,
)
from semantic_inpaint.metrics.structural import similarity_map

Evaluation = Mapping[str, Mapping[str, Sequence[float]]]

REGIONS = ("hole", "known", "image")
METRICS = ("mae", "mse", "rmse", "psnr", "mssim", "l1_percent")


def evaluate(
    completed: np.ndarray, reference: np.ndarray, known: np.ndarray
) -> dict[str, dict[str, list[float]]]:
    """Measure each completed image in its hole, outside of it, and as a whole.

    Args:
        completed: float `[B, H, W, C]` in [0, 1], H and W at least 11.
        reference: float `[B, H, W, C]` in [0, 1], the originals.
        known: bool `[B, H, W]`, True where the pixel was observed.

    Returns:
        Under `"hole"`, `"known"` and `"image"`: `"mae"`, `"mse"` and `"rmse"` on the
        scale to 255, `"psnr"` (inf where exact, as known pixels are that a method
        left alone), `"mssim"` (its windows see 5 pixels beyond the region) and
        `"l1_percent"`, each a list with one value per image. What an image without a
        known pixel has under `"known"` is NaN.

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
    results = {
        "hole": _measure(completed, reference, ~known, similarity),
        "known": {metric: np.full(len(known), np.nan) for metric in METRICS},
        "image": _measure(completed, reference, np.ones_like(known), similarity),
    }
    given = known.any(axis=(1, 2))
    if given.any():
        found = _measure(
            completed[given], reference[given], known[given], similarity[given]
        )
        for metric, values in found.items():
            results["known"][metric][given] = values
    return {
        region: {metric: values.tolist() for metric, values in of_region.items()}
        for region, of_region in results.items()
    }


def aggregate(*evaluations: Evaluation) -> dict[str, dict[str, float]]:
    """Average what `evaluate` gave, over all images of one or more batches.

    Args:
        *evaluations: Results of `evaluate`, batches of any sizes.

    Returns:
        Under `"hole"`, `"known"` and `"image"`: the means over the images `"mae"`,
        `"mse"`, `"rmse"`, `"mssim"`, `"l1_percent"`, `"psnr_mean"` (the mean of the
        PSNR; inf as soon as one image is exact) and `"psnr_pooled"` (the PSNR of the
        mean MSE, the kind that the paper prints). Under `"known"` they are NaN where
        an image has no known pixel.

    Raises:
        ValueError: There is no image at all.
    """
    results = {}
    for name in REGIONS:
        means = {
            metric: _mean([batch[name][metric] for batch in evaluations])
            for metric in METRICS
        }
        means["psnr_mean"] = means.pop("psnr")
        undefined = np.isnan(means["mse"])
        means["psnr_pooled"] = (
            np.nan if undefined else float(psnr_from_mse(means["mse"]))
        )
        results[name] = means
    return results


def _measure(
    completed: np.ndarray,
    reference: np.ndarray,
    region: np.ndarray,
    similarity: np.ndarray,
) -> dict[str, np.ndarray]:
    """Give `METRICS` over one region of each image, float64 `[B]` each."""
    mse = mean_squared_error(completed, reference, region)
    return {
        "mae": mean_absolute_error(completed, reference, region),
        "mse": mse,
        "rmse": np.sqrt(mse),
        "psnr": psnr_from_mse(mse),
        "mssim": similarity.mean(axis=(1, 2), where=region),
        "l1_percent": l1_percent(completed, reference, region),
    }


def _mean(batches: list[Sequence[float]]) -> float:
    values = np.concatenate(batches or [[]])
    if values.size == 0:
        raise ValueError("no image to aggregate. Pass a result of `evaluate`.")
    return float(values.mean())
