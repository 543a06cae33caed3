"""The faces that ship: of people who do not exist, for trials without any data."""

from __future__ import annotations

import hashlib
import io
import json
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from semantic_inpaint.images import fit_image

SAMPLES = Path(__file__).resolve().parents[1] / "assets" / "samples"
SHEET_FILE = "faces.png"
SAMPLES_CARD_FILE = "card.json"
SAMPLES_FORMAT = 1


def sample_faces(
    count: int | None = None, *, size: int = 64, folder: Path = SAMPLES
) -> np.ndarray:
    """Load generated faces; the card beside them says by what and how they were chosen.

    Their generator is none of the priors that ship, so that no prior is asked for
    images that it made itself.

    Args:
        count: The first so many; None: all.
        size: Side of the result.
        folder: With the sheet and its card, as `make_samples.py` writes them.

    Returns:
        float32 `[count, size, size, 3]` in [0, 1].

    Raises:
        ValueError: `count` is not between 0 and their number, or the folder's files
            are missing, damaged, or do not belong together.
    """
    card = sample_card(folder)
    number, side = card["count"], card["image_size"]
    count = number if count is None else count
    if not 0 <= count <= number:
        raise ValueError(f"`count` must be 0 to {number}; got {count}.")
    sheet = _read_sheet(folder, card["sheet"]["sha256"])
    rows, columns = sheet.shape[0] // side, sheet.shape[1] // side
    tiles = sheet.reshape(rows, side, columns, side, 3).swapaxes(1, 2)
    faces = np.empty((count, size, size, 3), np.float32)
    for face, tile in zip(faces, tiles.reshape(-1, side, side, 3), strict=False):
        face[:] = fit_image(tile / np.float32(255), size)[0]
    return faces


def sample_names(*, folder: Path = SAMPLES) -> list[str]:
    """Names of the faces in their order: `sample-000` and so on.

    Raises:
        ValueError: The folder has no card, or a damaged one.
    """
    return [f"sample-{i:03d}" for i in range(sample_card(folder)["count"])]


def sample_card(folder: Path = SAMPLES) -> dict[str, Any]:
    """Read what is known of the faces: generator, rule, licence.

    Raises:
        ValueError: The folder has no card, or a damaged one.
    """
    path = folder / SAMPLES_CARD_FILE
    try:
        card = json.loads(path.read_text(encoding="utf-8"))
        _ = card["count"], card["image_size"], card["sheet"]["sha256"]
        if card["format"] != SAMPLES_FORMAT:
            raise ValueError(f"format {card['format']}, not {SAMPLES_FORMAT}")
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise ValueError(
            f"{path} is no card of sample faces ({error}); fetch them again, or make "
            "them by make_samples.py."
        ) from error
    return card


def _read_sheet(folder: Path, sha256: str) -> np.ndarray:
    """Read the pixels, uint8 `[H, W, 3]`, if they are those of the card."""
    path = folder / SHEET_FILE
    try:
        content = path.read_bytes()
    except OSError as error:
        raise ValueError(
            f"{path} cannot be read ({error}); fetch the sample faces again, or make "
            "them by make_samples.py."
        ) from error
    if hashlib.sha256(content).hexdigest() != sha256:
        raise ValueError(
            f"{path} is not the sheet of its card; fetch the sample faces again, or "
            "make them by make_samples.py."
        )
    with Image.open(io.BytesIO(content)) as sheet:
        return np.asarray(sheet.convert("RGB"))
