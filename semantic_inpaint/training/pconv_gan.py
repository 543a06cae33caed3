"""One training step of PConv-GAN in each phase, as pure functions of a state."""

from __future__ import annotations

from collections.abc import Callable

import keras
import numpy as np
from keras import ops

from semantic_inpaint import backend
from semantic_inpaint.backend import Tensor
from semantic_inpaint.losses import pconv_gan as losses
from semantic_inpaint.losses.adversarial import get_loss
from semantic_inpaint.models.inpainting_networks import build_network
from semantic_inpaint.models.pconv_gan_discriminator import (
    build_pconv_gan_discriminator,
)
from semantic_inpaint.training.descent import (
    State,
    copies,
    descend,
    follow,
    start_optimizer,
)
from semantic_inpaint.training.inpainting import InpaintingBatch
from semantic_inpaint.training.pconv_gan_recipes import PConvGanRecipe


class PConvGanTrainer:
    """The networks of a recipe, and the compiled step of each phase."""

    def __init__(self, recipe: PConvGanRecipe) -> None:
        """Build the networks of `recipe`, initialised from its seed."""
        self.recipe = recipe
        self._policy = backend.compute_policy(recipe.precision)
        # What "auto" came to: "float32" or "bfloat16".
        self.precision = self._policy.removeprefix("mixed_")
        self.network = self._build()
        self.discriminator = build_pconv_gan_discriminator(
            image_size=recipe.image_size,
            width=recipe.discriminator_width,
            units=recipe.discriminator_units,
            local=recipe.local,
            dtype=self._policy,
            seed=recipe.seed,
        )
        self._average = self._build()
        self._logistic = get_loss("logistic")
        updates = {
            "generator": self._update_generator,
            "discriminator": self._update_discriminator,
            "both": self._update_both,
        }
        self._steps = {
            phase: backend.compile_function(self._make_step(update))
            for phase, update in updates.items()
        }

    def initial_state(self) -> State:
        """Return the state before the first step."""
        network, discriminator = self.network, self.discriminator
        state = {
            "generator": copies(network.trainable_variables),
            "generator_stats": copies(network.non_trainable_variables),
            "average": copies(network.trainable_variables),
            "average_stats": copies(network.non_trainable_variables),
        }
        state = start_optimizer(state, "generator")
        if self.recipe.adversarial_weight > 0:
            state["discriminator"] = copies(discriminator.trainable_variables)
            state = start_optimizer(state, "discriminator")
        return state

    def step(
        self, state: State, batch: InpaintingBatch, step: int, *, learning_rate: float
    ) -> tuple[State, dict]:
        """Update what the phase of the step trains, once.

        Args:
            state: From `initial_state` or an earlier step.
            batch: Images and what is known of them.
            step: Number of steps done before this one.
            learning_rate: Of this step.

        Returns:
            The new state and a dictionary of scalar tensors, still on the device.
        """
        numbers = (learning_rate, self.recipe.average_decay_at(step))
        return self._steps[self.recipe.phase_at(step)](
            state,
            batch.images,
            batch.known,
            *(ops.convert_to_tensor(n, "float32") for n in numbers),
        )

    def generator(self, state: State) -> keras.Model:
        """Return the moving average as a network, until it is asked for anew."""
        for variables, group in (
            (self._average.trainable_variables, "average"),
            (self._average.non_trainable_variables, "average_stats"),
        ):
            for variable, value in zip(variables, state[group], strict=True):
                variable.assign(value)
        return self._average

    def inputs(
        self, images: np.ndarray, known: np.ndarray, seed: int
    ) -> list[np.ndarray]:
        """Return what the generator is called with.

        Args:
            images: float `[B, H, W, 3]` in [-1, 1]; the hole is never read.
            known: bool `[B, H, W]`.
            seed: Without effect, as the generator draws nothing.

        Returns:
            float32 `[B, H, W, 3]` and `[B, H, W, 1]`.
        """
        return [images.astype(np.float32), known[..., None].astype(np.float32)]

    def _build(self) -> keras.Model:
        kind, architecture = self.recipe.network()
        seed = self.recipe.seed
        return build_network(kind, architecture, dtype=self._policy, seed=seed)

    def _make_step(self, update: Callable) -> Callable:
        def step(
            state: State, images: Tensor, known: Tensor, rate: Tensor, decay: Tensor
        ) -> tuple[State, dict]:
            targets = ops.cast(images, "float32") / 127.5 - 1.0
            known = ops.cast(known, "float32")[..., None]
            state, scalars = update(state, targets, known, rate)
            averages = {
                f"average{key}": follow(
                    state[f"average{key}"], state[f"generator{key}"], decay
                )
                for key in ("", "_stats")
            }
            return {**state, **averages}, scalars

        return step

    def _update_generator(
        self, state: State, targets: Tensor, known: Tensor, rate: Tensor
    ) -> tuple[State, dict]:
        """Phase 1: the generator, on its squared error."""

        def loss(weights: list) -> tuple:
            generated, stats = self._generate(weights, state, targets, known)
            errors = self._errors(generated, targets, known)
            return ops.mean(errors), (generated, stats)

        value, (generated, stats), (gradients,) = backend.value_and_grad(
            loss, state["generator"]
        )
        scalars = {
            "loss": value,
            "hole_error": ops.mean(losses.hole_error(generated, targets, known)),
        }
        return self._descend_generator(state, gradients, stats, rate), scalars

    def _update_discriminator(
        self, state: State, targets: Tensor, known: Tensor, rate: Tensor
    ) -> tuple[State, dict]:
        """Phase 2: the discriminators; the generator stays as it is."""
        generated, _ = self._generate(state["generator"], state, targets, known)
        gradients, _, _, scalars = self._judge(state, targets, generated)
        return self._descend(state, "discriminator", gradients, rate), scalars

    def _update_both(
        self, state: State, targets: Tensor, known: Tensor, rate: Tensor
    ) -> tuple[State, dict]:
        """Phase 3: both at once, each against the other as it was.

        A score depends on its image alone, so the gradient of the generator's
        -log D(x) by a generated image is that of the discriminators' -log(1 - D(x))
        times a number, and one pass through them serves both.
        """
        generated, stats, pull_generator = backend.vjp(
            lambda weights: self._generate(weights, state, targets, known),
            state["generator"],
        )

        def error(images: Tensor) -> tuple:
            errors = self._errors(images, targets, known)
            return ops.mean(errors), errors

        _, errors, (by_error,) = backend.value_and_grad(error, generated)
        gradients, by_image, fake, scalars = self._judge(state, targets, generated)
        weight = self.recipe.adversarial_weight
        by_judgement = weight * self._logistic.ratio(fake)[:, :, None, None] * by_image
        (generator_gradients,) = pull_generator(by_error + by_judgement)

        scalars |= {
            "loss": ops.mean(
                losses.generator_loss(errors, fake, adversarial_weight=weight)
            ),
            "hole_error": ops.mean(losses.hole_error(generated, targets, known)),
        }
        state = self._descend(state, "discriminator", gradients, rate)
        state = self._descend_generator(state, generator_gradients, stats, rate)
        return state, scalars

    def _generate(
        self, weights: list, state: State, targets: Tensor, known: Tensor
    ) -> tuple[Tensor, list]:
        """Images of a training step, and the statistics of batches after it."""
        return self.network.stateless_call(
            weights, state["generator_stats"], [targets, known], training=True
        )

    def _errors(self, generated: Tensor, targets: Tensor, known: Tensor) -> Tensor:
        return losses.reconstruction_loss(
            generated, targets, known, valid_weight=self.recipe.valid_weight
        )

    def _judge(
        self, state: State, targets: Tensor, generated: Tensor
    ) -> tuple[list, Tensor, Tensor, dict]:
        """Let the discriminators look at real and at generated images.

        Returns:
            Gradients of their loss by their weights and by the generated images, the
            logits of these, and scalars.
        """

        def loss(weights: list, images: Tensor) -> tuple:
            both = ops.concatenate([targets, images])
            logits, _ = self.discriminator.stateless_call(weights, [], both)
            real, fake = ops.split(logits, 2)
            return ops.mean(losses.discriminator_loss(real, fake)), (real, fake)

        value, (real, fake), (gradients, by_image) = backend.value_and_grad(
            loss, state["discriminator"], ops.stop_gradient(generated)
        )
        scalars = {
            "discriminator_loss": value,
            "real_logit": ops.mean(real),
            "fake_logit": ops.mean(fake),
        }
        return gradients, by_image, fake, scalars

    def _descend_generator(
        self, state: State, gradients: list, stats: list, rate: Tensor
    ) -> State:
        state = {**state, "generator_stats": stats}
        return self._descend(state, "generator", gradients, rate)

    def _descend(
        self, state: State, network: str, gradients: list, rate: Tensor
    ) -> State:
        betas = (self.recipe.beta_1, self.recipe.beta_2)
        return descend(state, network, gradients, learning_rate=rate, betas=betas)
