"""How well an inpainter in training fills images that it does not see."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

import keras
import numpy as np

from semantic_inpaint.datasets import PackedImages
from semantic_inpaint.datasets.landmarks import Landmarks
from semantic_inpaint.inpainters.feedforward import FeedForwardInpainter
from semantic_inpaint.masks import (
    FREE_FORM_GROUPS,
    PATTERNS,
    make_free_form,
    make_known,
)
from semantic_inpaint.metrics import mean_squared_error, psnr_from_mse
from semantic_inpaint.models.inpainting_networks import describe_network
from semantic_inpaint.problem import InpaintingProblem
from semantic_inpaint.training.holes import SMALLEST_FREEFORM
from semantic_inpaint.training.inpainting_recipes import InpaintingRecipe
from semantic_inpaint.training.inpainting_table import network_facts
from semantic_inpaint.training.loop import TrainingData

VALIDATION_PARTITION = 1
VALIDATION_PATTERNS = ("center", "left")


def make_validation(
    packed: PackedImages,
    recipe: InpaintingRecipe,
    data: TrainingData,
    landmarks: Landmarks | None,
    *,
    count: int,
    prefix: str,
) -> Callable[[keras.Model], dict[str, float]] | None:
    """Make what measures composites of partition 1 in the hole while it is trained.

    Args:
        packed: The set.
        recipe: Of the network.
        data: That it is trained on.
        landmarks: That it is trained with, if any.
        count: Images to measure, the first of the partition; 0 or more.
        prefix: Of the names of what is measured.

    Returns:
        From a network to PSNRs in dB by name; None where there are no such images, or
        they are trained on.
    """
    images = _unseen_images(packed, data)[:count]
    if not len(images):
        return None
    fill = _filler(recipe, data, landmarks)
    known = {
        pattern: make_known(pattern, *images.shape[:3])
        for pattern in VALIDATION_PATTERNS
    }

    def validate(model: keras.Model) -> dict[str, float]:
        return {
            prefix + pattern: _psnr_in_hole(fill(model), images, one)
            for pattern, one in known.items()
        }

    return validate


def evaluate_composites(
    model: keras.Model,
    packed: PackedImages,
    recipe: InpaintingRecipe,
    data: TrainingData,
    landmarks: Landmarks | None,
) -> dict[str, Any]:
    """Measure a trained network on all of partition 1, for its card.

    Returns:
        The number of images, and the pooled PSNR in the hole, in dB, of each of the six
        patterns and, from 32 pixels on, of each group of brush strokes; empty where
        there are no such images, or they are trained on.
    """
    images = _unseen_images(packed, data)
    if not len(images):
        return {}
    inpainter = _filler(recipe, data, landmarks)(model)
    count, height, width = images.shape[:3]
    known = {name: make_known(name, count, height, width) for name in PATTERNS}
    if min(height, width) >= SMALLEST_FREEFORM:
        for name in FREE_FORM_GROUPS:
            known[name] = make_free_form(name, count, height, width)
    return {
        "partition": VALIDATION_PARTITION,
        "images": count,
        "psnr_in_hole": {
            name: round(_psnr_in_hole(inpainter, images, one), 2)
            for name, one in known.items()
        },
    }


def _unseen_images(packed: PackedImages, data: TrainingData) -> np.ndarray:
    """Images of partition 1 in [0, 1]; none where one of them is trained on."""
    rows = np.flatnonzero(packed.partitions == VALIDATION_PARTITION)
    if np.isin(rows, data.indices).any():
        rows = rows[:0]
    return packed.images[rows].astype(np.float32) / np.float32(255)


def _filler(
    recipe: InpaintingRecipe, data: TrainingData, landmarks: Landmarks | None
) -> Callable[[keras.Model], FeedForwardInpainter]:
    """Make what turns the network of a recipe into an inpainter."""
    kind, architecture = recipe.network()
    card = {
        "network": kind,
        "architecture": architecture,
        **network_facts(recipe, data, landmarks),
    }

    # The trainer hands out one model again and again: it is compiled once.
    @functools.lru_cache(maxsize=1)
    def inpainter_of(model: keras.Model) -> FeedForwardInpainter:
        return FeedForwardInpainter(describe_network(model, card))

    return inpainter_of


def _psnr_in_hole(
    inpainter: FeedForwardInpainter, images: np.ndarray, known: np.ndarray
) -> float:
    problem = InpaintingProblem(images, known)
    completed = inpainter.inpaint(problem).completed
    errors = mean_squared_error(completed, images, problem.hole)
    return float(psnr_from_mse(errors.mean()))
