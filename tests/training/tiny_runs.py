"""The smallest networks and data that a prior can be trained with."""

import dataclasses
import hashlib

import numpy as np
from keras import ops

from semantic_inpaint.training.loop import TrainingData
from semantic_inpaint.training.recipes import TINY

# Eight steps at 8x8, the R1 penalty in every other one, the rate constant.
MICRO = dataclasses.replace(
    TINY,
    generator_width=4,
    discriminator_width=2,
    image_size=8,
    latent_dim=3,
    decay_start=1.0,
)


def training_data(*, count=20, side=8):
    """Noise images, all different."""
    rng = np.random.default_rng(0)
    images = rng.integers(0, 256, (count, side, side, 3), dtype=np.uint8)
    sha256 = hashlib.sha256(images.tobytes()).hexdigest()
    return TrainingData(images, np.arange(count), sha256, (0, 2))


def first_batch(recipe):
    """One batch of noise images and codes."""
    images = training_data(count=recipe.batch_size, side=recipe.image_size).images
    rng = np.random.default_rng(1)
    codes = rng.uniform(-1, 1, (recipe.batch_size, recipe.latent_dim))
    return images, codes.astype(np.float32)


def as_arrays(state):
    return {
        group: [ops.convert_to_numpy(value) for value in values]
        for group, values in state.items()
    }


def assert_same_state(found, expected):
    """Hold two states to be equal to the last bit."""
    found, expected = as_arrays(found), as_arrays(expected)
    assert found.keys() == expected.keys()
    for group, values in expected.items():
        for one, other in zip(found[group], values, strict=True):
            np.testing.assert_array_equal(one, other, err_msg=group)
