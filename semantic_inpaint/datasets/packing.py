"""Pack images into one array: bounded memory, and killed at any time it goes on."""

from __future__ import annotations

import dataclasses
import io
import itertools
import json
import os
import shutil
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from semantic_inpaint.datasets.folder import ImageSource
from semantic_inpaint.datasets.lock import locked_folder
from semantic_inpaint.datasets.packed import (
    FORMAT_VERSION,
    IMAGES_FILE,
    MANIFEST_FILE,
    PackedImages,
    pixel_hash,
)
from semantic_inpaint.images import (
    CROP_RULE,
    ImageError,
    fit_image,
    load_image,
    open_container,
    to_uint8,
)

PARTIAL_FOLDER = "partial"
JOURNAL_FILE = "journal.jsonl"
CHUNK = 256


def pack_images(
    sources: Sequence[ImageSource],
    out: str | os.PathLike[str],
    *,
    size: int = 64,
    max_skipped_fraction: float = 0.01,
    progress: Callable[[int, int], None] | None = None,
) -> PackedImages:
    """Fit every image to `size` and pack them, in the order of the sources.

    The work in progress lies in `out/partial`: the pixels, and a journal that grows by
    a line per chunk. A packing that was cut off goes on from its last line, and gives
    the same bytes as one that was not. An image that cannot be read is left out and
    named in the manifest.

    Args:
        sources: Where the images come from.
        out: Folder of the packed set; made if need be.
        size: Side of the packed images.
        max_skipped_fraction: Largest share of images that may be left out.
        progress: Called with the number of images done and of all.

    Returns:
        The packed set; if `out` holds it already, nothing is done anew.

    Raises:
        ValueError: No images, an id twice, too many images that cannot be read,
            `out` holds a set or the beginning of one from other sources or options,
            or another process is working there.
    """
    plan = _Plan.of(sources, size)
    with locked_folder(Path(out)):
        return _pack_or_open(plan, Path(out), max_skipped_fraction, progress)


def _pack_or_open(
    plan: _Plan,
    out: Path,
    max_skipped_fraction: float,
    progress: Callable[[int, int], None] | None,
) -> PackedImages:
    """Hand out a complete set, or complete it."""
    partial = out / PARTIAL_FOLDER
    if (out / MANIFEST_FILE).is_file():
        packed = PackedImages.open(out)
        _check_request(packed.manifest.get("request", {}), plan.request, out)
        if progress is not None:
            progress(plan.count, plan.count)
    else:
        partial.mkdir(exist_ok=True)
        skipped = _pack(plan, partial, out, max_skipped_fraction, progress)
        packed = _finish(plan, partial, out, skipped)
    # Also what a packing left that was killed right after its last step.
    shutil.rmtree(partial, ignore_errors=True)
    return packed


@dataclasses.dataclass(frozen=True)
class _Plan:
    """All images of all sources in one row, and what makes this packing this one."""

    sources: tuple[ImageSource, ...]
    size: int
    request: dict[str, Any]

    @classmethod
    def of(cls, sources: Sequence[ImageSource], size: int) -> _Plan:
        """Check the sources and note what the packed pixels depend on."""
        ids = [name for source in sources for name in source.ids]
        if not ids:
            raise ValueError("there are no images to pack. Give at least one source.")
        if len(set(ids)) < len(ids):
            twice = next(a for a, b in itertools.pairwise(sorted(ids)) if a == b)
            raise ValueError(
                f"two images have the id {twice!r}. Rename one of the folders or pack "
                "them apart."
            )
        if size < 1:
            raise ValueError(f"`size` must be at least 1; got {size}. 64 is usual.")
        request = {
            "size": size,
            "crop": CROP_RULE,
            "sources": [source.fingerprint() for source in sources],
        }
        return cls(tuple(sources), size, request)

    @property
    def count(self) -> int:
        """Count the images, readable or not."""
        return sum(map(len, self.sources))

    def pixels(self, start: int) -> Iterator[tuple[str, np.ndarray | str]]:
        """Read from one image on: each id with uint8 pixels or why there are none."""
        for source in self.sources:
            if start >= len(source):
                start -= len(source)
                continue
            with open_container(source.container) as read:
                for row in range(start, len(source)):
                    yield source.ids[row], self._load(source, row, read)
            start = 0

    def _load(
        self, source: ImageSource, row: int, read: Callable[[str], bytes]
    ) -> np.ndarray | str:
        try:
            stream = io.BytesIO(read(source.members[row]))
            image = load_image(stream, name=source.ids[row])
        except ImageError as error:
            return str(error)
        return to_uint8(fit_image(image, self.size)[0])


def _pack(
    plan: _Plan,
    partial: Path,
    out: Path,
    max_skipped_fraction: float,
    progress: Callable[[int, int], None] | None,
) -> list[tuple[str, str]]:
    """Write all pixels to `partial`; returns the ids left out, with the reasons."""
    done, skipped = _open_journal(plan, partial)
    header = _header(plan.count, plan.size)
    file = partial / IMAGES_FILE
    if done == plan.count and not file.exists() and (out / IMAGES_FILE).exists():
        return skipped  # It was killed between its last two steps.
    file.touch()
    with file.open("r+b") as pixels, (partial / JOURNAL_FILE).open("ab") as journal:
        written = len(header) + (done - len(skipped)) * plan.size**2 * 3
        if done and pixels.seek(0, os.SEEK_END) < written:
            raise ValueError(
                f"{file} is shorter than its journal says. Remove {partial} and start "
                "again."
            )
        pixels.truncate(written)
        pixels.seek(0)
        pixels.write(header)
        pixels.seek(written)
        images = plan.pixels(done)
        if progress is not None:
            progress(done, plan.count)
        while chunk := list(itertools.islice(images, CHUNK)):
            lost = [(name, image) for name, image in chunk if isinstance(image, str)]
            for _, image in chunk:
                if isinstance(image, np.ndarray):
                    pixels.write(image.tobytes())
            # The pixels must be on disk before the journal claims them.
            _sync(pixels)
            done += len(chunk)
            skipped += lost
            journal.write(_line({"done": done, "skipped": lost}))
            _sync(journal)
            _check_skipped(skipped, plan.count, max_skipped_fraction)
            if progress is not None:
                progress(done, plan.count)
    _check_skipped(skipped, plan.count, max_skipped_fraction)
    return skipped


def _finish(
    plan: _Plan, partial: Path, out: Path, skipped: list[tuple[str, str]]
) -> PackedImages:
    """Move the pixels to their place; the manifest, written last, completes the set."""
    if (partial / IMAGES_FILE).exists():
        with (partial / IMAGES_FILE).open("r+b") as pixels:
            pixels.write(_header(plan.count - len(skipped), plan.size))
            _sync(pixels)
        (partial / IMAGES_FILE).replace(out / IMAGES_FILE)
    images = np.load(out / IMAGES_FILE, mmap_mode="r", allow_pickle=False)
    lost = {name for name, _ in skipped}
    kept = [
        (name, partition)
        for source in plan.sources
        for name, partition in zip(source.ids, source.partitions, strict=True)
        if name not in lost
    ]
    manifest = {
        "format_version": FORMAT_VERSION,
        "count": len(kept),
        "image_size": plan.size,
        "crop": CROP_RULE,
        "sha256": pixel_hash(images),
        "sources": [
            {"name": source.container.name, "count": len(source)}
            for source in plan.sources
        ],
        "skipped": skipped,
        "request": plan.request,
        "ids": [name for name, _ in kept],
        "partitions": [partition for _, partition in kept],
        "complete": True,
    }
    temporary = partial / MANIFEST_FILE
    with temporary.open("wb") as file:
        file.write(_line(manifest))
        _sync(file)
    temporary.replace(out / MANIFEST_FILE)
    return PackedImages.open(out)


def _open_journal(plan: _Plan, partial: Path) -> tuple[int, list[tuple[str, str]]]:
    """Read how far a packing came, cut off a half-written line, or begin."""
    path = partial / JOURNAL_FILE
    whole = path.read_bytes().rpartition(b"\n")[0] if path.is_file() else b""
    if not whole:
        with path.open("wb") as file:
            file.write(_line(plan.request))
            _sync(file)
        return 0, []
    os.truncate(path, len(whole) + 1)
    request, *entries = [json.loads(line) for line in whole.splitlines()]
    _check_request(request, plan.request, partial)
    skipped = [(name, why) for entry in entries for name, why in entry["skipped"]]
    return (entries[-1]["done"] if entries else 0), skipped


def _check_request(found: dict[str, Any], wanted: dict[str, Any], where: Path) -> None:
    """Refuse to go on with, or hand out, what was packed otherwise."""
    differ = [key for key, value in wanted.items() if found.get(key) != value]
    if differ:
        raise ValueError(
            f"{where} was packed with other {' and '.join(differ)}. Remove it, choose "
            "another output folder, or ask for what it holds."
        )


def _check_skipped(
    skipped: list[tuple[str, str]], count: int, max_skipped_fraction: float
) -> None:
    """Stop when too much is unreadable for the set to be what its source is."""
    if len(skipped) > max_skipped_fraction * count or len(skipped) == count:
        raise ValueError(
            f"{len(skipped)} of {count} images cannot be read, more than the share of "
            f"{max_skipped_fraction:g} that may be left out; the first: "
            f"{skipped[0][1]} Mend them or allow a larger share."
        )


def _header(count: int, size: int) -> bytes:
    """Header of the .npy file; NumPy pads it to one length for any count."""
    stream = io.BytesIO()
    shape = (count, size, size, 3)
    fields = {"descr": "|u1", "fortran_order": False, "shape": shape}
    np.lib.format.write_array_header_1_0(stream, fields)
    return stream.getvalue()


def _line(content: dict[str, Any]) -> bytes:
    return json.dumps(content).encode() + b"\n"


def _sync(file: io.BufferedIOBase) -> None:
    """Bring what was written to the disk."""
    file.flush()
    os.fsync(file.fileno())
