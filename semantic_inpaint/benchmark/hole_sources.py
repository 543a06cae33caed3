"""Where the holes of a benchmark come from: patterns, mask files, a mask pack."""

from __future__ import annotations

import dataclasses
import hashlib
import tempfile
import zlib
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from semantic_inpaint.benchmark.cells import HoleBatch, ImageSet, array_digest
from semantic_inpaint.images import list_images, open_container
from semantic_inpaint.masks import PATTERNS, get_pattern, load_known, make_known


@dataclasses.dataclass(frozen=True)
class PatternHoles:
    """One of the six published patterns, drawn for each image.

    Attributes:
        name: Of the pattern.

    Raises:
        ValueError: There is no such pattern.
    """

    name: str

    def __post_init__(self) -> None:
        """Look the pattern up."""
        get_pattern(self.name)

    @property
    def identity(self) -> dict[str, Any]:
        """That it is a pattern; its holes follow from the seed."""
        return {"kind": "pattern"}

    def holes(self, images: ImageSet, *, seed: int) -> HoleBatch:
        """Draw the holes, as the command `run` draws them."""
        height, width = images.pixels.shape[1:3]
        known = make_known(
            self.name, len(images), height, width, seed=seed, indices=images.numbers
        )
        weight = PATTERNS[self.name].consensus_weight
        return HoleBatch(known, (self.name,) * len(images), weight)


@dataclasses.dataclass(frozen=True, eq=False)
class FileHoles:
    """Mask files (white = hole), one of them chosen for each image.

    Attributes:
        container: A folder or zip of them.

    Raises:
        ValueError: There is no image in it.
    """

    container: Path
    members: list[str] = dataclasses.field(init=False)

    def __post_init__(self) -> None:
        """List the files."""
        object.__setattr__(self, "members", list_images(self.container))

    @property
    def name(self) -> str:
        """Name of the folder or zip, without its ending."""
        return self.container.resolve().stem

    @property
    def identity(self) -> dict[str, Any]:
        """Hash of all files and their names."""
        digest = hashlib.sha256()
        with open_container(self.container) as read:
            for member in self.members:
                content = hashlib.sha256(read(member)).hexdigest()
                digest.update(f"{member}\n{content}\n".encode())
        return {"kind": "files", "sha256": digest.hexdigest()}

    def holes(self, images: ImageSet, *, seed: int) -> HoleBatch:
        """Read the files that are chosen, fitted to the images.

        Raises:
            ValueError: One of them is no mask, or leaves nothing known or missing.
        """
        chosen = choose(self.name, len(self.members), images.numbers, seed=seed)
        shape = images.pixels.shape[1:3]
        loaded = self._load(sorted(set(chosen)), *shape)
        known = np.stack([loaded[number] for number in chosen])
        return HoleBatch(known, tuple(self.members[number] for number in chosen), None)

    def _load(
        self, numbers: Sequence[int], height: int, width: int
    ) -> dict[int, np.ndarray]:
        loaded = {}
        with (
            open_container(self.container) as read,
            tempfile.TemporaryDirectory() as folder,
        ):
            for number in numbers:
                member = self.members[number]
                copy = Path(folder) / f"member{Path(member).suffix}"
                copy.write_bytes(read(member))
                try:
                    loaded[number], _ = load_known(copy, height, width)
                except ValueError as error:
                    said = str(error).replace(str(copy), f"{self.container}/{member}")
                    raise ValueError(said) from None
        return loaded


@dataclasses.dataclass(frozen=True, eq=False)
class PackHoles:
    """A group of a mask pack, one of its holes chosen for each image.

    Attributes:
        name: Of the group.
        ids: Of its holes.
        known: bool `[N, H, W]`, the holes.
    """

    name: str
    ids: tuple[str, ...]
    known: np.ndarray

    @property
    def identity(self) -> dict[str, Any]:
        """Hash of the holes."""
        return {"kind": "pack", "sha256": array_digest(self.known)}

    def holes(self, images: ImageSet, *, seed: int) -> HoleBatch:
        """Take the holes that are chosen.

        Raises:
            ValueError: They are of another size than the images.
        """
        if self.known.shape[1:] != images.pixels.shape[1:3]:
            shapes = (self.known.shape[1:], images.pixels.shape[1:3])
            sizes = [f"{height}x{width}" for height, width in shapes]
            raise ValueError(
                f"the pack's masks are {sizes[0]}, the images {sizes[1]}; make a pack "
                "of that size with pipelines/make_masks.py, or name its folder by "
                "--mask-dir, which fits them."
            )
        chosen = choose(self.name, len(self.ids), images.numbers, seed=seed)
        pattern = PATTERNS.get(self.name)
        return HoleBatch(
            self.known[chosen],
            tuple(self.ids[number] for number in chosen),
            None if pattern is None else pattern.consensus_weight,
        )


def choose(name: str, count: int, numbers: np.ndarray, *, seed: int) -> list[int]:
    """Choose one of `count` holes for each image, a function of seed, name and number.

    Args:
        name: Of the kind of holes.
        count: Holes to choose from.
        numbers: Of the images.
        seed: 0 or more.

    Returns:
        For each image a number from 0 to `count - 1`.
    """
    kind = zlib.crc32(name.encode())
    draws = (
        np.random.SeedSequence(seed, spawn_key=(kind, int(number))).generate_state(1)
        for number in numbers
    )
    return [int(draw[0]) % count for draw in draws]
