"""Any folder or zip of images as a source of a packed set."""

from __future__ import annotations

import dataclasses
import hashlib
import json
import os
import zipfile
from pathlib import Path, PurePosixPath

from semantic_inpaint.images import ImageError, list_images

NO_PARTITION = -1
PARTITION_FOLDERS = {
    "train": 0,
    "val": 1,
    "validation": 1,
    "test": 2,
    # As the archives of Places2 call them, small and large, and torchvision the first.
    "data_256": 0,
    "data_large": 0,
    "data_256_standard": 0,
    "data_large_standard": 0,
    "data_256_challenge": 0,
    "data_large_challenge": 0,
    "val_256": 1,
    "val_large": 1,
    "test_256": 2,
    "test_large": 2,
}
"""Folders at the top of a set, such as ImageNet, that say what their images are for."""
# Beside the faces of CelebAMask-HQ: black and white pictures of their parts.
ANNOTATIONS = "CelebAMask-HQ-mask-anno"


@dataclasses.dataclass(frozen=True)
class ImageSource:
    """Images in one folder or zip; nothing is open between uses.

    Attributes:
        container: The folder or zip.
        members: Path of each image inside it, as `images.open_container` reads it.
        ids: Name of each image in the packed set.
        partitions: 0 training, 1 validation, 2 test, or -1 for none, of each image.
    """

    container: Path
    members: tuple[str, ...]
    ids: tuple[str, ...]
    partitions: tuple[int, ...]

    def __post_init__(self) -> None:
        """Check that each image has an id and a partition.

        Raises:
            ValueError: The lengths differ.
        """
        lengths = {len(self.members), len(self.ids), len(self.partitions)}
        if len(lengths) > 1:
            raise ValueError(
                "`members`, `ids` and `partitions` must have one entry per image; got "
                f"{len(self.members)}, {len(self.ids)} and {len(self.partitions)}."
            )

    def __len__(self) -> int:
        """Count the images."""
        return len(self.members)

    def fingerprint(self) -> str:
        """Hash what would change with the images, without reading them.

        Of a zip, each member's checksum; of a folder, each file's size and time of
        last change; and the ids and partitions.
        """
        if self.container.is_dir():
            stats = [(self.container / name).stat() for name in self.members]
            states = [[stat.st_size, stat.st_mtime_ns] for stat in stats]
        else:
            with zipfile.ZipFile(self.container) as archive:
                infos = [archive.getinfo(name) for name in self.members]
            states = [[info.file_size, info.CRC] for info in infos]
        content = [self.members, self.ids, self.partitions, states]
        return hashlib.sha256(json.dumps(content).encode()).hexdigest()


def folder_source(path: str | os.PathLike[str]) -> ImageSource:
    """Take every image of a folder or zip, at any depth, in sorted order.

    Where all of them lie in folders of `PARTITION_FOLDERS` at its top, these are their
    partitions, whichever of the three there are. Where one lies elsewhere, the names
    may mean anything (a train is a class of some sets), and no image has a partition.
    The annotations of CelebAMask-HQ are left out.

    Args:
        path: The folder or zip.

    Returns:
        A source with ids such as `faces/sub/1.png`.

    Raises:
        ImageError: There is none, or it holds no image.
    """
    path = Path(path)
    names = list_images(path)
    members = [name for name in names if ANNOTATIONS not in PurePosixPath(name).parts]
    if not members:
        raise ImageError(
            f"{path} holds nothing but annotations ({ANNOTATIONS}). Give the folder of "
            "the images."
        )
    label = path.resolve().name
    return ImageSource(
        container=path,
        members=tuple(members),
        ids=tuple(f"{label}/{name}" for name in members),
        partitions=_partitions(members),
    )


def _partitions(members: list[str]) -> tuple[int, ...]:
    """Read the partitions off the folders at the top, if all lie in such."""
    paths = [PurePosixPath(name).parts for name in members]
    tops = [parts[0] if len(parts) > 1 else "" for parts in paths]
    if not PARTITION_FOLDERS.keys() >= set(tops):
        return (NO_PARTITION,) * len(members)
    return tuple(PARTITION_FOLDERS[top] for top in tops)
