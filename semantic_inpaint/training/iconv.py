"""One training step of IConv (Hukkelås et al. 2020): a critic and nothing else."""

from __future__ import annotations

from collections.abc import Callable

import keras
import numpy as np
from keras import ops

from semantic_inpaint import backend
from semantic_inpaint.backend import Tensor
from semantic_inpaint.losses.adversarial import get_loss
from semantic_inpaint.losses.iconv import get_penalty
from semantic_inpaint.models.iconv_discriminator import build_iconv_discriminator
from semantic_inpaint.models.inpainting_networks import build_network
from semantic_inpaint.training.descent import (
    State,
    copies,
    follow,
    start_optimizer,
)
from semantic_inpaint.training.iconv_descent import descend_in_units, step_units
from semantic_inpaint.training.iconv_recipes import IConvRecipe
from semantic_inpaint.training.inpainting import InpaintingBatch

# Streams of random numbers drawn from a seed, beside those of the loop.
BETWEEN, CODES = 14, 15


class IConvTrainer:
    """Generator, critic and moving average of a recipe, and their compiled steps."""

    def __init__(self, recipe: IConvRecipe) -> None:
        """Build the networks of `recipe`, initialised from its seed."""
        self.recipe = recipe
        self._policy = backend.compute_policy(recipe.precision)
        # What "auto" came to: "float32" or "bfloat16".
        self.precision = self._policy.removeprefix("mixed_")
        self._loss = get_loss("wasserstein")
        self._penalty = get_penalty(recipe.penalty)
        self.network = self._build_generator()
        self.discriminator = self._build_discriminator()
        self._average = self._build_generator()
        self._units = {
            "generator": step_units(self.network),
            "discriminator": step_units(self.discriminator, gain=recipe.critic_gain),
        }
        # By whether the step takes the penalty.
        self._steps = {
            penalise: backend.compile_function(self._make_step(penalise))
            for penalise in (False, True)
        }

    def initial_state(self) -> State:
        """Return the state before the first step."""
        weights = copies(self.network.trainable_variables)
        state = {
            "generator": weights,
            "discriminator": copies(self.discriminator.trainable_variables),
            "average": [ops.copy(w) for w in weights],
        }
        return start_optimizer(start_optimizer(state, "generator"), "discriminator")

    def step(
        self, state: State, batch: InpaintingBatch, step: int, *, learning_rate: float
    ) -> tuple[State, dict]:
        """Update both networks once, the critic once more in a step with a penalty.

        Args:
            state: From `initial_state` or an earlier step.
            batch: Images, holes, codes and landmarks.
            step: Number of steps done before this one.
            learning_rate: Of this step: the critic's.

        Returns:
            The new state and a dictionary of scalar tensors, still on the device.
        """
        recipe = self.recipe
        penalise = recipe.penalty_weight > 0 and step % recipe.penalty_interval == 0
        rng = np.random.default_rng([recipe.seed, BETWEEN, step])
        share = rng.random(len(batch.images), dtype=np.float32)
        numbers = (share, learning_rate, recipe.average_decay_at(step))
        return self._steps[penalise](
            state, *batch, *(ops.convert_to_tensor(n, "float32") for n in numbers)
        )

    def generator(self, state: State) -> keras.Model:
        """Return the moving average, until it is asked for anew."""
        variables = self._average.trainable_variables
        for variable, value in zip(variables, state["average"], strict=True):
            variable.assign(value)
        return self._average

    def inputs(
        self,
        images: np.ndarray,
        known: np.ndarray,
        seed: int,
        landmarks: np.ndarray | None = None,
    ) -> list:
        """Return what the generator is called with.

        Args:
            images: float32 `[B, H, W, 3]` in [-1, 1]; the hole is never read.
            known: bool `[B, H, W]`.
            seed: Of the code; the same for all images, so that what fills one never
                depends on the others.
            landmarks: float32 `[B, 2 * num_landmarks]` in [0, 1], where the recipe has
                any; None: zeros, as in a batch without landmarks.

        Returns:
            The images, the known map as float32 `[B, H, W, 1]`, then codes and
            landmarks, where it takes such.
        """
        recipe = self.recipe
        inputs = [
            np.asarray(images, np.float32),
            np.asarray(known, np.float32)[..., None],
        ]
        if recipe.latent_dim > 0:
            rng = np.random.default_rng([seed, CODES])
            code = rng.standard_normal(recipe.latent_dim, dtype=np.float32)
            inputs.append(np.tile(code, (len(images), 1)))
        if recipe.num_landmarks > 0:
            zeros = np.zeros((len(images), 2 * recipe.num_landmarks), np.float32)
            inputs.append(zeros if landmarks is None else landmarks)
        return inputs

    def _build_generator(self) -> keras.Model:
        kind, architecture = self.recipe.network()
        seed = self.recipe.seed
        return build_network(kind, architecture, dtype=self._policy, seed=seed)

    def _build_discriminator(self) -> keras.Model:
        recipe = self.recipe
        return build_iconv_discriminator(
            image_size=recipe.image_size,
            model_size=recipe.model_size,
            full_width_side=recipe.full_width_side,
            num_landmarks=recipe.num_landmarks,
            pose=recipe.discriminator_pose,
            residual=recipe.residual,
            gain=recipe.critic_gain,
            dtype=self._policy,
            seed=recipe.seed,
        )

    def _make_step(self, penalise: bool) -> Callable:
        def step(
            state: State,
            images: Tensor,
            known: Tensor,
            codes: Tensor,
            landmarks: Tensor,
            share: Tensor,
            rate: Tensor,
            decay: Tensor,
        ) -> tuple[State, dict]:
            real, condition = self._condition(images, known, landmarks)
            state, scalars, generated = self._update(
                state, real, condition, codes, rate
            )
            if penalise:
                share = share[:, None, None, None]
                between = share * real + (1.0 - share) * generated
                gradients, scalars["penalty"] = self._penalty_gradients(
                    state["discriminator"], between, condition
                )
                state = self._descend(state, "discriminator", gradients, rate)
            average = follow(state["average"], state["generator"], decay)
            return {**state, "average": average}, scalars

        return step

    def _condition(
        self, images: Tensor, known: Tensor, landmarks: Tensor
    ) -> tuple[Tensor, list]:
        """Real images in [-1, 1], and what both networks are told about them."""
        real = ops.cast(images, "float32") / 127.5 - 1.0
        condition = [real, ops.cast(known, "float32")[..., None]]
        if self.recipe.num_landmarks > 0:
            condition.append(landmarks)
        return real, condition

    def _update(
        self, state: State, real: Tensor, condition: list, codes: Tensor, rate: Tensor
    ) -> tuple[State, dict, Tensor]:
        """Update G and D at once, each by the other as it was (decision 0005).

        The critic's value of an image depends on that image alone, and its loss on an
        inpainted image is minus the generator's: so is the gradient by the image.
        """
        codes = [codes] if self.recipe.latent_dim > 0 else []
        inputs = [*condition[:2], *codes, *condition[2:]]
        generated, _, pull_generator = backend.vjp(
            lambda weights: self.network.stateless_call(
                weights, [], inputs, training=True
            ),
            state["generator"],
        )
        twice = [ops.concatenate([c, c]) for c in condition]

        def critic_loss(weights: list, judged: Tensor) -> tuple:
            values = self._judge(weights, judged, twice)
            of_real, of_fake = ops.split(values, 2)
            drift = ops.mean(ops.square(of_real))
            loss = ops.mean(self._loss.real(of_real)) + ops.mean(
                self._loss.fake(of_fake)
            )
            return loss + self.recipe.drift_weight * drift, (loss, of_real, of_fake)

        judged = ops.concatenate([real, ops.stop_gradient(generated)])
        _, (loss, of_real, of_fake), (gradients, by_image) = backend.value_and_grad(
            critic_loss, state["discriminator"], judged
        )
        (generator_gradients,) = pull_generator(-ops.split(by_image, 2)[1])

        state = self._descend(state, "discriminator", gradients, rate)
        state = self._descend(
            state, "generator", generator_gradients, rate / self.recipe.critic_lead
        )
        scalars = {
            "critic_loss": loss,
            "real_value": ops.mean(of_real),
            "fake_value": ops.mean(of_fake),
        }
        return state, scalars, generated

    def _penalty_gradients(
        self, weights: list, between: Tensor, condition: list
    ) -> tuple[list, Tensor]:
        """Differentiate the penalty by D's weights, times its interval.

        Also returned is its mean, a scalar.
        """
        recipe = self.recipe

        def penalty(weights: list) -> tuple:
            def value_sum(judged: Tensor) -> tuple:
                return ops.sum(self._judge(weights, judged, condition)), None

            _, _, (slopes,) = backend.value_and_grad(value_sum, between)
            mean = ops.mean(self._penalty(slopes, condition[1]))
            return recipe.penalty_weight * recipe.penalty_interval * mean, mean

        _, mean, (gradients,) = backend.value_and_grad(penalty, weights)
        return gradients, mean

    def _judge(self, weights: list, judged: Tensor, condition: list) -> Tensor:
        return self.discriminator.stateless_call(
            weights, [], [judged, *condition], training=True
        )[0]

    def _descend(
        self, state: State, network: str, gradients: list, rate: Tensor
    ) -> State:
        """Take a step of Adam, in units of each weight's initial scale."""
        recipe = self.recipe
        lazy = recipe.lazy_share if network == "discriminator" else 1.0
        return descend_in_units(
            state,
            network,
            gradients,
            units=self._units[network],
            learning_rate=lazy * rate,
            betas=(recipe.beta_1**lazy, recipe.beta_2**lazy),
        )
