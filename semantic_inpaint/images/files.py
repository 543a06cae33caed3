"""Many images from files, one image to a file."""

from __future__ import annotations

import io
import itertools
import os
import uuid
from collections.abc import Iterable, Iterator
from pathlib import Path

import numpy as np
from PIL import Image

from semantic_inpaint.images.containers import (
    is_container,
    list_images,
    open_container,
)
from semantic_inpaint.images.decoding import ImageError, load_image
from semantic_inpaint.images.fitting import fit_image
from semantic_inpaint.images.ranges import to_uint8


def load_images(
    paths: str | os.PathLike[str] | Iterable[str | os.PathLike[str]],
    *,
    size: int,
    limit: int | None = None,
) -> tuple[np.ndarray, list[str], list[str]]:
    """Read images, each fitted to `size` by `fit_image`.

    Args:
        paths: A path or several; each an image file, or a folder or zip of which every
            image is taken, in sorted order.
        size: Side of the results.
        limit: Read the first so many only; None: all.

    Returns:
        Images, float32 `[B, size, size, 3]` in [0, 1]; their names (a file's own name,
        or its path inside a folder or zip; the full path of each where two would bear
        one name); and for each what was done to fit it, empty where nothing was.

    Raises:
        ImageError: A path gives no image, or an image cannot be read.
    """
    images, notes, found = [], [], []
    for image, *name in _read_named(paths, limit):
        fitted, note = fit_image(image, size)
        images.append(fitted)
        notes.append(note)
        found.append(name)
    return np.stack(images), _shortest(found), notes


def load_whole_images(
    paths: str | os.PathLike[str] | Iterable[str | os.PathLike[str]],
    *,
    limit: int | None = None,
) -> tuple[list[np.ndarray], list[str]]:
    """Read images, each in its own size.

    Args:
        paths: As of `load_images`.
        limit: Read the first so many only; None: all.

    Returns:
        Images, float32 `[H, W, 3]` in [0, 1] each; and their names, as of
        `load_images`.

    Raises:
        ImageError: A path gives no image, or an image cannot be read.
    """
    images, found = [], []
    for image, *name in _read_named(paths, limit):
        images.append(image)
        found.append(name)
    return images, _shortest(found)


def save_image(path: str | os.PathLike[str], image: np.ndarray) -> None:
    """Write a PNG, complete or not at all; folders on the way are made.

    Args:
        path: Where to; ends in `.png`.
        image: `[H, W, 3]`, or grey `[H, W]`; float in [0, 1], uint8, or bool (True is
            white).

    Raises:
        TypeError: Another dtype.
        ValueError: Another shape, values outside [0, 1], or a name without `.png`.
    """
    path = Path(path)
    if path.suffix.lower() != ".png":
        raise ValueError(
            f"an image is saved as PNG; got {path}. Let the name end in .png."
        )
    if image.ndim != 2 and (image.ndim != 3 or image.shape[2] != 3):
        raise ValueError(
            f"`image` must have shape [H, W, 3] or [H, W]; got {image.shape}. "
            "Save the images of a batch one by one."
        )
    picture = Image.fromarray(to_uint8(image))
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f".{path.name}.{uuid.uuid4().hex}.tmp")
    try:
        picture.save(temporary, "PNG")
        temporary.replace(path)
    finally:
        temporary.unlink(missing_ok=True)


def _read_named(
    paths: str | os.PathLike[str] | Iterable[str | os.PathLike[str]], limit: int | None
) -> Iterator[tuple[np.ndarray, str, str]]:
    """Read the images of all paths, each with its short name and its full one."""
    paths = [paths] if isinstance(paths, (str, os.PathLike)) else list(paths)
    if not paths:
        raise ImageError("no images were given. Give at least one path.")
    every = ((path, found) for path in map(Path, paths) for found in _read_all(path))
    for path, (image, name) in itertools.islice(every, limit):
        yield image, name or path.name, f"{path}/{name}" if name else str(path)


def _shortest(found: list[list[str]]) -> list[str]:
    """Return the short names, or the full ones where two would bear one name."""
    short = [name for name, _ in found]
    return short if len(set(short)) == len(short) else [full for _, full in found]


def _read_all(path: Path) -> Iterator[tuple[np.ndarray, str]]:
    """Read each image of a path, with its name inside a folder or zip."""
    if not is_container(path):
        yield load_image(path), ""
        return
    with open_container(path) as read:
        for name in list_images(path):
            stream = io.BytesIO(read(name))
            yield load_image(stream, name=f"{path}/{name}"), name
