"""Mask files (white = hole) to and from `known` arrays (True = observed).

The only place where the polarity flips.
"""

import os
import struct
import uuid
import zlib
from pathlib import Path

import numpy as np
from PIL import Image, ImageOps, UnidentifiedImageError

from semantic_inpaint.masks.validation import validate_known

_SIXTEEN_BIT_MODES = ("I;16", "I;16L", "I;16B", "I;16N", "I")
# All that Pillow's decoders let through on damaged files.
_DECODING_ERRORS = (
    OSError,
    SyntaxError,
    ValueError,
    EOFError,
    IndexError,
    struct.error,
    zlib.error,
    Image.DecompressionBombError,
)


def load_known(
    path: str | os.PathLike[str], height: int, width: int
) -> tuple[np.ndarray, str | None]:
    """Read a mask file in which white marks the hole.

    Colours count by their brightness, palettes by their colours, transparent pixels as
    black, that is as known. A pixel is missing where the brightness is above 127 of
    255 (32767 of 65535 in a 16-bit file), so that the soft edges of an antialiased mask
    are cut in the middle. A mask of another size is fitted by nearest neighbour, each
    side by itself.

    Args:
        path: An image file of any format that Pillow reads.
        height: Rows of the image that the mask belongs to.
        width: Columns of that image.

    Returns:
        `known`, bool `[H, W]`, and a sentence that says that the mask was resized, or
        None where it had the right size.

    Raises:
        ValueError: There is no such file, it is no image or is damaged, its pixels are
            of a kind without a known white, or it has no hole or nothing but hole. The
            message is one line.
    """
    path = Path(path)
    hole = _read_hole(path)
    note = None
    if hole.shape != (height, width):
        note = (
            f"{path} is {hole.shape[1]} x {hole.shape[0]} pixels (width x height) and "
            f"was fitted to {width} x {height} by nearest neighbour"
        )
        hole = _nearest(hole, height, width)
    known = ~hole
    try:
        validate_known(known)
    except ValueError as error:
        fitted = " (after resizing)" if note else ""
        raise ValueError(f"{path}{fitted}: {error}") from None
    return known, note


def save_known(path: str | os.PathLike[str], known: np.ndarray) -> None:
    """Write a mask as an 8-bit grey PNG, white in the hole and black elsewhere.

    The file appears complete or not at all: it is written under a temporary name in
    the same folder and renamed.

    Args:
        path: Where to; ends in `.png`. The folder must exist.
        known: bool `[H, W]`, True where the pixel is observed.

    Raises:
        TypeError: `known` is not boolean.
        ValueError: `known` is not `[H, W]`, has no hole or nothing but hole, or the
            path is no PNG in an existing folder.
    """
    path = Path(path)
    validate_known(known)
    if known.ndim != 2:
        raise ValueError(
            f"`known` must have shape [H, W]; got {known.shape}. "
            "Save each image's in a file of its own."
        )
    if path.suffix.lower() != ".png":
        raise ValueError(
            f"a mask is saved as PNG; got {path}. Let the name end in .png."
        )
    if not path.parent.is_dir():
        raise ValueError(f"no such folder: {path.parent}. Create it first.")
    temporary = path.with_name(f".{path.name}.{uuid.uuid4().hex}.tmp")
    try:
        Image.fromarray(np.where(known, 0, 255).astype(np.uint8)).save(temporary, "PNG")
        temporary.replace(path)
    finally:
        temporary.unlink(missing_ok=True)


def _read_hole(path: Path) -> np.ndarray:
    """Decode a file to bool `[H, W]`, True where it is white."""
    if not path.is_file():
        kind = "a folder, not a file" if path.is_dir() else "no such file"
        raise ValueError(f"{path}: {kind}. Give the path of a mask image.")
    try:
        with Image.open(path) as opened:
            image = ImageOps.exif_transpose(opened)
            return _brighter_than_half(image)
    except UnidentifiedImageError:
        raise ValueError(
            f"{path} is not an image of a format that can be read. Save it as PNG."
        ) from None
    except _DECODING_ERRORS as error:
        reason = " ".join(str(error).split()) or type(error).__name__
        raise ValueError(
            f"{path} cannot be decoded ({reason}); it may be truncated. "
            "Save it anew as an 8-bit grey PNG."
        ) from None


def _brighter_than_half(image: Image.Image) -> np.ndarray:
    """Threshold an image of any mode at half of its white."""
    if image.mode in _SIXTEEN_BIT_MODES:
        return np.asarray(image) > 32767
    if image.mode == "F":
        raise ValueError("floating-point pixels have no agreed white")
    if image.mode in ("1", "L"):
        return np.asarray(image.convert("L")) > 127
    # Via RGBA, so that palettes count by colour and transparency turns black.
    layer = image.convert("RGBA")
    black = Image.new("RGBA", layer.size, "black")
    return np.asarray(Image.alpha_composite(black, layer).convert("L")) > 127


def _nearest(hole: np.ndarray, height: int, width: int) -> np.ndarray:
    """Resize by the pixel under the centre of each new pixel."""
    rows = (2 * np.arange(height) + 1) * hole.shape[0] // (2 * height)
    columns = (2 * np.arange(width) + 1) * hole.shape[1] // (2 * width)
    return hole[rows[:, None], columns]
