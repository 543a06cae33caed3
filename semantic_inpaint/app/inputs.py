"""From the words of `run` to images and holes."""

from __future__ import annotations

import dataclasses
import difflib
import itertools
import zlib
from pathlib import Path

import numpy as np

from semantic_inpaint.app.options import RunOptions
from semantic_inpaint.datasets.examples import astronaut
from semantic_inpaint.datasets.landmarks import NumberedLandmarks, load_landmarks
from semantic_inpaint.datasets.packed import IMAGES_FILE, MANIFEST_FILE, PackedImages
from semantic_inpaint.datasets.samples import sample_faces, sample_names
from semantic_inpaint.images import load_images, load_whole_images
from semantic_inpaint.masks import (
    PATTERNS,
    consensus_weight_for,
    load_known,
    make_known,
)

ALL_PATTERNS = "all"
FILE_MASK = "file"
NUM_EXAMPLES = 8
# Below this there is no window to measure the similarity in.
LEAST_SIDE = 11
SAMPLES_SOURCE = "semantic_inpaint/assets/samples"


@dataclasses.dataclass(frozen=True, eq=False)
class Images:
    """Images to fill, all of one size.

    Attributes:
        pixels: float32 `[B, H, W, 3]` in [0, 1].
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
    pixels, names, sources, notes = _read_named(options, size)
    return Images(np.stack(pixels), names, sources, notes)


def read_whole_images(options: RunOptions) -> list[Images]:
    """Load the images that `options` names, each in its own size.

    Returns:
        The images in the order of their names; those of one size that follow each
        other are together.

    Raises:
        ValueError: Something named is not there, or no image, or one is too small.
    """
    pixels, names, sources, notes = _read_named(options, None)
    for image, source in zip(pixels, sources, strict=True):
        if min(image.shape[:2]) < LEAST_SIDE:
            raise ValueError(
                f"{source} is {image.shape[1]} x {image.shape[0]} pixels; --whole "
                f"takes images of {LEAST_SIDE} x {LEAST_SIDE} or more. Leave the word "
                "out, and it is enlarged."
            )
    groups = []
    for _, places in itertools.groupby(
        range(len(names)), key=lambda place: pixels[place].shape
    ):
        first, *others = places
        rows = slice(first, first + 1 + len(others))
        stacked = np.stack(pixels[rows])
        groups.append(Images(stacked, names[rows], sources[rows], notes[rows]))
    return groups


def read_landmarks(
    options: RunOptions, numbers: np.ndarray
) -> NumberedLandmarks | None:
    """Load the landmarks of the images that were read, if any are named.

    Args:
        options: With `images` and `landmarks`.
        numbers: int64 `[B]`, of the images, in the order in which they were read.

    Raises:
        ValueError: The images are not those of one packed set, or the file does not go
            with it.
    """
    if options.landmarks is None:
        return None
    if len(options.images) != 1 or not is_packed(options.images[0]):
        raise ValueError(
            "--landmarks is for the images of one packed set, which the file lists; "
            "name that by --images (prepare_data.py makes one)."
        )
    packed = PackedImages.open(options.images[0])
    found = load_landmarks(options.landmarks, packed.ids)
    rows = _packed_rows(options.images[0], packed, options.partition, options.limit)
    return NumberedLandmarks(found.points[rows], numbers, found.sha256)


def _read_named(
    options: RunOptions, size: int | None
) -> tuple[list[np.ndarray], list[str], list[str], list[str]]:
    """Read what is named, fitted to `size` or, with None, as it is."""
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
        elif size is None:
            pixels, found = load_whole_images([path], limit=left)
            said = [""] * len(found)
        else:
            pixels, found, said = load_images([path], size=size, limit=left)
        parts += list(pixels)
        names += [Path(name).stem for name in found]
        sources += [str(path) if path.is_file() else f"{path}/{n}" for n in found]
        notes += said
    return parts, _unique(names), sources, notes


def make_holes(options: RunOptions, images: Images) -> list[Holes]:
    """Make the holes that `options.mask` names, one pattern for each image.

    Raises:
        ValueError: Neither a pattern, nor `all`, nor a file; or a file that leaves
            nothing known, or nothing to fill, or does not go with a whole image.
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
    return [_holes_of_file(options, images)]


def _holes_of_file(options: RunOptions, images: Images) -> Holes:
    """Read the mask for all images or, of whole ones, each one's from a folder."""
    path, (count, height, width, _) = Path(options.mask), images.pixels.shape
    files = [path]
    if options.whole and path.is_dir():
        files = [_mask_of(path, name) for name in images.names]
    found = [load_known(file, height, width) for file in files]
    note = found[0][1] or ""
    for file, (_, fitted) in zip(files, found, strict=True):
        if fitted and options.whole:
            raise ValueError(
                f"{file} has another size than its image, {width} x {height} pixels, "
                "and --whole fits nothing. Save the mask in the size of the image."
            )
    known = np.stack([known for known, _ in found])
    known = np.repeat(known, count // len(known), axis=0)
    return Holes(FILE_MASK, known, float(consensus_weight_for(known)[0]), note)


def _mask_of(folder: Path, name: str) -> Path:
    """Find the mask of an image by its name."""
    found = [path for path in sorted(folder.iterdir()) if path.stem == name]
    if len(found) != 1:
        raise ValueError(
            f"{folder} has {len(found)} masks of the image {name!r}; put one there, "
            f"named {name}.png."
        )
    return found[0]


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
    path: Path, partition: int | None, limit: int | None, size: int | None
) -> tuple[np.ndarray, list[str]]:
    packed = PackedImages.open(path)
    side = packed.images.shape[1]
    if size not in (None, side):
        raise ValueError(
            f"{path} holds {side}x{side} images, and {size}x{size} ones are to be "
            f"filled; pack them with --size {size}."
        )
    rows = _packed_rows(path, packed, partition, limit)
    pixels = packed.images[rows].astype(np.float32) / 255.0
    return pixels, [packed.ids[row] for row in rows]


def _packed_rows(
    path: Path, packed: PackedImages, partition: int | None, limit: int | None
) -> np.ndarray:
    """Choose the images of a packed set."""
    rows = np.arange(len(packed))
    if partition is not None:
        rows = np.flatnonzero(packed.partitions == partition)
        if not rows.size:
            present = sorted(set(packed.partitions.tolist()))
            raise ValueError(f"{path} has no partition {partition}; it has {present}.")
    return rows[:limit]


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
