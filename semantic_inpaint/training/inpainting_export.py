"""From a training state to an inpainting network that can be loaded."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from semantic_inpaint.datasets.landmarks import Landmarks
from semantic_inpaint.images import save_image, tile_images
from semantic_inpaint.models.inpainting_files import save_network
from semantic_inpaint.training.export import training_facts
from semantic_inpaint.training.inpainting import (
    SHEET_COLUMNS,
    InpaintingTraining,
    inpainting_sheet,
)
from semantic_inpaint.training.inpainting_table import network_facts
from semantic_inpaint.training.loop import TrainingData

SHEET_FILE = "sheet.png"


def export_inpainter(
    result: InpaintingTraining,
    data: TrainingData,
    folder: Path,
    *,
    landmarks: Landmarks | None,
    data_note: str,
    licence: str,
    evaluation: dict[str, Any] | None = None,
) -> Path:
    """Write the moving average of the generator, and a sheet of what it makes.

    Args:
        result: Of the training.
        data: What it was trained on.
        folder: Where to.
        landmarks: That it was trained with, if any.
        data_note: What the training images are, in words.
        licence: What the weights may be used for.
        evaluation: What was measured on images that it was not trained on, if any.

    Returns:
        `folder`, with the weights, the card and an uncurated sheet of masked images,
        what the network makes and the composites.
    """
    trainer, recipe = result.trainer, result.trainer.recipe
    network = trainer.generator(result.state)
    sheet = inpainting_sheet(trainer, network, data) / 2.0 + 0.5
    save_image(folder / SHEET_FILE, tile_images(sheet, columns=SHEET_COLUMNS))
    kind, architecture = recipe.network()
    return save_network(
        folder,
        network,
        kind=kind,
        architecture=architecture,
        facts={
            **network_facts(recipe, data, landmarks),
            "generator": "moving average" if recipe.average_halflife > 0 else "raw",
            **training_facts(result, data, data_note=data_note, licence=licence),
            **({"evaluation": evaluation} if evaluation else {}),
        },
    )
