"""Recipes of feed-forward inpainters by name, and what trains and builds each."""

from __future__ import annotations

import difflib
from typing import Any

from semantic_inpaint.datasets.landmarks import Landmarks
from semantic_inpaint.training.iconv import IConvTrainer
from semantic_inpaint.training.iconv_recipes import ICONV_RECIPES, IConvRecipe
from semantic_inpaint.training.inpainting import InpaintingTrainer
from semantic_inpaint.training.inpainting_recipes import InpaintingRecipe
from semantic_inpaint.training.loop import TrainingData
from semantic_inpaint.training.pconv import PConvTrainer
from semantic_inpaint.training.pconv_gan import PConvGanTrainer
from semantic_inpaint.training.pconv_gan_recipes import (
    PCONV_GAN_RECIPES,
    PConvGanRecipe,
)
from semantic_inpaint.training.pconv_recipes import (
    CONV_64,
    GATED_64,
    PCONV_64,
    PCONV_128,
    PCONV_256,
    PCONV_512,
    PCONV_ADAM_64,
    PCONV_SUPER_RESOLUTION_64,
    PConvRecipe,
)

TINY = PConvRecipe(
    image_size=16,
    width=2,
    batch_size=4,
    num_images=32,
    perceptual="none",
    average_halflife=16.0,
    precision="float32",
)
"""A few filters at 16x16: trains in seconds, for tests and first tries."""

INPAINTING_RECIPES: dict[str, InpaintingRecipe] = {
    "pconv": PCONV_64,
    "pconv-adam": PCONV_ADAM_64,
    "pconv-super-resolution": PCONV_SUPER_RESOLUTION_64,
    "conv": CONV_64,
    "gated": GATED_64,
    "pconv-128": PCONV_128,
    "pconv-256": PCONV_256,
    "pconv-512": PCONV_512,
    **ICONV_RECIPES,
    **PCONV_GAN_RECIPES,
    "tiny": TINY,
}


def get_inpainting_recipe(name: str) -> InpaintingRecipe:
    """Look up a recipe by its name.

    Raises:
        ValueError: An unknown name; the message has the nearest right one.
    """
    if name in INPAINTING_RECIPES:
        return INPAINTING_RECIPES[name]
    near = difflib.get_close_matches(name, INPAINTING_RECIPES, n=1)
    hint = f" Did you mean {near[0]!r}?" if near else ""
    raise ValueError(
        f"no recipe {name!r}; there are {', '.join(INPAINTING_RECIPES)}.{hint}"
    )


def make_trainer(recipe: InpaintingRecipe) -> InpaintingTrainer:
    """Build the networks of a recipe, and what trains them.

    Raises:
        ValueError: The networks or their losses cannot be had.
        TypeError: A kind of recipe that is not known here.
    """
    trainers = {
        PConvRecipe: PConvTrainer,
        IConvRecipe: IConvTrainer,
        PConvGanRecipe: PConvGanTrainer,
    }
    if type(recipe) not in trainers:
        raise TypeError(
            f"nothing trains a {type(recipe).__name__}; add it to "
            "training/inpainting_table.py."
        )
    return trainers[type(recipe)](recipe)


def network_facts(
    recipe: InpaintingRecipe, data: TrainingData, landmarks: Landmarks | None
) -> dict[str, Any]:
    """Return what a card says of what the network is called with."""
    typical = []
    if recipe.num_landmarks and landmarks is not None:
        typical = landmarks.points[data.indices].mean(axis=0, dtype="float64").tolist()
    return {
        "image_size": recipe.image_size,
        "latent_dim": recipe.latent_dim,
        "num_landmarks": recipe.num_landmarks,
        "typical_landmarks": typical,
    }
