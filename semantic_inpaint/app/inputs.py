"""From the words of `run` to images and holes."""

from __future__ import annotations

import dataclasses
import difflib
import zlib
from pathlib import Path

import numpy as np

from semantic_inpaint.app.options import RunOptions
from semantic_inpaint.datasets.examples import astronaut
from semantic_inpaint.datasets.packed import IMAGES_FILE, MANIFEST_FILE, PackedImages
from semantic_inpaint.datasets.samples import sample_faces, sample_names
from semantic_inpaint.images import load_images
from semantic_inpaint.masks import (
    PATTERNS,
    consensus_weight_for,
    load_known,
    make_known,
)

ALL_PATTERNS = "all"
FILE_MASK = "file"
NUM_EXAMPLES = 8
SAMPLES_SOURCE = "semantic_inpaint/assets/samples"


@dataclasses.dataclass(frozen=True, eq=False)
class Images:
    """Images to fill.

    Attributes:
        pixels: float32 `[B, size, size, 3]` in [0, 1].
        names: Unique, fit for a folder's name.
        sources: What each was read from.
        notes: What was done to fit each, or "".
    """

    pixels: np.ndarray
    names: list[str]
    sources: list[str]
    notes: list[str]

    @property
    def indices(self) -> np.ndarray:
        """int64 `[B]`: a number for each image, a function of its name alone.

        So an image has the same random hole and the same start of the search, whatever
        is given beside it.
        """
        return np.array([zlib.crc32(n.encode()) for n in self.names], np.int64)

    def take(self, rows: slice) -> Images:
        """Return some of the images."""
        return Images(
            self.pixels[rows], self.names[rows], self.sources[rows], self.notes[rows]
        )


@dataclasses.dataclass(frozen=True, eq=False)
class Holes:
    """One kind of hole for all images.

    Attributes:
        name: Of the pattern, or `"file"`.
        known: bool `[B, H, W]`.
        consensus_weight: mu, of the pattern, or for a file by the share missing.
        note: What was done to a mask file, or "".
    """

    name: str
    known: np.ndarray
    consensus_weight: float
    note: str = ""


def read_images(options: RunOptions, size: int) -> Images:
    """Load the images that `options` names, or else examples, fitted to `size`.

    Raises:
        ValueError: Something named is not there, or no image.
    """
    if not options.images:
        return _examples(options.limit or NUM_EXAMPLES, size)
    parts, names, sources, notes = [], [], [], []
    for path in options.images:
        left = None if options.limit is None else options.limit - len(names)
        if left == 0:
            break
        if is_packed(path):
            pixels, found = _read_packed(path, options.partition, left, size)
            said = [""] * len(found)
        elif options.partition is not None:
            raise ValueError(f"--partition is for packed sets; {path} is none.")
        else:
            pixels, found, said = load_images([path], size=size, limit=left)
        parts.append(pixels)
        names += [Path(name).stem for name in found]
        sources += [str(path) if path.is_file() else f"{path}/{n}" for n in found]
        notes += said
    return Images(np.concatenate(parts), _unique(names), sources, notes)


def make_holes(options: RunOptions, images: Images) -> list[Holes]:
    """Make the holes that `options.mask` names, one pattern for each image.

    Raises:
        ValueError: Neither a pattern, nor `all`, nor a file; or a file that leaves
            nothing known, or nothing to fill.
    """
    word = options.mask
    count, height, width, _ = images.pixels.shape
    if word == ALL_PATTERNS or word in PATTERNS:
        return [
            Holes(
                name,
                make_known(
                    name,
                    count,
                    height,
                    width,
                    seed=options.seed,
                    indices=images.indices,
                ),
                PATTERNS[name].consensus_weight,
            )
            for name in (PATTERNS if word == ALL_PATTERNS else [word])
        ]
    if not Path(word).exists():
        names = [*PATTERNS, ALL_PATTERNS]
        near = difflib.get_close_matches(word, names, n=1)
        hint = f" Did you mean {near[0]!r}?" if near else ""
        raise ValueError(
            f"no mask {word!r}: neither a file nor one of {', '.join(names)}.{hint}"
        )
    known, note = load_known(Path(word), height, width)
    holes = np.repeat(known[None], count, axis=0)
    return [Holes(FILE_MASK, holes, float(consensus_weight_for(holes)[0]), note or "")]


def _examples(count: int, size: int) -> Images:
    """A real face, then faces of people who do not exist, as many as there are."""
    names = sample_names()[: count - 1]
    faces = sample_faces(len(names), size=size)
    return Images(
        np.concatenate([astronaut(size)[None], faces]),
        ["astronaut", *names],
        ["scikit-image", *(f"{SAMPLES_SOURCE}/{name}" for name in names)],
        [""] * (1 + len(names)),
    )


def is_packed(path: Path) -> bool:
    """Whether a path is the folder of a packed set."""
    return (path / MANIFEST_FILE).is_file() and (path / IMAGES_FILE).is_file()


def _read_packed(
    path: Path, partition: int | None, limit: int | None, size: int
) -> tuple[np.ndarray, list[str]]:
    packed = PackedImages.open(path)
    if packed.images.shape[1] != size:
        raise ValueError(
            f"{path} holds {packed.images.shape[1]}x{packed.images.shape[1]} images, "
            f"the prior makes {size}x{size}; pack them with --size {size}."
        )
    rows = np.arange(len(packed))
    if partition is not None:
        rows = np.flatnonzero(packed.partitions == partition)
        if not rows.size:
            present = sorted(set(packed.partitions.tolist()))
            raise ValueError(f"{path} has no partition {partition}; it has {present}.")
    rows = rows[:limit]
    pixels = packed.images[rows].astype(np.float32) / 255.0
    return pixels, [packed.ids[row] for row in rows]


def _unique(stems: list[str]) -> list[str]:
    """Number the names after the first where some are the same."""
    taken: set[str] = set()
    for i, stem in enumerate(stems):
        name, number = stem, 2
        while name in taken:
            name, number = f"{stem}-{number}", number + 1
        taken.add(name)
        stems[i] = name
    return stems
