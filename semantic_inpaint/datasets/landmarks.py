"""Points of faces, such as eyes and corners of the mouth, beside a packed set."""

from __future__ import annotations

import dataclasses
import hashlib
import os
from collections.abc import Sequence
from pathlib import Path, PurePosixPath

import numpy as np

from semantic_inpaint.masks.geometry import centred_box

# CelebA's aligned faces, of which a centred square is packed.
ALIGNED_HEIGHT, ALIGNED_WIDTH = 218, 178
CELEBA_POINTS = ("lefteye", "righteye", "nose", "leftmouth", "rightmouth")
# Which point each one becomes in a mirrored image: CelebA's five; and the seven of FDF
# (nose, eyes, ears, shoulders; each pair left, then right).
MIRRORED = {5: (1, 0, 2, 4, 3), 7: (0, 2, 1, 4, 3, 6, 5)}


@dataclasses.dataclass(frozen=True, eq=False)
class Landmarks:
    """Landmarks of every image of a packed set.

    Attributes:
        points: float32 `[N, 2 L]` in [0, 1]: x and y of each point as shares of the
            packed image's side, from its upper left corner.
        sha256: Of the points.
    """

    points: np.ndarray
    sha256: str

    @classmethod
    def of(cls, points: np.ndarray) -> Landmarks:
        """Check and hash points.

        Raises:
            ValueError: They are not float `[N, 2 L]` in [0, 1].
        """
        points = np.asarray(points)
        good = (
            points.ndim == 2
            and points.shape[1] % 2 == 0
            and np.issubdtype(points.dtype, np.floating)
            and np.all((points >= 0.0) & (points <= 1.0))
        )
        if not good:
            raise ValueError(
                "landmarks must be float [N, 2 L] in [0, 1], x and y of each point as "
                f"shares of the side; got {points.dtype} {list(points.shape)}."
            )
        points = np.ascontiguousarray(points, "<f4")
        return cls(points, hashlib.sha256(points.data).hexdigest())


@dataclasses.dataclass(frozen=True, eq=False)
class NumberedLandmarks:
    """Landmarks of images by the numbers that these have in a problem.

    Attributes:
        points: float32 `[N, 2 L]` in [0, 1], as of `Landmarks`.
        numbers: int64 `[N]`, `InpaintingProblem.indices` of the images.
        sha256: What identifies the points, or all those that they were taken from;
            default: their own hash.

    Raises:
        ValueError: They are not landmarks, or two images have one number.
    """

    points: np.ndarray
    numbers: np.ndarray
    sha256: str = ""

    def __post_init__(self) -> None:
        """Check, and sort by the numbers."""
        points, numbers = Landmarks.of(self.points), np.asarray(self.numbers, np.int64)
        unique, order = np.unique(numbers, return_index=True)
        if numbers.shape != (len(points.points),) or len(unique) < len(numbers):
            raise ValueError(
                "`numbers` must be as many as there are landmarks, each once; got "
                f"{len(unique)} different of shape {list(numbers.shape)} for "
                f"{len(points.points)} images."
            )
        object.__setattr__(self, "points", points.points[order])
        object.__setattr__(self, "numbers", unique)
        object.__setattr__(self, "sha256", self.sha256 or points.sha256)

    @property
    def count(self) -> int:
        """L, the landmarks of each image."""
        return self.points.shape[1] // 2

    def of(self, numbers: np.ndarray) -> np.ndarray:
        """Look up images by their numbers, int `[B]`.

        Returns:
            float32 `[B, 2 L]`.

        Raises:
            ValueError: An image has no landmarks.
        """
        places = np.searchsorted(self.numbers, numbers)
        places = np.minimum(places, len(self.numbers) - 1)
        missing = np.flatnonzero(self.numbers[places] != numbers)
        if missing.size:
            raise ValueError(
                f"no landmarks of the image of number {numbers[missing[0]]}; give "
                "those of every image, or none."
            )
        return self.points[places]


def load_landmarks(path: str | os.PathLike[str], ids: Sequence[str]) -> Landmarks:
    """Read the landmarks of a packed set.

    Args:
        path: CelebA's `list_landmarks_align_celeba.txt`; or an array `[N, 2 L]` or
            `[N, L, 2]` as `.npy`, in the order of the set. Where all files are called
            by plain numbers (FDF's `0.png`, `1.png`, ...), its rows are, folder by
            folder, in the order of the numbers: the set is sorted by text, 10 before 2.
        ids: Names of the images in the packed set.

    Raises:
        ValueError: There is no such file, it is not understood, or lacks an image.
    """
    path = Path(path)
    if not path.is_file():
        raise ValueError(f"no file {path}: expected landmarks (.txt or .npy) there.")
    if path.suffix != ".npy":
        return Landmarks.of(_read_celeba(path, ids))
    try:
        points = np.load(path, allow_pickle=False)
    except (ValueError, EOFError) as error:
        raise ValueError(f"{path} cannot be read ({error}). Save it anew.") from error
    if len(points) != len(ids):
        raise ValueError(
            f"{path} has landmarks of {len(points)} images, the packed set "
            f"{len(ids)}. Give one row for each image, in its order."
        )
    if points.ndim == 3 and points.shape[2] == 2:
        points = points.reshape(len(points), -1)
    return Landmarks.of(points[_rows(ids)])


def mirror_landmarks(points: np.ndarray) -> np.ndarray:
    """Return the landmarks of mirrored images: left and right change places too.

    Args:
        points: float `[B, 2 L]` in [0, 1].

    Raises:
        ValueError: It is not known which of them are left and right.
    """
    count = points.shape[1] // 2
    if count not in MIRRORED:
        raise ValueError(
            f"it is not known which of {count} landmarks are left and right; there are "
            f"rules for {', '.join(map(str, MIRRORED))}. Train with `flip=False`."
        )
    pairs = points.reshape(-1, count, 2)[:, MIRRORED[count]]
    mirrored = np.stack([1.0 - pairs[..., 0], pairs[..., 1]], axis=-1)
    return mirrored.reshape(points.shape).astype(points.dtype)


def _rows(ids: Sequence[str]) -> np.ndarray:
    """Say which row of an array belongs to each image, int64 `[N]`."""
    names = [PurePosixPath(name) for name in ids]
    if not all(n.stem.isdecimal() and n.stem == str(int(n.stem)) for n in names):
        return np.arange(len(names))
    # Folders stay in the order of the set.
    folders = {
        folder: i for i, folder in enumerate(dict.fromkeys(n.parent for n in names))
    }
    ranks = [folders[name.parent] for name in names]
    order = np.lexsort(([int(name.stem) for name in names], ranks))
    rows = np.empty(len(names), np.int64)
    rows[order] = np.arange(len(names))
    return rows


def _read_celeba(path: Path, ids: Sequence[str]) -> np.ndarray:
    """Read points in pixels of the aligned faces, for the square that is packed."""
    top, left, side = centred_box(ALIGNED_HEIGHT, ALIGNED_WIDTH)
    found = {}
    for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1):
        fields = line.split()
        # A count and the names of the columns come first.
        if len(fields) == 1 or fields[:1] == ["lefteye_x"] or not fields:
            continue
        try:
            name, values = fields[0], [float(field) for field in fields[1:]]
        except ValueError:
            values = []
        if len(values) != 2 * len(CELEBA_POINTS):
            raise ValueError(
                f"{path}, line {number}: expected a file name and "
                f"{2 * len(CELEBA_POINTS)} numbers; got {line[:60]!r}. Download the "
                "list anew."
            )
        found[name] = values
    missing = [name for name in ids if name not in found]
    if missing:
        raise ValueError(
            f"{path} has no landmarks of {len(missing)} images of the packed set, the "
            f"first {missing[0]!r}. Pack CelebA in its official layout."
        )
    pixels = np.array([found[name] for name in ids]).reshape(len(ids), -1, 2)
    shares = (pixels - [left, top]) / side
    return np.clip(shares, 0.0, 1.0).astype(np.float32).reshape(len(ids), -1)
