"""Any folder or zip of images as a source of a packed set."""

from __future__ import annotations

import dataclasses
import hashlib
import json
import os
import zipfile
from pathlib import Path

from semantic_inpaint.images import list_images

NO_PARTITION = -1


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

    Args:
        path: The folder or zip.

    Returns:
        A source without partitions, with ids such as `faces/sub/1.png`.

    Raises:
        ImageError: There is none, or it holds no image.
    """
    path = Path(path)
    members = tuple(list_images(path))
    label = path.resolve().name
    return ImageSource(
        container=path,
        members=members,
        ids=tuple(f"{label}/{name}" for name in members),
        partitions=(NO_PARTITION,) * len(members),
    )
