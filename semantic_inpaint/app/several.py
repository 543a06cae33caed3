"""What `run` leaves behind of several answers to one hole."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import Any

import numpy as np

from semantic_inpaint.images import save_image, tile_images
from semantic_inpaint.inpainters.several import SeveralResult

# Uncertainty is shown as a share of the range; a tenth of it is white.
WHITE = 0.1


@dataclasses.dataclass(frozen=True, eq=False)
class SeveralRecord:
    """Several answers to a batch.

    Attributes:
        result: The answers.
    """

    result: SeveralResult

    def save(self, folder: Path, mask: str, row: int) -> None:
        """Write the answers to one image as a sheet, and where they differ.

        Args:
            folder: Of this image.
            mask: Its name.
            row: Of the image in the batch.
        """
        answers = self.result.completed[row]
        save_image(folder / f"{mask}-answers.png", tile_images(answers))
        grey = np.clip(self.result.uncertainty[row] / WHITE, 0.0, 1.0)
        picture = np.repeat(grey[..., None], 3, axis=-1).astype(np.float32)
        save_image(folder / f"{mask}-uncertainty.png", picture)

    def figures(self, row: int) -> dict[str, Any]:
        """Return what `metrics.json` says of one image's answers."""
        found = {
            "count": len(self.result.completed[row]),
            "diversity": float(self.result.diversity[row]),
        }
        if self.result.loss is not None:
            found["losses"] = self.result.loss[row].tolist()
        return found
