"""What a training of an inpainter tells of images that it does not see."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import TYPE_CHECKING

import numpy as np
from rich.console import Console

if TYPE_CHECKING:
    import keras

    from semantic_inpaint.datasets import PackedImages
    from semantic_inpaint.datasets.landmarks import Landmarks
    from semantic_inpaint.training.inpainting_recipes import InpaintingRecipe
    from semantic_inpaint.training.loop import TrainingData
    from semantic_inpaint.training.steps import Report

VALIDATION_PARTITION = 1
VALIDATION_PATTERNS = ("center", "left")
MEASURE = "validation_psnr_"


def make_validation(
    packed: PackedImages,
    recipe: InpaintingRecipe,
    data: TrainingData,
    landmarks: Landmarks | None,
    *,
    count: int,
) -> Callable[[keras.Model], dict[str, float]] | None:
    """Make what measures composites of partition 1 in the hole.

    Args:
        packed: The set.
        recipe: Of the network.
        data: That it is trained on.
        landmarks: That it is trained with, if any.
        count: Images to measure, the first of the partition; 0 or more.

    Returns:
        From a network to PSNRs in dB by name; None where there are no such images, or
        they are trained on.
    """
    from semantic_inpaint.inpainters.feedforward import FeedForwardInpainter
    from semantic_inpaint.masks import make_known
    from semantic_inpaint.metrics import mean_squared_error, psnr_from_mse
    from semantic_inpaint.models.inpainting_networks import describe_network
    from semantic_inpaint.problem import InpaintingProblem
    from semantic_inpaint.training.inpainting_table import network_facts, network_of

    rows = np.flatnonzero(packed.partitions == VALIDATION_PARTITION)
    rows = rows[:count]
    if not rows.size or np.isin(rows, data.indices).any():
        return None
    images = packed.images[rows].astype(np.float32) / np.float32(255)
    problems = {
        pattern: InpaintingProblem(images, make_known(pattern, *images.shape[:3]))
        for pattern in VALIDATION_PATTERNS
    }
    kind, architecture = network_of(recipe)
    card = {
        "network": kind,
        "architecture": architecture,
        **network_facts(recipe, data, landmarks),
    }

    # The trainer hands out one model again and again: it is compiled once.
    @functools.lru_cache(maxsize=1)
    def inpainter_of(model: keras.Model) -> FeedForwardInpainter:
        return FeedForwardInpainter(describe_network(model, card))

    def validate(model: keras.Model) -> dict[str, float]:
        found = {}
        for pattern, problem in problems.items():
            completed = inpainter_of(model).inpaint(problem).completed
            errors = mean_squared_error(completed, images, problem.hole)
            found[MEASURE + pattern] = float(psnr_from_mse(errors.mean()))
        return found

    return validate


def tell_validation(console: Console, state: Report) -> None:
    """Print what was measured, where a report has any of it."""
    found = [
        f"{name.removeprefix(MEASURE)} {value:.2f} dB"
        for name, value in state.scalars.items()
        if name.startswith(MEASURE)
    ]
    if found:
        console.print(f"step {state.step}: PSNR in the hole: {', '.join(found)}")
