"""One training step of a GAN, as a pure function of its state.

The state is a dictionary of lists of tensors, so that a step can be compiled, and
saved and resumed exactly, on either backend.
"""

from __future__ import annotations

from collections.abc import Callable

from keras import ops

from semantic_inpaint import backend
from semantic_inpaint.adam import AdamMoments, adam_start, adam_update
from semantic_inpaint.backend import Tensor
from semantic_inpaint.losses import adversarial
from semantic_inpaint.models import dcgan
from semantic_inpaint.training.recipes import PriorRecipe

State = dict[str, list]


class GanTrainer:
    """The networks and optimisers of a recipe, and their compiled steps."""

    def __init__(self, recipe: PriorRecipe) -> None:
        """Build the networks of `recipe`, initialised from its seed."""
        self.recipe = recipe
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
        update = self._shared_update if recipe.shared_backward else self._turns_update
        self._steps: dict[bool, Callable] = {
            penalise: backend.compile_function(self._make_step(update, penalise))
            for penalise in (False, True)
        }
        self.sample = backend.compile_function(self._sample)

    def initial_state(self) -> State:
        """Return the state before the first step."""
        generator, discriminator = self.generator, self.discriminator
        variables = {
            "generator": generator.trainable_variables,
            "generator_stats": generator.non_trainable_variables,
            "discriminator": discriminator.trainable_variables,
            "discriminator_stats": discriminator.non_trainable_variables,
            "average": generator.trainable_variables,
            "average_stats": generator.non_trainable_variables,
        }
        state = {
            # Copies: TensorFlow would else hand out the variables themselves.
            key: [ops.copy(v.value) for v in group]
            for key, group in variables.items()
        }
        for network in ("generator", "discriminator"):
            first, second, count = adam_start(state[network])
            state[f"{network}_optimizer"] = [*first, *second, count]
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
        numbers = (rate, self._average_decay(step))
        return self._steps[penalise](
            state, real, codes, *(ops.convert_to_tensor(n, "float32") for n in numbers)
        )

    def _average_decay(self, step: int) -> float:
        """Decay of the moving average, its half-life growing with the images seen."""
        recipe = self.recipe
        half_life = min(
            recipe.average_half_life,
            recipe.average_ramp * recipe.batch_size * (step + 1),
        )
        return 0.5 ** (recipe.batch_size / half_life) if half_life > 0 else 0.0

    def _make_step(self, update: Callable, penalise: bool) -> Callable:
        def step(
            state: State, real: Tensor, codes: Tensor, rate: Tensor, decay: Tensor
        ) -> tuple[State, dict]:
            images = ops.cast(real, "float32") / 127.5 - 1.0
            state, scalars = update(dict(state), images, codes, rate)
            if penalise:
                state, scalars["r1"] = self._penalise(state, images, rate)
            for key in ("", "_stats"):
                state[f"average{key}"] = [
                    decay * average + (1.0 - decay) * new
                    for average, new in zip(
                        state[f"average{key}"], state[f"generator{key}"], strict=True
                    )
                ]
            return state, scalars

        return step

    def _shared_update(
        self, state: State, images: Tensor, codes: Tensor, rate: Tensor
    ) -> tuple[State, dict]:
        """Both gradients from one pass through G and one through D.

        Where D's score of an image depends on that image alone, the gradient of the
        generator's loss by a generated image is that of the discriminator's loss
        times a number: softplus(-l)' / softplus(l)' = -exp(-l) at the logit l. So D
        is neither evaluated nor differentiated a second time.
        """
        generated, generator_stats, pull_generator = backend.vjp(
            lambda weights: self.generator.stateless_call(
                weights, state["generator_stats"], codes, training=True
            ),
            state["generator"],
        )

        def discriminator_loss(weights: list, inputs: Tensor) -> tuple:
            logits, _ = self.discriminator.stateless_call(
                weights, state["discriminator_stats"], inputs, training=True
            )
            real, fake = ops.split(logits, 2)
            return self._discriminator_loss(real, fake), (real, fake)

        both = ops.concatenate([images, ops.stop_gradient(generated)])
        loss, (real, fake), (gradients, by_image) = backend.value_and_grad(
            discriminator_loss, state["discriminator"], both
        )
        factor = -ops.exp(ops.minimum(-fake, 60.0))
        by_generated = ops.split(by_image, 2)[1] * factor[:, :, None, None]
        (generator_gradients,) = pull_generator(by_generated)

        state["generator_stats"] = generator_stats
        state = self._descend(state, "discriminator", gradients, rate)
        state = self._descend(state, "generator", generator_gradients, rate)
        return state, self._scalars(loss, real, fake)

    def _turns_update(
        self, state: State, images: Tensor, codes: Tensor, rate: Tensor
    ) -> tuple[State, dict]:
        """First D, then G through the new D (Goodfellow et al. 2014, algorithm 1)."""
        generated, generator_stats = self.generator.stateless_call(
            state["generator"], state["generator_stats"], codes, training=True
        )

        # Real and generated images are normalised apart, each by its own batch.
        def discriminator_loss(weights: list) -> tuple:
            real, stats = self.discriminator.stateless_call(
                weights, state["discriminator_stats"], images, training=True
            )
            fake, stats = self.discriminator.stateless_call(
                weights, stats, ops.stop_gradient(generated), training=True
            )
            return self._discriminator_loss(real, fake), (real, fake, stats)

        loss, (real, fake, stats), (gradients,) = backend.value_and_grad(
            discriminator_loss, state["discriminator"]
        )
        state["discriminator_stats"] = stats
        state = self._descend(state, "discriminator", gradients, rate)

        def generator_loss(weights: list) -> tuple:
            images, _ = self.generator.stateless_call(
                weights, state["generator_stats"], codes, training=True
            )
            logits, _ = self.discriminator.stateless_call(
                state["discriminator"], stats, images, training=True
            )
            return ops.mean(adversarial.generator_loss(logits)), None

        _, _, (gradients,) = backend.value_and_grad(generator_loss, state["generator"])
        state["generator_stats"] = generator_stats
        state = self._descend(state, "generator", gradients, rate)
        return state, self._scalars(loss, real, fake)

    def _penalise(
        self, state: State, images: Tensor, rate: Tensor
    ) -> tuple[State, Tensor]:
        """The R1 penalty on real images, every so often with a larger weight."""
        recipe = self.recipe

        def logit_sum(weights: list, inputs: Tensor) -> tuple:
            logits, _ = self.discriminator.stateless_call(
                weights, state["discriminator_stats"], inputs, training=True
            )
            return ops.sum(logits), None

        def penalty(weights: list) -> tuple:
            _, _, (by_image,) = backend.value_and_grad(
                lambda inputs: logit_sum(weights, inputs), images
            )
            squared = ops.mean(adversarial.gradient_penalty(by_image))
            return 0.5 * recipe.r1_gamma * recipe.r1_interval * squared, squared

        _, squared, (gradients,) = backend.value_and_grad(
            penalty, state["discriminator"]
        )
        return self._descend(state, "discriminator", gradients, rate), squared

    def _discriminator_loss(self, real: Tensor, fake: Tensor) -> Tensor:
        return ops.mean(
            adversarial.discriminator_real_loss(real, label=self.recipe.real_label)
        ) + ops.mean(adversarial.discriminator_fake_loss(fake))

    def _descend(
        self, state: State, network: str, gradients: list, rate: Tensor
    ) -> State:
        recipe, weights = self.recipe, state[network]
        *moments, count = state[f"{network}_optimizer"]
        first, second = moments[: len(weights)], moments[len(weights) :]
        weights, (first, second, count) = adam_update(
            weights,
            gradients,
            AdamMoments(first, second, count),
            learning_rate=rate,
            beta_1=recipe.beta_1,
            beta_2=recipe.beta_2,
        )
        return {
            **state,
            network: weights,
            f"{network}_optimizer": [*first, *second, count],
        }

    def _scalars(self, loss: Tensor, real: Tensor, fake: Tensor) -> dict:
        return {
            "discriminator_loss": loss,
            "generator_loss": ops.mean(adversarial.generator_loss(fake)),
            "real_logit": ops.mean(real),
            "fake_logit": ops.mean(fake),
        }

    def _sample(self, weights: list, stats: list, codes: Tensor) -> Tensor:
        """Images in [-1, 1] of the given weights, with the moving statistics."""
        images, _ = self.generator.stateless_call(weights, stats, codes, training=False)
        return images
