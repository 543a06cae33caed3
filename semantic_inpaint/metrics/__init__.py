"""How near completed images are to the originals; NumPy, never a network framework."""

from semantic_inpaint.metrics.pixel import (
    mean_absolute_error,
    mean_psnr,
    mean_squared_error,
    peak_signal_to_noise_ratio,
    pooled_psnr,
    psnr_from_mse,
)
from semantic_inpaint.metrics.structural import mssim, similarity_map
from semantic_inpaint.metrics.summary import aggregate, evaluate

__all__ = [
    "aggregate",
    "evaluate",
    "mean_absolute_error",
    "mean_psnr",
    "mean_squared_error",
    "mssim",
    "peak_signal_to_noise_ratio",
    "pooled_psnr",
    "psnr_from_mse",
    "similarity_map",
]
