"""Recipes of every family of feed-forward inpainters, shrunk to train in no time."""

import dataclasses

from semantic_inpaint.training.inpainting_table import get_inpainting_recipe

SIDE = 16
# By the fields that a family has beside those of all.
SMALL = {
    "perceptual": "none",
    "width": 4,
    "discriminator_width": 2,
    "discriminator_units": 4,
    "model_size": 4,
    "full_width_side": 4,
    "latent_dim": 16,
}


def shrunk(name, *, num_steps, **changed):
    """Return the recipe of a name with a few filters and steps, at 16x16 or as said."""
    recipe = get_inpainting_recipe(name)
    own = {field.name for field in dataclasses.fields(recipe)}
    sizes = {
        "image_size": SIDE,
        "batch_size": 4,
        "num_images": 4 * num_steps,
        "holes": "mixed",
        "average_halflife": 8.0,
        "precision": "float32",
    }
    sizes |= {field: value for field, value in SMALL.items() if field in own}
    return dataclasses.replace(recipe, **sizes | changed)
