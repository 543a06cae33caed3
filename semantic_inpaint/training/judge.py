"""The discriminator as a recipe has it judge: changed images, normalised weights."""

from __future__ import annotations

import keras
from keras import ops

from semantic_inpaint import backend
from semantic_inpaint.backend import Tensor
from semantic_inpaint.losses import adversarial
from semantic_inpaint.training import augmentation, spectral
from semantic_inpaint.training.recipes import PriorRecipe


class Judge:
    """Logits of images, and the penalties on their slope.

    Every method takes the weights of D, by which its result is differentiated, and
    the state of the training for all else. `draws` are uniform in [0, 1), a row for
    each image: what augmentation needs, then one number more.
    """

    def __init__(self, recipe: PriorRecipe, discriminator: keras.Model) -> None:
        """Take the discriminator of a training."""
        self.recipe = recipe
        self.discriminator = discriminator

    def logits(
        self, weights: list, state: dict, images: Tensor, draws: Tensor
    ) -> tuple[Tensor, list]:
        """Judge images.

        Args:
            weights: Of D.
            state: Of the training.
            images: float32 `[B, H, W, 3]` in [-1, 1].
            draws: float32 `[B, NUM_DRAWS + 1]`.

        Returns:
            Logits `[B, 1]` and the new statistics of D.
        """
        if self.recipe.policy:
            images = augmentation.augment(images, draws, self.recipe.policy)
        return self.discriminator.stateless_call(
            self.normalised(weights, state),
            state["discriminator_stats"],
            images,
            training=True,
        )

    def normalised(self, weights: list, state: dict) -> list:
        """Weights as D uses them: with spectral normalisation, divided."""
        if not self.recipe.spectral_norm:
            return weights
        return spectral.normalise_spectrally(weights, state["discriminator_vectors"])

    def r1_gradients(
        self, state: dict, images: Tensor, draws: Tensor
    ) -> tuple[list, Tensor]:
        """Differentiate the R1 penalty (Mescheder et al. 2018) by D's weights.

        It is multiplied by the interval at which it is taken. Also returned is the
        mean squared slope at the real images, a scalar.
        """
        recipe = self.recipe

        def penalty(weights: list) -> tuple:
            by_image = self._slope(weights, state, images, draws)
            squared = ops.mean(adversarial.gradient_penalty(by_image))
            return 0.5 * recipe.r1_gamma * recipe.r1_interval * squared, squared

        _, squared, (gradients,) = backend.value_and_grad(
            penalty, state["discriminator"]
        )
        return gradients, squared

    def unit_slope_gradients(
        self, state: dict, images: Tensor, generated: Tensor, draws: Tensor
    ) -> list:
        """Differentiate the penalty of WGAN-GP (Gulrajani et al. 2017) by D's weights.

        It is taken at random points between real and generated images.
        """
        share = draws[:, -1, None, None, None]
        between = share * images + (1.0 - share) * ops.stop_gradient(generated)

        def penalty(weights: list) -> tuple:
            by_image = self._slope(weights, state, between, draws)
            squared = ops.mean(adversarial.unit_slope_penalty(by_image))
            return self.recipe.slope_weight * squared, None

        _, _, (gradients,) = backend.value_and_grad(penalty, state["discriminator"])
        return gradients

    def _slope(
        self, weights: list, state: dict, images: Tensor, draws: Tensor
    ) -> Tensor:
        """Gradient of each image's logit by the image."""

        def logit_sum(inputs: Tensor) -> tuple:
            return ops.sum(self.logits(weights, state, inputs, draws)[0]), None

        _, _, (by_image,) = backend.value_and_grad(logit_sum, images)
        return by_image
