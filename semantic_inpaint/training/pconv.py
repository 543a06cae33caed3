"""Training a U-Net of partial convolutions, or a twin of it (Liu et al. 2018)."""

from __future__ import annotations

import itertools
from collections.abc import Callable

import keras
import numpy as np
from keras import ops

from semantic_inpaint import backend
from semantic_inpaint.backend import Tensor
from semantic_inpaint.losses.pconv import (
    hole_loss,
    hole_variation,
    perceptual_loss,
    style_loss,
    valid_loss,
)
from semantic_inpaint.models.inpainting_networks import build_network
from semantic_inpaint.models.pconv_unet import FrozenBatchNormalization
from semantic_inpaint.models.perceptual_features import load_perceptual_features
from semantic_inpaint.training.descent import (
    State,
    copies,
    descend,
    follow,
    start_optimizer,
)
from semantic_inpaint.training.inpainting import InpaintingBatch
from semantic_inpaint.training.muon import descend_muon, start_muon
from semantic_inpaint.training.pconv_recipes import PConvRecipe

# By the recipe's word: how an optimiser begins, and how it takes a step.
OPTIMIZERS = {
    "adam": (start_optimizer, descend),
    "muon": (start_muon, descend_muon),
}


class PConvTrainer:
    """The network of a recipe, the features that judge it, and its compiled steps."""

    def __init__(self, recipe: PConvRecipe) -> None:
        """Build the network of `recipe`, initialised from its seed.

        Raises:
            ValueError: The features that the recipe names cannot be had.
        """
        self.recipe = recipe
        self._policy = backend.compute_policy(recipe.precision)
        # What "auto" came to: "float32" or "bfloat16".
        self.precision = self._policy.removeprefix("mixed_")
        self.network = self._build()
        # For the second stage; and as both are one outside training, for the average.
        self._fine_tuned = self._build(frozen_encoder=True)
        self._frozen = _frozen_places(self._fine_tuned)
        self._features = load_perceptual_features(recipe.perceptual, dtype=self._policy)
        # By whether the step is one of the second stage, and whether it has features.
        self._steps: dict[tuple[bool, bool], Callable] = {
            kind: backend.compile_function(self._make_step(*kind))
            for kind in itertools.product((False, True), repeat=2)
        }

    def initial_state(self) -> State:
        """Return the state before the first step."""
        weights = self.network.trainable_variables
        stats = self.network.non_trainable_variables
        state = {
            "generator": copies(weights),
            "generator_stats": copies(stats),
            "average": copies(weights),
            "average_stats": copies(stats),
        }
        start, _ = OPTIMIZERS[self.recipe.optimizer]
        return start(state, "generator")

    def step(
        self, state: State, batch: InpaintingBatch, step: int, *, learning_rate: float
    ) -> tuple[State, dict]:
        """Update the network once.

        Args:
            state: From `initial_state` or an earlier step.
            batch: Images and holes; codes and landmarks are not looked at.
            step: Number of steps done before this one.
            learning_rate: Of this step.

        Returns:
            The new state and a dictionary of scalar tensors, still on the device.
        """
        recipe = self.recipe
        numbers = (learning_rate, recipe.average_decay_at(step))
        kind = (recipe.is_fine_tuning(step), recipe.looks_at_features(step))
        return self._steps[kind](
            state,
            batch.images,
            batch.known,
            *(ops.convert_to_tensor(n, "float32") for n in numbers),
        )

    def generator(self, state: State) -> keras.Model:
        """Return the moving average as a network, until it is asked for anew."""
        network = self._fine_tuned
        variables = [*network.trainable_variables, *network.non_trainable_variables]
        values = [*state["average"], *state["average_stats"]]
        for variable, value in zip(variables, values, strict=True):
            variable.assign(value)
        return network

    def inputs(self, images: np.ndarray, known: np.ndarray, seed: int) -> list:
        """Put together what the generator is called with.

        Args:
            images: float `[B, H, W, 3]` in [-1, 1].
            known: bool `[B, H, W]`.
            seed: Not used: nothing is drawn.

        Returns:
            float32 `[B, H, W, 3]` and `[B, H, W, 1]`.
        """
        return [np.float32(images), np.float32(known)[..., None]]

    def _build(self, *, frozen_encoder: bool = False) -> keras.Model:
        kind, architecture = self.recipe.network()
        words = {**architecture, "frozen_encoder": frozen_encoder}
        seed = self.recipe.seed
        return build_network(kind, words, dtype=self._policy, seed=seed)

    def _make_step(self, fine_tuning: bool, with_features: bool) -> Callable:
        network = self._fine_tuned if fine_tuning else self.network

        def step(
            state: State, images: Tensor, known: Tensor, rate: Tensor, decay: Tensor
        ) -> tuple[State, dict]:
            references = ops.cast(images, "float32") / 127.5 - 1.0
            known = ops.cast(known, "float32")[..., None]
            reference_maps = None
            if with_features:
                looked_at = references[: self.recipe.perceptual_images]
                reference_maps = self._features(looked_at)

            def loss(weights: list) -> tuple:
                generated, stats = network.stateless_call(
                    weights,
                    state["generator_stats"],
                    [references, known],
                    training=True,
                )
                terms = self._terms(generated, references, known, reference_maps)
                scalars = {name: ops.mean(term) for name, (_, term) in terms.items()}
                total = sum(factor * ops.mean(term) for factor, term in terms.values())
                return total, ({"loss": total, **scalars}, stats)

            _, (scalars, stats), (gradients,) = backend.value_and_grad(
                loss, state["generator"]
            )
            new = self._descend(state, gradients, rate, fine_tuning)
            new["generator_stats"] = stats
            for key in ("", "_stats"):
                new[f"average{key}"] = follow(
                    state[f"average{key}"], new[f"generator{key}"], decay
                )
            return new, scalars

        return step

    def _terms(
        self,
        generated: Tensor,
        references: Tensor,
        known: Tensor,
        reference_maps: list | None,
    ) -> dict[str, tuple[float, Tensor]]:
        """The terms of equation 7 with their weights, one value per image each.

        Fewer images than those of the batch where not all of them are looked at.
        """
        recipe = self.recipe
        composite = ops.where(known > 0.5, references, generated)
        terms = {
            "valid": (recipe.valid_weight, valid_loss(generated, references, known)),
            "hole": (recipe.hole_weight, hole_loss(generated, references, known)),
            "variation": (recipe.variation_weight, hole_variation(composite, known)),
        }
        if reference_maps is not None:
            looked_at = slice(recipe.perceptual_images)
            pair = [generated[looked_at], composite[looked_at]]
            maps = self._features(ops.concatenate(pair))
            twice = [ops.concatenate([m, m]) for m in reference_maps]
            for name, distance, weight in (
                ("perceptual", perceptual_loss, recipe.perceptual_weight),
                ("style", style_loss, recipe.style_weight),
            ):
                output, composed = ops.split(distance(maps, twice), 2)
                terms[name] = weight, output + composed
        return terms

    def _descend(
        self, state: State, gradients: list, rate: Tensor, fine_tuning: bool
    ) -> State:
        """Update the weights; in the second stage all but the encoder's gamma, beta."""
        betas = (self.recipe.beta_1, self.recipe.beta_2)
        _, take_step = OPTIMIZERS[self.recipe.optimizer]
        new = take_step(state, "generator", gradients, learning_rate=rate, betas=betas)
        if fine_tuning:
            pairs = zip(state["generator"], new["generator"], strict=True)
            new["generator"] = [
                before if place in self._frozen else after
                for place, (before, after) in enumerate(pairs)
            ]
        return new


def _frozen_places(network: keras.Model) -> frozenset[int]:
    """Say where the trainable variables of frozen normalisations stand."""
    frozen = {
        id(variable)
        for layer in network.layers
        if isinstance(layer, FrozenBatchNormalization)
        for variable in layer.trainable_variables
    }
    variables = network.trainable_variables
    return frozenset(i for i, v in enumerate(variables) if id(v) in frozen)
