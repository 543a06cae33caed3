"""Which answers a benchmark still lacks."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator, Sequence, Set

import numpy as np

from semantic_inpaint.benchmark.cells import (
    HoleSource,
    ImageSet,
    MethodIdentity,
    answer_keys,
    array_digest,
)
from semantic_inpaint.benchmark.lineup import Lineup, stages_of


@dataclasses.dataclass(frozen=True, eq=False)
class Cell:
    """Images that one method still has to fill, with one kind of hole and seed.

    Attributes:
        method: Name in the registry.
        source: Of the holes.
        seed: Of holes and method.
        num_steps: Of the method for one batch.
        batches: Rows of the images, each int64 `[B]`.
    """

    method: str
    source: HoleSource
    seed: int
    num_steps: int
    batches: list[np.ndarray]

    @property
    def num_units(self) -> int:
        """Steps of all images."""
        return self.num_steps * sum(map(len, self.batches))

    @property
    def title(self) -> str:
        """What to call it while it is worked on."""
        return f"{self.method}, {self.source.name}"


@dataclasses.dataclass(frozen=True, eq=False)
class Plan:
    """Methods x holes x seeds for some images.

    Attributes:
        images: To fill.
        sources: Kinds of holes.
        lineup: The methods.
        seeds: Of holes and methods.
        image_digests: `array_digest` of each image.
    """

    images: ImageSet
    sources: Sequence[HoleSource]
    lineup: Lineup
    seeds: Sequence[int]
    image_digests: list[str] = dataclasses.field(init=False)

    def __post_init__(self) -> None:
        """Hash the images once."""
        digests = [array_digest(image) for image in self.images.pixels]
        object.__setattr__(self, "image_digests", digests)

    def missing(self, present: Set[str]) -> Iterator[Cell]:
        """Find what is left to do.

        Args:
            present: Keys of the records that there are.

        Yields:
            The cells with any image left, in batches that are laid out by the images'
            places alone: what is computed does not depend on where a run was stopped.
        """
        for seed in self.seeds:
            for source in self.sources:
                holes = source.holes(self.images, seed=seed)
                digests = [array_digest(known) for known in holes.known]
                for method in self.lineup.methods:
                    identity = self.lineup.identify(method, holes.consensus_weight)
                    keys = self._keys(identity, source.name, digests, seed)
                    lacks = np.array([not present.issuperset(of) for of in keys])
                    if lacks.any():
                        made = self.lineup.make(method, holes.consensus_weight)
                        batches = self._batches(lacks)
                        yield Cell(method, source, seed, made.num_steps, batches)

    def _batches(self, lacks: np.ndarray) -> list[np.ndarray]:
        """Lay all images out in batches, and leave out those that lack nothing."""
        size = self.lineup.preset.batch_size
        batches = np.split(np.arange(len(lacks)), range(size, len(lacks), size))
        return [batch[lacks[batch]] for batch in batches if lacks[batch].any()]

    def _keys(
        self,
        identity: MethodIdentity,
        mask: str,
        known_digests: list[str],
        seed: int,
    ) -> list[tuple[str, ...]]:
        """Return, for each image, the keys of all stages of a method."""
        of_stages = [
            answer_keys(
                identity,
                stage,
                mask=mask,
                known_digests=known_digests,
                image_digests=self.image_digests,
                numbers=self.images.numbers,
                seed=seed,
            )
            for stage in stages_of(identity.name)
        ]
        return list(zip(*of_stages, strict=True))
