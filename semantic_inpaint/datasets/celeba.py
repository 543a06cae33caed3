"""CelebA in its official layout (Liu et al. 2015), and the ways to split it.

A folder with `img_align_celeba.zip`, or `img_align_celeba` unpacked; beside it, if it
is there, `list_eval_partition.txt` with lines such as `000001.jpg 0`, and further zips
of faces under their official names, already cropped. A zip with other names in it is
left alone.
"""

from __future__ import annotations

import os
import re
from collections.abc import Sequence
from pathlib import Path, PurePosixPath

import numpy as np

from semantic_inpaint.datasets.folder import ImageSource
from semantic_inpaint.images import ImageError, list_images

ALIGNED = "img_align_celeba"
PARTITION_LIST = "list_eval_partition.txt"
# Last file numbers of the official training, validation and test set.
_LAST_NUMBERS = (162_770, 182_637, 202_599)
_OFFICIAL_NAME = re.compile(r"(\d{6})\.(?:jpg|png)")
# Malesevic et al., section 4.
_PAPER_VALIDATION = 2_000
_PAPER_TEST = 2_000


def is_celeba(path: str | os.PathLike[str]) -> bool:
    """Whether a path is, or holds, CelebA's aligned faces under their official name."""
    return _aligned_faces(Path(path)) is not None


def celeba_sources(root: str | os.PathLike[str]) -> list[ImageSource]:
    """Find the faces in CelebA's layout, with their official partitions.

    Where a face is in several places, the aligned original counts, then the first zip
    by name. Ids are the official file names.

    Args:
        root: The folder with `img_align_celeba` in it, as a zip or unpacked; or that
            zip or unpacked folder alone, to leave further zips out.

    Returns:
        One source for the aligned faces and one for each further zip.

    Raises:
        ImageError: `root` has no aligned faces, or a zip is damaged.
        ValueError: A name is not official, or the partition list is not understood.
    """
    root = Path(root)
    aligned = _aligned_faces(root)
    if aligned is None:
        raise ImageError(
            f"{root} holds neither {ALIGNED}.zip nor {ALIGNED}/. "
            "Give the folder that CelebA was downloaded to."
        )
    listed = _read_partition_list(aligned.parent / PARTITION_LIST)
    seen: set[str] = set()
    sources = []
    for container in [aligned, *_further_zips(root, aligned)]:
        members = {PurePosixPath(name).name: name for name in list_images(container)}
        ids = sorted(members.keys() - seen)
        seen.update(ids)
        if ids:
            partitions = [listed.get(i, official_partition(i)) for i in ids]
            chosen = tuple(members[i] for i in ids)
            sources.append(
                ImageSource(container, chosen, tuple(ids), tuple(partitions))
            )
    return sources


def official_partition(name: str) -> int:
    """Partition of a face by its number.

    Args:
        name: Official file name, such as `000001.jpg`.

    Returns:
        0 (training) up to 162770, 1 (validation) up to 182637, 2 (test) up to 202599.

    Raises:
        ValueError: The name is not official.
    """
    match = _OFFICIAL_NAME.fullmatch(name)
    number = int(match[1]) if match else 0
    if not 1 <= number <= _LAST_NUMBERS[-1]:
        raise ValueError(
            f"{name!r} is not an official CelebA file name (000001.jpg to 202599.jpg). "
            "Pack such images as a plain folder."
        )
    return sum(number > last for last in _LAST_NUMBERS)


def paper_split(ids: Sequence[str], *, seed: int) -> np.ndarray:
    """Split at random into 2,000 validation, 2,000 test and else training images.

    The sizes are those of Malesevic et al.; which images they drew is not known.
    Unlike the official split, one person may be in two of the parts.

    Args:
        ids: Distinct names; their order does not matter to the part of each.
        seed: Of the draw.

    Returns:
        int8 `[N]`: 0 training, 1 validation, 2 test.

    Raises:
        ValueError: The names are not distinct, or leave nothing to train on.
    """
    held_out = _PAPER_VALIDATION + _PAPER_TEST
    if len(ids) <= held_out or len(set(ids)) < len(ids):
        raise ValueError(
            f"the paper's split needs more than {held_out} distinct ids; got "
            f"{len(ids)}, of them {len(set(ids))} distinct. Use the official split."
        )
    order = np.argsort(np.asarray(ids, dtype=str), kind="stable")
    drawn = order[np.random.default_rng(seed).permutation(len(ids))]
    partitions = np.zeros(len(ids), np.int8)
    partitions[drawn[:_PAPER_VALIDATION]] = 1
    partitions[drawn[_PAPER_VALIDATION:held_out]] = 2
    return partitions


def _aligned_faces(root: Path) -> Path | None:
    """Find the zip or folder of the aligned faces; the zip is preferred."""
    zipped, folder = root / f"{ALIGNED}.zip", root / ALIGNED
    if zipped.is_file():
        return zipped
    if folder.is_dir():
        return folder
    named = root.name in (zipped.name, folder.name)
    return root if named and root.exists() else None


def _further_zips(root: Path, aligned: Path) -> list[Path]:
    """Find the other zips of which every image has an official name."""
    found = []
    for path in sorted(root.glob("*.zip")):
        if path == aligned:
            continue
        try:
            names = [PurePosixPath(name).name for name in list_images(path)]
        except ImageError:
            continue  # Annotations or the like.
        if all(_OFFICIAL_NAME.fullmatch(name) for name in names):
            found.append(path)
    return found


def _read_partition_list(path: Path) -> dict[str, int]:
    """Read `list_eval_partition.txt`; empty where there is none."""
    if not path.is_file():
        return {}
    listed = {}
    text = path.read_text(encoding="utf-8")
    for number, line in enumerate(text.splitlines(), start=1):
        fields = line.split()
        if not fields:
            continue
        if len(fields) != 2 or fields[1] not in ("0", "1", "2"):
            raise ValueError(
                f"{path}, line {number}: expected a file name and 0, 1 or 2; got "
                f"{line[:60]!r}. Download the list anew, or remove it to go by the "
                "file numbers."
            )
        listed[fields[0]] = int(fields[1])
    return listed
