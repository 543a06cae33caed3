"""From a training state to a prior or an encoder that can be loaded."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import keras
import numpy as np
from keras import ops

from semantic_inpaint import backend
from semantic_inpaint.images import save_image, tile_images
from semantic_inpaint.models.checkpoints import save_prior, variable_name
from semantic_inpaint.models.encoder_files import EncoderArchitecture, save_encoder
from semantic_inpaint.models.prior import PriorArchitecture
from semantic_inpaint.training.encoder import EncoderTraining
from semantic_inpaint.training.inpainting import InpaintingTraining
from semantic_inpaint.training.loop import (
    TrainingData,
    TrainingResult,
    sample_grid,
)

SHEET_FILE = "samples.png"


def export_prior(
    result: TrainingResult,
    data: TrainingData,
    folder: Path,
    *,
    name: str,
    data_note: str,
    licence: str,
) -> Path:
    """Write the moving average of the generator, and the discriminator, as a prior.

    Args:
        result: Of the training.
        data: What it was trained on.
        folder: Where to.
        name: Of the prior.
        data_note: What the training images are, in words.
        licence: What the weights may be used for.

    Returns:
        `folder`, with the weights, the card and an uncurated sheet of samples.
    """
    trainer, state, recipe = result.trainer, result.state, result.trainer.recipe
    judging = trainer.judge.normalised(state["discriminator"], state)
    sources = (
        (trainer.generator, state["average"], state["average_stats"]),
        (trainer.discriminator, judging, state["discriminator_stats"]),
    )
    variables: dict[str, np.ndarray] = {}
    for network, weights, stats in sources:
        variables |= _named(network, network.trainable_variables, weights)
        variables |= _named(network, network.non_trainable_variables, stats)
    facts = {
        "generator": "moving average" if recipe.average_half_life > 0 else "raw",
        **training_facts(result, data, data_note=data_note, licence=licence),
    }
    architecture = PriorArchitecture(
        generator_width=recipe.generator_width,
        discriminator_width=recipe.discriminator_width,
        normalization=recipe.normalization,
        image_size=recipe.image_size,
        latent_dim=recipe.latent_dim,
    )
    save_image(
        folder / SHEET_FILE, tile_images(sample_grid(trainer, state) / 2.0 + 0.5)
    )
    return save_prior(folder, architecture, variables, name=name, facts=facts)


def export_encoder(
    result: EncoderTraining,
    data: TrainingData,
    folder: Path,
    *,
    data_note: str,
    licence: str,
) -> Path:
    """Write the moving average of an encoder's weights.

    Args:
        result: Of the training.
        data: What it was trained on.
        folder: Where to.
        data_note: What the training images are, in words.
        licence: What the weights may be used for.

    Returns:
        `folder`, with the weights and the card.
    """
    trainer, recipe = result.trainer, result.trainer.recipe
    network = trainer.network
    facts = training_facts(result, data, data_note=data_note, licence=licence)
    architecture = EncoderArchitecture(
        image_size=trainer.prior.image_size,
        latent_dim=trainer.prior.latent_dim,
        width=recipe.width,
        hidden=recipe.hidden,
    )
    variables = _named(network, network.trainable_variables, result.state["average"])
    return save_encoder(
        folder, architecture, variables, prior=trainer.prior, facts=facts
    )


def training_facts(
    result: TrainingResult | EncoderTraining | InpaintingTraining,
    data: TrainingData,
    *,
    data_note: str,
    licence: str,
) -> dict[str, Any]:
    """Return what the card of any trained network says."""
    recipe = result.trainer.recipe
    return {
        "recipe": recipe.as_dict(),
        "training_precision": result.trainer.precision,
        "training_seconds": round(result.seconds, 1) or None,
        "steps": result.step,
        "images_seen": result.step * recipe.batch_size,
        "seed": recipe.seed,
        "data": {"note": data_note, **_identity(data)},
        "licence": licence,
        "made_with": _versions(),
        **({"history": list(result.history)} if result.history else {}),
    }


def _versions() -> dict[str, str]:
    return {
        "keras": keras.__version__,
        "backend": backend.name(),
        "backend_version": backend.version(),
    }


def _identity(data: TrainingData) -> dict[str, Any]:
    return {
        "images": len(data.indices),
        "partitions": list(data.partitions),
        "sha256": data.sha256,
        "rows_sha256": data.rows_sha256,
    }


def _named(
    network: keras.Model, variables: list, values: list
) -> dict[str, np.ndarray]:
    return {
        variable_name(network, variable): ops.convert_to_numpy(value)
        for variable, value in zip(variables, values, strict=True)
    }
