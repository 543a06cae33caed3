"""One kind of hole in a set of images, before and after the refinement."""

from __future__ import annotations

import dataclasses
import time
from typing import Any

import numpy as np

from semantic_inpaint.inpainters import make_inpainter
from semantic_inpaint.latent.presets import InversionOptions
from semantic_inpaint.masks import PATTERNS, make_known
from semantic_inpaint.metrics import aggregate, evaluate
from semantic_inpaint.models.prior import GenerativePrior
from semantic_inpaint.problem import InpaintingProblem


def measure_pattern(
    name: str,
    images: np.ndarray,
    prior: GenerativePrior,
    options: InversionOptions,
    *,
    seed: int = 0,
) -> dict[str, Any]:
    """Fill one kind of hole in all images, and compare with what was there.

    The hole of image i, and the code that its search starts from, depend on `seed` and
    i alone; the weight of the consensus is the pattern's own.

    Args:
        name: One of `masks.PATTERNS`.
        images: float32 `[B, H, W, 3]` in [0, 1], of the prior's size, two or more.
        prior: To search in.
        options: Of both stages.
        seed: Of holes and codes.

    Returns:
        `"seconds"` of the inpainting; `"before"` and `"after"` the refinement:
        `metrics.aggregate` in the hole; `"gain_mean"` and `"gain_standard_error"` of
        the PSNR in decibels.

    Raises:
        ValueError: No such pattern, or images of another size than the prior's.
    """
    known = make_known(name, len(images), *images.shape[1:3], seed=seed)
    options = dataclasses.replace(
        options, consensus_weight=PATTERNS[name].consensus_weight
    )
    inpainter = make_inpainter("refined", prior=prior, preset=options)
    start = time.perf_counter()
    result = inpainter.inpaint(InpaintingProblem(images, known), seed=seed)
    seconds = time.perf_counter() - start
    before = evaluate(result.stages["blended"], images, known)
    after = evaluate(result.completed, images, known)
    gain = np.subtract(after["hole"]["psnr"], before["hole"]["psnr"])
    return {
        "seconds": seconds,
        "before": aggregate(before)["hole"],
        "after": aggregate(after)["hole"],
        "gain_mean": float(gain.mean()),
        "gain_standard_error": float(gain.std(ddof=1) / len(gain) ** 0.5),
    }


def measure_encoder(
    name: str, images: np.ndarray, prior: GenerativePrior, *, seed: int = 0
) -> dict[str, Any]:
    """Fill one kind of hole by the encoder alone, without a search.

    Args:
        name: One of `masks.PATTERNS`.
        images: float32 `[B, H, W, 3]` in [0, 1], of the prior's size.
        prior: With an encoder beside it.
        seed: Of the holes, which are those of `measure_pattern`.

    Returns:
        `"seconds"` of the inpainting, the networks compiled before; `"after"`:
        `metrics.aggregate` in the hole.

    Raises:
        ValueError: No such pattern, images of another size, or no encoder.
    """
    problem = InpaintingProblem(
        images, make_known(name, len(images), *images.shape[1:3], seed=seed)
    )
    inpainter = make_inpainter("encoder", prior=prior)
    inpainter.inpaint(problem)
    start = time.perf_counter()
    completed = inpainter.inpaint(problem).completed
    seconds = time.perf_counter() - start
    found = aggregate(evaluate(completed, images, problem.known))
    return {"seconds": seconds, "after": found["hole"]}
