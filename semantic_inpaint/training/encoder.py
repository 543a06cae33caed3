"""Training an encoder: masked images to codes of a frozen generator."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import keras
import numpy as np
from keras import ops

from semantic_inpaint import backend
from semantic_inpaint.backend import Tensor
from semantic_inpaint.models.encoder import (
    LatentEncoder,
    build_encoder,
    encoder_input,
)
from semantic_inpaint.models.prior import GenerativePrior
from semantic_inpaint.training.descent import (
    State,
    copies,
    descend,
    follow,
    start_optimizer,
)
from semantic_inpaint.training.encoder_recipes import EncoderRecipe
from semantic_inpaint.training.holes import training_holes
from semantic_inpaint.training.loop import (
    TrainingData,
    check_data,
    draw_images,
    flip_images,
)
from semantic_inpaint.training.state import load_group
from semantic_inpaint.training.steps import Procedure, Report, begin_run, run_steps

# Stream of random numbers drawn from the recipe's seed, beside those of the loop.
PAIRS = 11
SHEET_IMAGES = 32


class EncoderBatch(NamedTuple):
    """What one step sees.

    Attributes:
        images: uint8 `[B, H, W, 3]`, real.
        codes: float32 `[P, latent_dim]` in [-1, 1], of the images to generate.
        known: bool `[B + P, H, W]`, of the real and then the generated images.
    """

    images: np.ndarray
    codes: np.ndarray
    known: np.ndarray


@dataclasses.dataclass(frozen=True)
class EncoderTraining:
    """The end of a run.

    Attributes:
        trainer: The networks.
        state: Everything that was trained, the moving average included.
        step: Steps done.
        seconds: Time in the loop up to the last state on disk, over all resumptions;
            0 where no clock was given.
        history: Earlier lengths of the run; see `SavedRun`.
    """

    trainer: EncoderTrainer
    state: State
    step: int
    seconds: float
    history: tuple[dict[str, Any], ...] = ()


class EncoderTrainer:
    """An encoder beside the frozen generator of its prior, and its compiled step."""

    def __init__(self, recipe: EncoderRecipe, prior: GenerativePrior) -> None:
        """Build the encoder of `recipe`, initialised from its seed."""
        self.recipe = recipe
        self.prior = prior
        self._policy = backend.compute_policy(recipe.precision)
        # What "auto" came to: "float32" or "bfloat16".
        self.precision = self._policy.removeprefix("mixed_")
        self.network = self._build()
        self._average = LatentEncoder(self._build(), prior.sha256)
        self._step = backend.compile_function(self._update)

    def initial_state(self, start_from: Path | None = None) -> State:
        """Return the state before the first step.

        Args:
            start_from: Folder of a run that has trained an encoder of these shapes,
                alone or beside a prior, to take its weights; None: fresh ones.

        Raises:
            ValueError: It has none.
        """
        weights = copies(self.network.trainable_variables)
        if start_from is not None:
            weights = load_group(start_from, "encoder", weights)
        state = {"encoder": weights, "average": [ops.copy(w) for w in weights]}
        return start_optimizer(state, "encoder")

    def step(
        self, state: State, batch: EncoderBatch, step: int, *, learning_rate: float
    ) -> tuple[State, dict]:
        """Update the encoder once.

        Args:
            state: From `initial_state` or an earlier step.
            batch: Real images, codes and holes.
            step: Number of steps done before this one.
            learning_rate: Of this step.

        Returns:
            The new state and a dictionary of scalar tensors, still on the device.
        """
        numbers = (learning_rate, self.recipe.average_decay_at(step))
        return self._step(
            state, *batch, *(ops.convert_to_tensor(n, "float32") for n in numbers)
        )

    def encoder(self, state: State) -> LatentEncoder:
        """Return the moving average as an encoder, until it is asked for anew."""
        variables = self._average.network.trainable_variables
        for variable, value in zip(variables, state["average"], strict=True):
            variable.assign(value)
        return self._average

    def _build(self) -> keras.Model:
        return build_encoder(
            image_size=self.prior.image_size,
            latent_dim=self.prior.latent_dim,
            width=self.recipe.width,
            hidden=self.recipe.hidden,
            dtype=self._policy,
            seed=self.recipe.seed,
        )

    def _update(
        self,
        state: State,
        images: Tensor,
        codes: Tensor,
        known: Tensor,
        rate: Tensor,
        decay: Tensor,
    ) -> tuple[State, dict]:
        recipe, generator = self.recipe, self.prior.generator
        targets = ops.cast(images, "float32") / 127.5 - 1.0
        if recipe.num_pairs > 0:
            targets = ops.concatenate([targets, generator(codes, training=False)])
        inputs = encoder_input(targets, known)

        def loss(weights: list) -> tuple:
            found, _ = self.network.stateless_call(weights, [], inputs, training=True)
            back = generator(found, training=False)
            # The whole image: what is missing is what the encoder is to guess.
            errors = ops.mean(ops.square(back - targets), axis=(1, 2, 3))
            total = ops.mean(errors)
            scalars = {"image_error": ops.mean(errors[: recipe.batch_size])}
            if recipe.num_pairs > 0:
                pairs = found[recipe.batch_size :]
                scalars["code_error"] = ops.mean(ops.square(pairs - codes))
                total = total + recipe.code_weight * scalars["code_error"]
            return total, {"loss": total, **scalars}

        _, scalars, (gradients,) = backend.value_and_grad(loss, state["encoder"])
        betas = (recipe.beta_1, recipe.beta_2)
        state = descend(state, "encoder", gradients, learning_rate=rate, betas=betas)
        average = follow(state["average"], state["encoder"], decay)
        return {**state, "average": average}, scalars


def train_encoder(
    recipe: EncoderRecipe,
    prior: GenerativePrior,
    data: TrainingData,
    folder: Path,
    *,
    report: Callable[[Report], None] | None = None,
    report_interval: int = 50,
    save_interval: int = 500,
    max_steps: int | None = None,
    clock: Callable[[], float] | None = None,
    validate: Callable[[LatentEncoder], dict[str, float]] | None = None,
    start_from: Path | None = None,
) -> EncoderTraining:
    """Train, or go on training, the encoder of a prior.

    A step compares each image with what the generator makes of the code that the
    encoder finds for its known pixels: the mean squared error over the whole image.
    Some images are generated, so that their code is known and compared as well. The
    run stops and goes on at the exact step, as `train_prior` does.

    Args:
        recipe: What to train and how.
        prior: Whose codes to find; its networks do not change.
        data: What to train on.
        folder: Where the state is kept.
        report: Called every `report_interval` steps.
        report_interval: Steps between reports, and between checks for divergence.
        save_interval: Steps between states on disk, between sheets, which have masked
            and generated images in turn, and between validations.
        max_steps: Stop after this many steps in all, sooner than the recipe says.
        clock: Seconds from any start, to measure the training with.
        validate: Measures the moving average; what it returns is reported.
        start_from: Folder of a run whose encoder's weights a new run begins with.

    Returns:
        The networks and the final state.

    Raises:
        ValueError: The data does not fit the prior, the folder holds another run or
            another process works in it, or a number of steps is not positive.
        FloatingPointError: A loss or a weight is no longer finite; the last good
            state, if there is one, stays.
    """
    check_data(data, image_size=prior.image_size, batch_size=recipe.batch_size)
    trainer = EncoderTrainer(recipe, prior)

    def step(state: State, step: int, rate: float) -> tuple[State, dict]:
        batch = draw_encoder_batch(recipe, prior.latent_dim, data, step)
        return trainer.step(state, batch, step, learning_rate=rate)

    def look(state: State) -> tuple[np.ndarray, dict[str, float]]:
        encoder = trainer.encoder(state)
        sheet = encoder_sheet(encoder, prior, data, seed=recipe.seed)
        return sheet, {} if validate is None else validate(encoder)

    procedure = Procedure(
        recipe=recipe,
        num_steps=recipe.num_steps,
        identity={**data.hashes, "prior_sha256": prior.sha256},
        start=lambda: begin_run(trainer.initial_state(start_from)),
        step=step,
        look=look,
    )
    run = run_steps(
        procedure,
        folder,
        report=report,
        report_interval=report_interval,
        save_interval=save_interval,
        max_steps=max_steps,
        clock=clock,
    )
    return EncoderTraining(trainer, *run)


def draw_encoder_batch(
    recipe: EncoderRecipe, latent_dim: int, data: TrainingData, step: int
) -> EncoderBatch:
    """Images, codes and holes of one step, whatever happened before it."""
    size, pairs = recipe.batch_size, recipe.num_pairs
    images = draw_images(data, step, batch_size=size, seed=recipe.seed)
    rng = np.random.default_rng([recipe.seed, PAIRS, step])
    codes = rng.uniform(-1.0, 1.0, (pairs, latent_dim)).astype(np.float32)
    if recipe.flip:
        images = flip_images(images, rng)
    side = images.shape[1]
    known = training_holes(size + pairs, side, seed=recipe.seed, step=step)
    return EncoderBatch(images, codes, known)


def encoder_sheet(
    encoder: LatentEncoder,
    prior: GenerativePrior,
    data: TrainingData,
    *,
    seed: int,
    count: int = SHEET_IMAGES,
) -> np.ndarray:
    """Masked images, each followed by what the generator makes of its code.

    Returns:
        float32 `[2 * count, H, W, 3]` in [-1, 1], or fewer where there are fewer
        images; the same images and holes for every encoder.
    """
    images = np.asarray(data.images[data.indices[:count]]).astype(np.float32) / 255.0
    known = training_holes(len(images), images.shape[1], seed=seed, step=0)
    masked = np.where(known[..., None], images, np.float32(0.5))
    generated = prior.generate(encoder.encode(images, known))
    pictures = np.stack([masked, generated], axis=1)
    return pictures.reshape(-1, *images.shape[1:]) * 2.0 - 1.0
