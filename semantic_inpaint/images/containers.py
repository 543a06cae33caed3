"""Folders and zips of images behind the same two functions."""

from __future__ import annotations

import contextlib
import zipfile
import zlib
from collections.abc import Callable, Iterator
from pathlib import Path, PurePosixPath

from semantic_inpaint.images.decoding import ImageError

IMAGE_SUFFIXES = (
    ".bmp",
    ".gif",
    ".jp2",
    ".jpeg",
    ".jpg",
    ".pgm",
    ".png",
    ".ppm",
    ".tif",
    ".tiff",
    ".webp",
)
_MAX_MEMBER_BYTES = 2**28  # Beyond any image that is read; a zip can claim anything.
_READING_ERRORS = (
    OSError,
    EOFError,
    KeyError,
    NotImplementedError,  # A compression that zipfile does not know.
    RuntimeError,  # A password is needed.
    zipfile.BadZipFile,
    zlib.error,
)


def is_container(path: Path) -> bool:
    """Whether a path is a folder or a zip, rather than one image."""
    return path.is_dir() or path.suffix.lower() == ".zip"


def list_images(container: Path) -> list[str]:
    """Name the images in a folder or zip, at any depth, sorted; hidden ones left out.

    Raises:
        ImageError: It does not exist, is no zip, or holds no image.
    """
    if container.is_dir():
        paths = [path for path in container.rglob("*") if path.is_file()]
        names = [path.relative_to(container).as_posix() for path in paths]
    else:
        with _open_zip(container) as archive:
            names = [info.filename for info in archive.infolist() if not info.is_dir()]
    found = sorted(name for name in names if _is_visible_image(name))
    if not found:
        raise ImageError(
            f"{container} holds no images. Expected files that end in "
            f"{', '.join(IMAGE_SUFFIXES)}."
        )
    return found


@contextlib.contextmanager
def open_container(container: Path) -> Iterator[Callable[[str], bytes]]:
    """Open a folder or zip once, to read many of its files.

    Yields:
        A function from a name that `list_images` gave to the bytes of that file; it
        raises `ImageError` where they cannot be read.

    Raises:
        ImageError: The zip does not exist or is none.
    """
    with contextlib.ExitStack() as stack:
        archive = None
        if not container.is_dir():
            archive = stack.enter_context(_open_zip(container))

        def read(name: str) -> bytes:
            try:
                if archive is None:
                    return (container / name).read_bytes()
                size = archive.getinfo(name).file_size
                if size > _MAX_MEMBER_BYTES:
                    raise OSError(f"{size} bytes, more than {_MAX_MEMBER_BYTES}")
                return archive.read(name)
            except _READING_ERRORS as error:
                reason = " ".join(str(error).split()) or type(error).__name__
                raise ImageError(
                    f"{container}/{name} cannot be read ({reason}). "
                    "Expected an intact file: copy or download it anew."
                ) from None

        yield read


def _open_zip(path: Path) -> zipfile.ZipFile:
    """Open a zip, or say in one line why that cannot be done."""
    if not path.exists():
        raise ImageError(f"{path} does not exist. Give a folder or zip of images.")
    try:
        return zipfile.ZipFile(path)
    except (zipfile.BadZipFile, OSError) as error:
        raise ImageError(
            f"{path} cannot be opened as a zip ({error}). "
            "Give a folder or an intact zip of images."
        ) from None


def _is_visible_image(name: str) -> bool:
    """Leave out hidden files and the shadow folder that macOS puts into zips."""
    path = PurePosixPath(name)
    hidden = any(part.startswith((".", "__MACOSX")) for part in path.parts)
    return not hidden and path.suffix.lower() in IMAGE_SUFFIXES
