"""The measurements of `evaluate_prior`: each a plain function to figures for JSON."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from typing import Any

import numpy as np

from semantic_inpaint.images import tile_images
from semantic_inpaint.latent.search import SearchOptions
from semantic_inpaint.latent.unmasked import UNMASKED_SEARCH, invert_images
from semantic_inpaint.metrics import (
    density_coverage,
    frechet_distance,
    kernel_distance,
    mean_psnr,
    mssim,
    nearest_neighbours,
    pooled_psnr,
    precision_recall,
)
from semantic_inpaint.models.prior import GenerativePrior

NUM_NEIGHBOURS_SHOWN = 64
# Pairs of a sample and its neighbour beside each other on a sheet.
SHEET_PAIRS = 8
AT_BOUND = 1.0 - 1e-6


def measure_inversion(
    prior: GenerativePrior, images: np.ndarray, *, num_steps: int, seed: int
) -> dict[str, Any]:
    """Rebuild whole images: the ceiling of all that the prior can do with a hole.

    Args:
        prior: To search in.
        images: float32 `[B, H, W, 3]` in [0, 1], of the prior's size.
        num_steps: Of the search.
        seed: Of its first codes.

    Returns:
        PSNR (mean and pooled), MSSIM, the standard error of the mean PSNR, and the
        share of all coordinates of the codes that ended at the bound of the support.
    """
    options: SearchOptions = dataclasses.replace(UNMASKED_SEARCH, num_steps=num_steps)
    found = invert_images(prior, images, options=options, seed=seed)
    rebuilt = prior.generate(found.z)
    return {
        "faces": len(images),
        "steps": num_steps,
        "psnr_mean": mean_psnr(rebuilt, images),
        "psnr_pooled": pooled_psnr(rebuilt, images),
        "mssim": float(mssim(rebuilt, images).mean()),
        "at_bound": float((np.abs(found.z) >= AT_BOUND * prior.support).mean()),
        "nonfinite": found.status.count("nonfinite"),
    }


def compare_features(
    real: np.ndarray, generated: np.ndarray, *, seed: int
) -> dict[str, Any]:
    """Compare two sets of features, the first as the reference.

    Args:
        real: float `[N, D]`.
        generated: float `[M, D]`.
        seed: Of the blocks of the kernel distance.
    """
    kernel = kernel_distance(real, generated, seed=seed)
    precision, recall = precision_recall(real, generated)
    density, coverage = density_coverage(real, generated)
    return {
        "real": len(real),
        "generated": len(generated),
        "frechet": frechet_distance(real, generated),
        "kernel": kernel.mean,
        "kernel_standard_error": kernel.standard_error,
        "precision": precision,
        "recall": recall,
        "density": density,
        "coverage": coverage,
    }


def compare_neighbours(
    samples: np.ndarray, held_out: np.ndarray, training: np.ndarray
) -> tuple[dict[str, Any], np.ndarray]:
    """Tell whether samples lie nearer to the training set than unseen faces do.

    Generated images are smoother than photographs, and smooth images lie nearer to
    anything: a ratio somewhat below 1 is no memory, one near 0 is.

    Args:
        samples: `[N, ...]`, generated images or their features.
        held_out: `[N, ...]`, the same of real images that were not trained on.
        training: `[M, ...]`, the same of the training set.

    Returns:
        The median and the smallest distance to the nearest of the training set, for
        samples and held-out faces, and their ratios; and int64 `[N]`, the row of each
        sample's neighbour.
    """
    figures: dict[str, Any] = {"training": len(training)}
    neighbours = None
    for name, queries in (("samples", samples), ("held_out", held_out)):
        index, distance = nearest_neighbours(queries, training)
        neighbours = index if neighbours is None else neighbours
        figures[name] = {
            "count": len(queries),
            "median": float(np.median(distance)),
            "smallest": float(distance.min()),
        }
    for figure in ("median", "smallest"):
        # Two training faces may be one picture: a held-out copy is at distance 0.
        unseen = figures["held_out"][figure]
        ratio = figures["samples"][figure] / unseen if unseen > 0 else float("nan")
        figures[f"{figure}_ratio"] = ratio
    return figures, neighbours


def neighbour_sheet(samples: np.ndarray, neighbours: np.ndarray) -> np.ndarray:
    """Lay out sample | neighbour, pair after pair, uint8 `[N, H, W, 3]` each."""
    pairs = np.stack([samples, neighbours], axis=1)
    return tile_images(pairs.reshape(-1, *samples.shape[1:]), columns=2 * SHEET_PAIRS)


def features_of(
    images: np.ndarray,
    rows: np.ndarray,
    space: Callable[[np.ndarray], np.ndarray],
    *,
    chunk: int = 512,
) -> np.ndarray:
    """Compute the features of some images of a memory map, a chunk at a time."""
    return np.concatenate(
        [
            space(np.ascontiguousarray(images[rows[start : start + chunk]]))
            for start in range(0, len(rows), chunk)
        ]
    )
