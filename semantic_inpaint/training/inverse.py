"""An encoder trained beside the GAN, so that real faces stay in the generator's range.

A GAN's loss only asks that what it makes looks real; it may leave out what is rare.
Inversion needs the opposite: a code for every face. So G is also asked to give back
real faces from the codes that an encoder finds for them (as in Larsen et al. 2016, but
on pixels, and with no distribution asked of the codes).
"""

from __future__ import annotations

from typing import NamedTuple

import keras
import numpy as np
from keras import ops

from semantic_inpaint import backend
from semantic_inpaint.backend import Tensor
from semantic_inpaint.models.encoder import build_encoder, encoder_input
from semantic_inpaint.training.holes import training_holes
from semantic_inpaint.training.recipes import PriorRecipe


class Batch(NamedTuple):
    """What one step is made of, beside the state.

    Attributes:
        images: float32 `[B, H, W, 3]` in [-1, 1], real.
        codes: float32 `[B, latent_dim]`.
        draws: float32 `[2 * B, NUM_DRAWS + 1]`: for the real, then the generated.
        known: From `draw_known`; None in a step that does not invert.
        rate: Learning rate.
    """

    images: Tensor
    codes: Tensor
    draws: Tensor
    known: Tensor | None
    rate: Tensor


class InverseGradients(NamedTuple):
    """What one batch says.

    Attributes:
        generator: Gradient of the weighted reconstruction loss, by G's weights.
        encoder: Gradient of both losses by E's weights.
        error: Mean squared error of the given-back faces, on [-1, 1].
        code_error: Mean squared error of the codes of generated faces.
    """

    generator: list
    encoder: list
    error: Tensor
    code_error: Tensor


def build_inverse(recipe: PriorRecipe, dtype: str) -> keras.Model:
    """Build the encoder, as wide as the discriminator."""
    return build_encoder(
        image_size=recipe.image_size,
        latent_dim=recipe.latent_dim,
        width=recipe.discriminator_width,
        dtype=dtype,
        seed=recipe.seed + 2,
    )


def draw_known(recipe: PriorRecipe, step: int) -> np.ndarray:
    """Draw what the encoder is shown of the images of one step.

    Returns:
        `known`, bool `[2 * half, H, W]`: for half a batch of faces, then for as many
        generated images. The last of each, a share `inverse_holes`, have holes.
    """
    half = half_batch(recipe)
    size = recipe.image_size
    known = np.ones((2, half, size, size), bool)
    masked = round(recipe.inverse_holes * half)
    holes = training_holes(2 * masked, size, seed=recipe.seed, step=step)
    known[:, half - masked :] = holes.reshape(2, masked, size, size)
    return known.reshape(-1, size, size)


def half_batch(recipe: PriorRecipe) -> int:
    """Faces of a step that the encoder sees."""
    return max(1, recipe.batch_size // 2)


def inverse_gradients(
    recipe: PriorRecipe,
    networks: tuple[keras.Model, keras.Model],
    state: dict,
    batch: Batch,
    generated: Tensor,
) -> InverseGradients:
    """Differentiate |x - G(E(x))|^2 on faces and |z - E(G(z))|^2 on codes.

    G runs as in a search, with its moving statistics. Half of the batch is used. What
    is missing where there is a hole has to be guessed: the error is that of the whole
    image.

    Args:
        recipe: Has the weights of the two terms.
        networks: G and E.
        state: Of the training.
        batch: Has real images, codes and what is known.
        generated: float32 `[B, H, W, 3]`, of the codes.
    """
    generator, encoder = networks
    half = half_batch(recipe)
    faces, codes = batch.images[:half], batch.codes[:half]
    both = ops.concatenate([faces, ops.stop_gradient(generated[:half])])
    inputs = encoder_input(both, batch.known)

    def loss(generator_weights: list, encoder_weights: list) -> tuple:
        found, _ = encoder.stateless_call(encoder_weights, [], inputs, training=True)
        of_faces, of_generated = ops.split(found, 2)
        back, _ = generator.stateless_call(
            generator_weights, state["generator_stats"], of_faces, training=False
        )
        error = ops.mean(ops.square(back - faces))
        code_error = ops.mean(ops.square(of_generated - codes))
        weight = recipe.inverse_weight * recipe.inverse_interval
        return weight * error + code_error, (error, code_error)

    _, (error, code_error), gradients = backend.value_and_grad(
        loss, state["generator"], state["encoder"]
    )
    return InverseGradients(*gradients, error, code_error)
