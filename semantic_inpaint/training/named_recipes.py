"""Recipes of a prior by their names, and those that are compared."""

from __future__ import annotations

import dataclasses
import difflib

from semantic_inpaint.training.recipes import (
    FULL,
    PAPER,
    PLAIN,
    SAMPLES,
    SLIM,
    SLIM_END,
    TINY,
    PriorRecipe,
)

# Changes to the plain recipe; compared in benchmarks/recipes.py.
COMPARED = {
    "no-penalty": dataclasses.replace(PLAIN, r1_gamma=0.0),
    "strong-penalty": dataclasses.replace(PLAIN, r1_gamma=10.0),
    "spectral": dataclasses.replace(PLAIN, r1_gamma=0.0, spectral_norm=True),
    "batch-norm": dataclasses.replace(
        PLAIN,
        normalization="batch",
        r1_gamma=0.0,
        real_label=0.9,
        shared_backward=False,
    ),
    "hinge": dataclasses.replace(PLAIN, loss="hinge", shared_backward=False),
    "hinge-spectral": dataclasses.replace(
        PLAIN, loss="hinge", r1_gamma=0.0, spectral_norm=True, shared_backward=False
    ),
    "wgan-gp": dataclasses.replace(
        PLAIN, loss="wasserstein", r1_gamma=0.0, slope_weight=10.0, beta_1=0.0
    ),
    "augmented": dataclasses.replace(PLAIN, augmentation="color,translation,cutout"),
    "long-average": dataclasses.replace(
        PLAIN, average_half_life=500_000.0, average_ramp=0.5
    ),
    "short-average": dataclasses.replace(PLAIN, average_ramp=0.02),
    "high-rate": dataclasses.replace(PLAIN, learning_rate=4e-4),
    "low-rate": dataclasses.replace(PLAIN, learning_rate=1e-4),
    "constant-rate": dataclasses.replace(PLAIN, decay_start=1.0),
    "narrow": dataclasses.replace(PLAIN, discriminator_width=32),
    "wide": dataclasses.replace(PLAIN, discriminator_width=64),
    "inverse": dataclasses.replace(PLAIN, inverse_weight=30.0),
    "inverse-batch-norm": dataclasses.replace(
        PLAIN,
        inverse_weight=30.0,
        normalization="batch",
        r1_gamma=0.0,
        real_label=0.9,
        shared_backward=False,
    ),
    "inverse-hinge": dataclasses.replace(
        PLAIN, inverse_weight=30.0, loss="hinge", shared_backward=False
    ),
    "inverse-strong": dataclasses.replace(PLAIN, inverse_weight=100.0),
    "inverse-whole": dataclasses.replace(
        PLAIN, inverse_weight=100.0, inverse_holes=0.0
    ),
}
"""Recipes that differ from `plain` in one choice, and three in two."""

RECIPES = {
    "slim": SLIM,
    "full": FULL,
    "paper": PAPER,
    "tiny": TINY,
    "slim-end": SLIM_END,
    "samples": SAMPLES,
    "plain": PLAIN,
    **COMPARED,
}


def get_recipe(name: str) -> PriorRecipe:
    """Look up a recipe by its name.

    Raises:
        ValueError: An unknown name; the message has the nearest right one.
    """
    if name in RECIPES:
        return RECIPES[name]
    near = difflib.get_close_matches(name, RECIPES, n=1)
    hint = f" Did you mean {near[0]!r}?" if near else ""
    raise ValueError(f"no recipe {name!r}; there are {', '.join(RECIPES)}.{hint}")
