"""A packed set: images of one size in one memory-mapped array, and their manifest."""

from __future__ import annotations

import dataclasses
import hashlib
import json
import os
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import numpy as np

from semantic_inpaint.datasets.folder import NO_PARTITION

FORMAT_VERSION = 1
IMAGES_FILE = "images.npy"
MANIFEST_FILE = "manifest.json"
_HASH_ROWS = 1024


@dataclasses.dataclass(frozen=True, eq=False)
class PackedImages:
    """Images packed by `pack_images`; only the pixels that are read are loaded.

    Attributes:
        images: uint8 `[N, size, size, 3]`, a read-only memory map.
        ids: Name of each image.
        partitions: int8 `[N]`: 0 training, 1 validation, 2 test, -1 none.
        sha256: Hash of the pixels, which identifies the set.
        manifest: All that is noted of the set: `crop`, `sources`, `skipped` and so on.
    """

    images: np.ndarray
    ids: tuple[str, ...]
    partitions: np.ndarray
    sha256: str
    manifest: dict[str, Any] = dataclasses.field(repr=False)

    @classmethod
    def open(cls, path: str | os.PathLike[str]) -> PackedImages:
        """Open a packed set.

        Args:
            path: The folder.

        Returns:
            The set. Its hash is not recomputed; `verify` does that.

        Raises:
            ValueError: There is none, it is incomplete, of another version, or its
                files do not belong together.
        """
        path = Path(path)
        manifest = _read_manifest(path)
        try:
            images = np.load(path / IMAGES_FILE, mmap_mode="r", allow_pickle=False)
        except (OSError, ValueError, EOFError) as error:
            raise ValueError(
                f"{path / IMAGES_FILE} cannot be opened ({error}). Pack the set anew."
            ) from None
        size, count = manifest["image_size"], manifest["count"]
        expected = (count, size, size, 3)
        if images.shape != expected or images.dtype != np.uint8:
            raise ValueError(
                f"{path / IMAGES_FILE} is {images.dtype} {images.shape}, but its "
                f"manifest says uint8 {expected}. Pack the set anew."
            )
        ids, partitions = manifest["ids"], manifest["partitions"]
        if not len(ids) == len(partitions) == count:
            raise ValueError(
                f"{path / MANIFEST_FILE} counts {count} images, but has {len(ids)} ids "
                f"and {len(partitions)} partitions. Pack the set anew."
            )
        partitions = np.asarray(partitions, np.int8)
        partitions.setflags(write=False)
        return cls(images, tuple(ids), partitions, manifest["sha256"], manifest)

    def __len__(self) -> int:
        """Count the images."""
        return len(self.ids)

    def indices(self, partitions: Iterable[int] = (0, 2)) -> np.ndarray:
        """Find the images of some partitions.

        Args:
            partitions: Those wanted. A set in which no image has a partition gives all
                its images, whatever is wanted.

        Returns:
            int64 `[M]`, increasing; rows of `images`.

        Raises:
            ValueError: There are none.
        """
        if (self.partitions == NO_PARTITION).all():
            return np.arange(len(self))
        wanted = tuple(partitions)
        found = np.flatnonzero(np.isin(self.partitions, wanted))
        if not found.size:
            present = sorted(set(self.partitions.tolist()))
            raise ValueError(
                f"no image is in partitions {list(wanted)}; the set has {present}. "
                "Choose among these."
            )
        return found

    def verify(self) -> None:
        """Recompute the hash.

        Raises:
            ValueError: The pixels are not those that were packed.
        """
        found = pixel_hash(self.images)
        if found != self.sha256:
            raise ValueError(
                f"the pixels have the hash {found[:12]}..., but the manifest says "
                f"{self.sha256[:12]}... Pack the set anew."
            )


def pixel_hash(images: np.ndarray) -> str:
    """Hash the pixels of uint8 `[N, H, W, 3]` in order, a few rows at a time."""
    digest = hashlib.sha256()
    for start in range(0, len(images), _HASH_ROWS):
        digest.update(np.ascontiguousarray(images[start : start + _HASH_ROWS]).data)
    return digest.hexdigest()


def _read_manifest(path: Path) -> dict[str, Any]:
    """Read the manifest of a complete set."""
    file = path / MANIFEST_FILE
    how = "Make it with pipelines/prepare_data.py"
    if not file.is_file():
        if (path / "partial").is_dir():
            raise ValueError(
                f"{path} is not packed to the end. Run pipelines/prepare_data.py "
                "again with the same words; it goes on where it stopped."
            )
        raise ValueError(f"{path} holds no packed set ({MANIFEST_FILE}). {how}.")
    try:
        manifest = json.loads(file.read_text(encoding="utf-8"))
    except ValueError as error:
        raise ValueError(f"{file} cannot be read ({error}). {how} anew.") from None
    version = manifest.get("format_version") if isinstance(manifest, dict) else None
    if version != FORMAT_VERSION:
        raise ValueError(
            f"{file} has format version {version}; expected {FORMAT_VERSION}. "
            f"{how} anew."
        )
    keys = {"count", "image_size", "ids", "partitions", "sha256"}
    missing = sorted(keys - manifest.keys())
    if missing or manifest.get("complete") is not True:
        raise ValueError(f"{file} is incomplete (missing: {missing}). {how} anew.")
    return manifest
