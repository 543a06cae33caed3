"""The mask pack: a folder of mask files that can be cited, checked and made anew.

It holds the six published patterns and the twelve free-form groups, each in a folder of
its own, as PNGs in which white marks the hole, and a manifest with their hashes. The
files are the same to the byte wherever they are made.
"""

from __future__ import annotations

import dataclasses
import hashlib
import json
import os
import uuid
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from semantic_inpaint.masks.brush import BRUSH
from semantic_inpaint.masks.files import load_known
from semantic_inpaint.masks.freeform import (
    AIM,
    BORDER,
    FREE_FORM_GROUPS,
    MAX_STROKES,
    make_free_form,
)
from semantic_inpaint.masks.patterns import PATTERNS, make_known
from semantic_inpaint.masks.stored_png import encode_png

MANIFEST_FILE = "manifest.json"
PACK_FORMAT = 1
PACK_VERSION = "1.0"
FIXED_PATTERNS = ("stripes", "left", "center")

# What two packs must share for one to be written over the other.
_REQUEST = ("format", "version", "size", "count", "seed", "generator")


class PackGroup(NamedTuple):
    """The masks of one group.

    Attributes:
        ids: Names of the files, N of them, in their order.
        known: bool `[N, H, W]`, True where the pixel is observed.
    """

    ids: tuple[str, ...]
    known: np.ndarray


def write_pack(
    folder: str | os.PathLike[str],
    *,
    size: int = 64,
    count: int = 64,
    seed: int = 0,
    version: str = PACK_VERSION,
    progress: Callable[[int, int], None] | None = None,
) -> dict[str, Any]:
    """Make the masks and write them to a folder.

    Mask i of a pattern is the hole that `make_known` gives to image i. Every file
    appears complete or not at all, and the manifest last; killed and started again, it
    comes to the same bytes.

    Args:
        folder: Where to; made if need be. Other files in it are left alone.
        size: H and W, at least 8; below 32 some free-form groups have no room.
        count: Masks of a group, at least 1; patterns that draw nothing have one.
        seed: 0 or more.
        version: Under which the pack is cited.
        progress: Called with the number of groups done and of all.

    Returns:
        The manifest.

    Raises:
        ValueError: A number is out of range, the images are too small for a group, or
            the folder holds another pack.
    """
    folder = Path(folder)
    manifest = {
        "format": PACK_FORMAT,
        "version": version,
        "size": size,
        "count": count,
        "seed": seed,
        "white": "hole",
        "generator": _generator(),
    }
    _check_version(version)
    _check_folder(folder, manifest)
    groups: dict[str, Any] = {}
    names = [*PATTERNS, *FREE_FORM_GROUPS]
    for done, name in enumerate(names):
        if progress is not None:
            progress(done, len(names))
        known = _make_group(name, count, size, seed)
        (folder / name).mkdir(parents=True, exist_ok=True)
        groups[name] = {"title": _title(name), "masks": {}}
        for index, one in enumerate(known):
            file = f"{index:03d}.png"
            content = encode_png(~one)
            _write(folder / name / file, content)
            groups[name]["masks"][file] = {
                "sha256": hashlib.sha256(content).hexdigest(),
                "known_sha256": _known_hash(one),
                "hole_share": float((~one).mean()),
            }
    manifest |= {"sha256": _pack_hash(groups), "groups": groups}
    _write(folder / MANIFEST_FILE, json.dumps(manifest, indent=1).encode() + b"\n")
    if progress is not None:
        progress(len(names), len(names))
    return manifest


def load_pack(folder: str | os.PathLike[str]) -> dict[str, PackGroup]:
    """Read a pack, and check every file of it against the manifest.

    Args:
        folder: As `write_pack` wrote it.

    Returns:
        Names of the groups to their masks: the six patterns, then the free-form groups.

    Raises:
        ValueError: There is no pack, or a file is missing or is not the one of the
            manifest. The message is one line.
    """
    folder = Path(folder)
    manifest = load_manifest(folder)
    size = manifest["size"]
    groups = {}
    for name, group in manifest["groups"].items():
        ids = tuple(group["masks"])
        known = np.empty((len(ids), size, size), dtype=bool)
        for one, (file, entry) in zip(known, group["masks"].items(), strict=True):
            one[:] = _load_mask(folder / name / file, size, entry)
        groups[name] = PackGroup(ids, known)
    return groups


def load_manifest(folder: str | os.PathLike[str]) -> dict[str, Any]:
    """Read the manifest of a pack: version, hashes, and what made the masks.

    Args:
        folder: As `write_pack` wrote it.

    Returns:
        What `write_pack` returned.

    Raises:
        ValueError: There is none, or it is damaged or was changed.
    """
    path = Path(folder) / MANIFEST_FILE
    try:
        manifest = json.loads(path.read_text(encoding="utf-8"))
        if manifest["format"] != PACK_FORMAT:
            raise ValueError(f"format {manifest['format']}, not {PACK_FORMAT}")
        if manifest["sha256"] != _pack_hash(manifest["groups"]):
            raise ValueError("its hashes do not add up to that of the pack")
        _ = [manifest[key] for key in _REQUEST]
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        reason = " ".join(str(error).split())
        raise ValueError(
            f"{path} is no manifest of a mask pack ({reason}). Fetch the pack again, "
            "or make it by pipelines/make_masks.py."
        ) from error
    return manifest


def _make_group(name: str, count: int, size: int, seed: int) -> np.ndarray:
    """Draw the masks of one group: `known`, bool `[N, H, W]`."""
    if name in FREE_FORM_GROUPS:
        return make_free_form(name, count, size, size, seed=seed)
    number = 1 if name in FIXED_PATTERNS else count
    return make_known(name, number, size, size, seed=seed)


def _title(name: str) -> str:
    return (PATTERNS.get(name) or FREE_FORM_GROUPS[name]).title


def _generator() -> dict[str, Any]:
    """List the constants behind the free-form groups, as JSON gives them back."""
    constants = {
        "brush": dataclasses.asdict(BRUSH),
        "border": BORDER,
        "aim": AIM,
        "max_strokes": MAX_STROKES,
    }
    return json.loads(json.dumps(constants))


def _load_mask(path: Path, size: int, entry: dict[str, Any]) -> np.ndarray:
    """Read one mask, if it is the one of the manifest."""
    advice = "Fetch the pack again, or make it by pipelines/make_masks.py."
    try:
        content = path.read_bytes()
    except OSError as error:
        raise ValueError(
            f"{path} of the mask pack cannot be read ({error.strerror}). {advice}"
        ) from error
    if hashlib.sha256(content).hexdigest() == entry["sha256"]:
        known, _ = load_known(path, size, size)
        if _known_hash(known) == entry["known_sha256"]:
            return known
    raise ValueError(f"{path} is not the file that its manifest lists. {advice}")


def _check_version(version: str) -> None:
    if not version or version.split() != [version]:
        raise ValueError(
            f"`version` must be a word to cite the pack by; got {version!r}. "
            f"The pack of these masks is {PACK_VERSION!r}."
        )


def _check_folder(folder: Path, manifest: dict[str, Any]) -> None:
    """Refuse to write over another pack: part of its files would stay."""
    if not (folder / MANIFEST_FILE).exists():
        return
    found = load_manifest(folder)
    differ = [key for key in _REQUEST if found[key] != manifest[key]]
    if differ:
        raise ValueError(
            f"{folder} holds a mask pack of another {' and '.join(differ)}. Remove its "
            f"groups and {MANIFEST_FILE} first, or choose another folder."
        )


def _known_hash(known: np.ndarray) -> str:
    return hashlib.sha256(known.tobytes()).hexdigest()


def _pack_hash(groups: dict[str, Any]) -> str:
    """Hash the whole pack: names of groups and files, and what they hold."""
    lines = [
        f"{name}/{file} {entry['sha256']} {entry['known_sha256']}\n"
        for name, group in groups.items()
        for file, entry in group["masks"].items()
    ]
    return hashlib.sha256("".join(lines).encode()).hexdigest()


def _write(path: Path, content: bytes) -> None:
    """Write a file under a temporary name in the same folder and rename it."""
    temporary = path.with_name(f".{path.name}.{uuid.uuid4().hex}.tmp")
    try:
        temporary.write_bytes(content)
        temporary.replace(path)
    finally:
        temporary.unlink(missing_ok=True)
