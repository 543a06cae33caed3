"""Pictures of a few of a benchmark's answers."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import numpy as np

from semantic_inpaint.benchmark.cells import ImageSet
from semantic_inpaint.benchmark.measure import Answered
from semantic_inpaint.benchmark.picture_files import MASKED, ORIGINAL, picture_path
from semantic_inpaint.images import save_image


@dataclasses.dataclass(frozen=True, eq=False)
class Gallery:
    """Keeps the pictures of the first images by number, whatever comes of them.

    Attributes:
        folder: Of the benchmark.
        images: All of them.
        count: How many are kept.
    """

    folder: Path
    images: ImageSet
    count: int

    def save(self, answered: Answered) -> None:
        """Write, of the images that are kept, the original, the task and all stages."""
        kept = np.argsort(self.images.numbers, kind="stable")[: self.count]
        for i, row in enumerate(answered.rows):
            if row not in kept:
                continue
            name = self.images.names[row]
            for stage, picture in (
                (ORIGINAL, self.images.pixels[row]),
                (MASKED, answered.problem.images[i]),
            ):
                save_image(self._path(answered, name, stage, None), picture)
            for stage, pictures in answered.stages.items():
                path = self._path(answered, name, stage, answered.identity.name)
                save_image(path, pictures[i])

    def _path(
        self, answered: Answered, name: str, stage: str, method: str | None
    ) -> Path:
        return picture_path(self.folder, answered.mask, name, stage, method=method)
