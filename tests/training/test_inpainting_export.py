"""From a trainer to a folder and back: the picture stays the same."""

import numpy as np
import pytest
from keras import ops

from semantic_inpaint.images import from_network
from semantic_inpaint.masks import make_known
from semantic_inpaint.models.inpainting_files import load_network
from semantic_inpaint.training.inpainting import (
    InpaintingTraining,
    draw_inpainting_batch,
)
from semantic_inpaint.training.inpainting_export import export_inpainter
from semantic_inpaint.training.inpainting_table import make_trainer
from tests.training.tiny_inpainters import shrunk
from tests.training.tiny_runs import training_data

# The families, and those of their recipes that build another network.
RECIPES = {
    "pconv": {},
    "conv": {},
    "gated": {},
    "iconv": {"variant": "paper", "image_size": 8},
    "iconv-a": {"latent_dim": 0, "image_size": 8},
    "pconv-gan": {},
    "pconv-gan-plain": {},
}


@pytest.mark.parametrize("name", RECIPES)
def test_the_network_in_the_folder_makes_the_picture_of_the_trainer(name, tmp_path):
    trainer = make_trainer(shrunk(name, num_steps=2, **RECIPES[name]))
    side = trainer.recipe.image_size
    data = training_data(count=4, side=side)
    batch = draw_inpainting_batch(trainer.recipe, data, 0)
    state, _ = trainer.step(trainer.initial_state(), batch, 0, learning_rate=1e-2)
    folder = export_inpainter(
        InpaintingTraining(trainer, state, 1, 0.0),
        data,
        tmp_path,
        landmarks=None,
        data_note="",
        licence="",
    )
    network = load_network(folder)

    images = data.images / np.float32(255)
    known = make_known("random-square", 4, side, side)
    inputs = trainer.inputs(2 * images - 1, known, 0)
    expected = ops.convert_to_numpy(trainer.generator(state)(inputs, training=False))
    codes = inputs[2] if network.latent_dim else None
    found = network.generate(images, known, codes=codes)
    # Half precision has 11 bits; the few layers add what they round to.
    np.testing.assert_allclose(found, from_network(expected), atol=0.02)
    assert found.std() > 0.02
