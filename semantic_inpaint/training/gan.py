"""One training step of a GAN, as a pure function of its state.

The state is a dictionary of lists of tensors, so that a step can be compiled, and
saved and resumed exactly, on either backend.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable

import numpy as np
from keras import ops

from semantic_inpaint import backend
from semantic_inpaint.backend import Tensor
from semantic_inpaint.losses.adversarial import get_loss
from semantic_inpaint.models import dcgan
from semantic_inpaint.training import augmentation, spectral
from semantic_inpaint.training.descent import (
    State,
    copies,
    descend,
    follow,
    start_optimizer,
)
from semantic_inpaint.training.inverse import (
    Batch,
    build_inverse,
    draw_known,
    inverse_gradients,
)
from semantic_inpaint.training.judge import Judge
from semantic_inpaint.training.recipes import PriorRecipe

# Stream of random numbers drawn from the recipe's seed, beside those of the loop.
AUGMENTATION = 3


class GanTrainer:
    """The networks and optimisers of a recipe, and their compiled steps."""

    def __init__(self, recipe: PriorRecipe) -> None:
        """Build the networks of `recipe`, initialised from its seed."""
        self.recipe = recipe
        self.loss = get_loss(recipe.loss, real_label=recipe.real_label)
        policy = backend.compute_policy(recipe.precision)
        # What "auto" came to: "float32" or "bfloat16".
        self.precision = policy.removeprefix("mixed_")
        self.generator = dcgan.build_generator(
            image_size=recipe.image_size,
            latent_dim=recipe.latent_dim,
            base_width=recipe.generator_width,
            dtype=policy,
            seed=recipe.seed,
        )
        self.discriminator = dcgan.build_discriminator(
            image_size=recipe.image_size,
            width=recipe.discriminator_width,
            normalization=recipe.normalization,
            dtype=policy,
            seed=recipe.seed,
        )
        self.judge = Judge(recipe, self.discriminator)
        self.encoder = (
            build_inverse(recipe, policy) if recipe.inverse_weight > 0 else None
        )
        update = self._shared_update if recipe.shared_backward else self._turns_update
        # By whether the step takes the R1 penalty, and whether it inverts.
        self._steps: dict[tuple[bool, bool], Callable] = {
            kind: backend.compile_function(self._make_step(update, *kind))
            for kind in itertools.product((False, True), repeat=2)
        }
        self.sample = backend.compile_function(self._sample)

    def initial_state(self) -> State:
        """Return the state before the first step."""
        generator, discriminator = self.generator, self.discriminator
        state = {
            "generator": copies(generator.trainable_variables),
            "generator_stats": copies(generator.non_trainable_variables),
            "discriminator": copies(discriminator.trainable_variables),
            "discriminator_stats": copies(discriminator.non_trainable_variables),
            "average": copies(generator.trainable_variables),
            "average_stats": copies(generator.non_trainable_variables),
        }
        state = start_optimizer(start_optimizer(state, "generator"), "discriminator")
        if self.recipe.spectral_norm:
            vectors = spectral.initial_vectors(
                state["discriminator"], seed=self.recipe.seed
            )
            state["discriminator_vectors"] = [ops.convert_to_tensor(v) for v in vectors]
        if self.encoder is not None:
            state["encoder"] = copies(self.encoder.trainable_variables)
            state = start_optimizer(state, "encoder")
        return state

    def step(
        self,
        state: State,
        real: Tensor,
        codes: Tensor,
        step: int,
        *,
        learning_rate: float | None = None,
    ) -> tuple[State, dict]:
        """Update both networks once.

        Args:
            state: From `initial_state` or an earlier step.
            real: uint8 `[B, H, W, 3]`.
            codes: float32 `[B, latent_dim]` in [-1, 1].
            step: Number of steps done before this one.
            learning_rate: Of this step; default: the recipe's.

        Returns:
            The new state and a dictionary of scalar tensors, still on the device.
        """
        penalise = self.recipe.r1_gamma > 0 and step % self.recipe.r1_interval == 0
        rate = self.recipe.learning_rate if learning_rate is None else learning_rate
        invert = self.encoder is not None and step % self.recipe.inverse_interval == 0
        known = draw_known(self.recipe, step) if invert else np.zeros(0)
        numbers = (self._draws(step), known, rate, self.recipe.average_decay(step))
        return self._steps[penalise, invert](
            state, real, codes, *(ops.convert_to_tensor(n, "float32") for n in numbers)
        )

    def _draws(self, step: int) -> np.ndarray:
        """Random numbers of a step: a row for each real, then each generated image."""
        rng = np.random.default_rng([self.recipe.seed, AUGMENTATION, step])
        shape = (2 * self.recipe.batch_size, augmentation.NUM_DRAWS + 1)
        return rng.random(shape, dtype=np.float32)

    def _make_step(self, update: Callable, penalise: bool, invert: bool) -> Callable:
        def step(
            state: State,
            real: Tensor,
            codes: Tensor,
            draws: Tensor,
            known: Tensor,
            rate: Tensor,
            decay: Tensor,
        ) -> tuple[State, dict]:
            images = ops.cast(real, "float32") / 127.5 - 1.0
            batch = Batch(images, codes, draws, known if invert else None, rate)
            state = dict(state)
            if self.recipe.spectral_norm:
                state["discriminator_vectors"] = spectral.advance_vectors(
                    state["discriminator"], state["discriminator_vectors"]
                )
            state, scalars = update(state, batch)
            if penalise:
                real_draws = ops.split(draws, 2)[0]
                gradients, scalars["r1"] = self.judge.r1_gradients(
                    state, images, real_draws
                )
                state = self._descend(state, "discriminator", gradients, rate)
            for key in ("", "_stats"):
                state[f"average{key}"] = follow(
                    state[f"average{key}"], state[f"generator{key}"], decay
                )
            return state, scalars

        return step

    def _shared_update(self, state: State, batch: Batch) -> tuple[State, dict]:
        """Both gradients from one pass through G and one through D.

        Where D's score of an image depends on that image alone, the gradient of the
        generator's loss by a generated image is that of the discriminator's loss
        times a number: softplus(-l)' / softplus(l)' = -exp(-l) at the logit l. So D
        is neither evaluated nor differentiated a second time.
        """
        generated, generator_stats, pull_generator = backend.vjp(
            lambda weights: self.generator.stateless_call(
                weights, state["generator_stats"], batch.codes, training=True
            ),
            state["generator"],
        )

        def discriminator_loss(weights: list, inputs: Tensor) -> tuple:
            logits, _ = self.judge.logits(weights, state, inputs, batch.draws)
            real, fake = ops.split(logits, 2)
            loss = ops.mean(self.loss.real(real)) + ops.mean(self.loss.fake(fake))
            return loss, (real, fake)

        both = ops.concatenate([batch.images, ops.stop_gradient(generated)])
        loss, (real, fake), (gradients, by_image) = backend.value_and_grad(
            discriminator_loss, state["discriminator"], both
        )
        ratio = self.loss.ratio(fake)
        by_generated = ops.split(by_image, 2)[1] * ratio[:, :, None, None]
        (generator_gradients,) = pull_generator(by_generated)

        state = self._descend_discriminator(state, gradients, batch, generated)
        scalars = self._scalars(loss, real, fake)
        state = self._descend_generator(
            state, generator_gradients, generator_stats, batch, generated, scalars
        )
        return state, scalars

    def _turns_update(self, state: State, batch: Batch) -> tuple[State, dict]:
        """First D, then G through the new D (Goodfellow et al. 2014, algorithm 1)."""
        generated, generator_stats = self.generator.stateless_call(
            state["generator"], state["generator_stats"], batch.codes, training=True
        )
        real_draws, fake_draws = ops.split(batch.draws, 2)

        # Real and generated images are normalised apart, each by its own batch.
        def discriminator_loss(weights: list) -> tuple:
            real, stats = self.judge.logits(weights, state, batch.images, real_draws)
            moved = {**state, "discriminator_stats": stats}
            fake, stats = self.judge.logits(
                weights, moved, ops.stop_gradient(generated), fake_draws
            )
            loss = ops.mean(self.loss.real(real)) + ops.mean(self.loss.fake(fake))
            return loss, (real, fake, stats)

        loss, (real, fake, stats), (gradients,) = backend.value_and_grad(
            discriminator_loss, state["discriminator"]
        )
        state = {**state, "discriminator_stats": stats}
        state = self._descend_discriminator(state, gradients, batch, generated)

        def generator_loss(weights: list) -> tuple:
            images, _ = self.generator.stateless_call(
                weights, state["generator_stats"], batch.codes, training=True
            )
            logits, _ = self.judge.logits(
                state["discriminator"], state, images, fake_draws
            )
            return ops.mean(self.loss.generator(logits)), None

        _, _, (gradients,) = backend.value_and_grad(generator_loss, state["generator"])
        scalars = self._scalars(loss, real, fake)
        state = self._descend_generator(
            state, gradients, generator_stats, batch, generated, scalars
        )
        return state, scalars

    def _descend_discriminator(
        self, state: State, gradients: list, batch: Batch, generated: Tensor
    ) -> State:
        """Update D, with the penalty of WGAN-GP where the recipe has it."""
        if self.recipe.slope_weight > 0:
            added = self.judge.unit_slope_gradients(
                state, batch.images, generated, ops.split(batch.draws, 2)[0]
            )
            gradients = [g + a for g, a in zip(gradients, added, strict=True)]
        return self._descend(state, "discriminator", gradients, batch.rate)

    def _descend_generator(
        self,
        state: State,
        gradients: list,
        stats: list,
        batch: Batch,
        generated: Tensor,
        scalars: dict,
    ) -> State:
        """Update G, and in a step that inverts, E and what G owes to it."""
        if batch.known is not None:
            networks = (self.generator, self.encoder)
            found = inverse_gradients(self.recipe, networks, state, batch, generated)
            scalars["inverse_error"] = found.error
            scalars["code_error"] = found.code_error
            state = self._descend(state, "encoder", found.encoder, batch.rate)
            gradients = [g + a for g, a in zip(gradients, found.generator, strict=True)]
        state = {**state, "generator_stats": stats}
        return self._descend(state, "generator", gradients, batch.rate)

    def _descend(
        self, state: State, network: str, gradients: list, rate: Tensor
    ) -> State:
        betas = (self.recipe.beta_1, self.recipe.beta_2)
        return descend(state, network, gradients, learning_rate=rate, betas=betas)

    def _scalars(self, loss: Tensor, real: Tensor, fake: Tensor) -> dict:
        return {
            "discriminator_loss": loss,
            "generator_loss": ops.mean(self.loss.generator(fake)),
            "real_logit": ops.mean(real),
            "fake_logit": ops.mean(fake),
        }

    def _sample(self, weights: list, stats: list, codes: Tensor) -> Tensor:
        """Images in [-1, 1] of the given weights, with the moving statistics."""
        images, _ = self.generator.stateless_call(weights, stats, codes, training=False)
        return images
