"""The smallest IConv that has every part, and a batch for it."""

import numpy as np

from semantic_inpaint.training.iconv_recipes import IConvRecipe
from semantic_inpaint.training.inpainting import InpaintingBatch

SIDE = 8
RECIPE = IConvRecipe(
    image_size=SIDE,
    batch_size=3,
    num_images=300,
    model_size=4,
    full_width_side=4,
    latent_dim=16,
    num_landmarks=2,
    holes="center",
    critic_gain=1.5,
    critic_lead=4.0,
    drift_weight=0.1,
    precision="float32",
)
RATE = 1e-3


def drawn_batch(recipe=RECIPE, seed=0):
    rng = np.random.default_rng(seed)
    count, side = recipe.batch_size, recipe.image_size
    return InpaintingBatch(
        images=rng.integers(0, 256, (count, side, side, 3), dtype=np.uint8),
        known=rng.random((count, side, side)) < 0.6,
        codes=rng.normal(size=(count, recipe.latent_dim)).astype(np.float32),
        landmarks=rng.random((count, 2 * recipe.num_landmarks), dtype=np.float32),
    )
