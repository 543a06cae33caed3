"""How near completed images are to the originals, and one set of images to another.

Also how visible a seam is, how real a single generated image looks, and whether an
image shows a face.
NumPy, never a network framework.
"""

from semantic_inpaint.metrics.detection import DETECTOR, finds_face
from semantic_inpaint.metrics.distribution import (
    DensityCoverage,
    KernelDistance,
    PrecisionRecall,
    density_coverage,
    frechet_distance,
    kernel_distance,
    nearest_neighbours,
    precision_recall,
)
from semantic_inpaint.metrics.inception import InceptionScore, inception_score
from semantic_inpaint.metrics.perceptual import perceptual_distance
from semantic_inpaint.metrics.pixel import (
    l1_percent,
    mean_absolute_error,
    mean_psnr,
    mean_squared_error,
    peak_signal_to_noise_ratio,
    pooled_psnr,
    psnr_from_mse,
    root_mean_squared_error,
)
from semantic_inpaint.metrics.realism import realism_scores
from semantic_inpaint.metrics.seam import relative_seam_energy, seam_energy
from semantic_inpaint.metrics.structural import mssim, similarity_map
from semantic_inpaint.metrics.summary import aggregate, evaluate
from semantic_inpaint.metrics.variety import (
    hole_diversity,
    oracle_choice,
    uncertainty_map,
)

__all__ = [
    "DETECTOR",
    "DensityCoverage",
    "InceptionScore",
    "KernelDistance",
    "PrecisionRecall",
    "aggregate",
    "density_coverage",
    "evaluate",
    "finds_face",
    "frechet_distance",
    "hole_diversity",
    "inception_score",
    "kernel_distance",
    "l1_percent",
    "mean_absolute_error",
    "mean_psnr",
    "mean_squared_error",
    "mssim",
    "nearest_neighbours",
    "oracle_choice",
    "peak_signal_to_noise_ratio",
    "perceptual_distance",
    "pooled_psnr",
    "precision_recall",
    "psnr_from_mse",
    "realism_scores",
    "relative_seam_energy",
    "root_mean_squared_error",
    "seam_energy",
    "similarity_map",
    "uncertainty_map",
]
