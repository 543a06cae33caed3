"""Mask files (white = hole) to and from `known` arrays (True = observed).

The only place where the polarity flips.
"""

import os
import struct
import uuid
import warnings
import zlib
from pathlib import Path

import numpy as np
from PIL import Image, ImageOps, UnidentifiedImageError

from semantic_inpaint.masks.geometry import describe_fitting, fit_hole
from semantic_inpaint.masks.validation import validate_known

# As in `images.decoding`, which is out of reach from here; a test holds them together.
_FORMATS = ("BMP", "GIF", "JPEG", "JPEG2000", "PNG", "PPM", "TIFF", "WEBP")
_MAX_PIXELS = 89_478_485
_SIXTEEN_BIT_MODES = ("I;16", "I;16L", "I;16B", "I;16N", "I")
# All that Pillow's decoders let through on damaged files.
_DECODING_ERRORS = (
    OSError,
    SyntaxError,
    ValueError,
    EOFError,
    IndexError,
    TypeError,
    struct.error,
    zlib.error,
)


def load_known(
    path: str | os.PathLike[str], height: int, width: int
) -> tuple[np.ndarray, str | None]:
    """Read a mask file in which white marks the hole.

    Colours count by their brightness, palettes by their colours, transparent pixels as
    black, that is as known. A pixel is missing where the brightness is above 127 of
    255 (32767 of 65535 in a 16-bit file), so that the soft edges of an antialiased mask
    are cut in the middle.

    A mask of another size is fitted as `images.fit_image` fits a photo of the mask's
    own shape: a mask painted on a photo keeps its place on it. That is a crop to
    `geometry.centred_box` (all of a square mask), then a resize. Reduced, a pixel is
    missing where any part of it is; enlarged, the nearest pixel counts.

    Args:
        path: An image file, of the formats that `images.load_image` reads.
        height: Rows of the image that the mask belongs to.
        width: Columns of that image; as many as rows, unless the mask fits as it is.

    Returns:
        `known`, bool `[H, W]`, and a few words that say how the mask was fitted, or
        None where it had the right size.

    Raises:
        ValueError: There is no such file, it is no image, is damaged or far too large,
            its pixels are of a kind without a known white, it would have to be fitted
            to an oblong, or there is no hole or nothing but hole in what is left of it
            after fitting. The message is one line.
    """
    path = Path(path)
    hole = _read_hole(path)
    note = None
    if hole.shape != (height, width):
        if height != width:
            raise ValueError(
                f"{path} is {hole.shape[1]} x {hole.shape[0]} pixels (width x height), "
                f"the image {width} x {height}; only a square image has its mask "
                "fitted. Save the mask in the size of the image."
            )
        note = f"{path}: {describe_fitting(*hole.shape, height)}"
        hole = fit_hole(hole, height)
    known = ~hole
    try:
        validate_known(known)
    except ValueError as error:
        raise ValueError(f"{note or path}: {error}") from None
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
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # Odd metadata does no harm.
            warnings.simplefilter("error", Image.DecompressionBombWarning)
            with Image.open(path, formats=_FORMATS) as opened:
                if opened.width * opened.height > _MAX_PIXELS:
                    raise Image.DecompressionBombError
                return _brighter_than_half(ImageOps.exif_transpose(opened))
    except UnidentifiedImageError:
        raise ValueError(
            f"{path} is not an image of a format that can be read. Save it as PNG."
        ) from None
    except (Image.DecompressionBombWarning, Image.DecompressionBombError):
        raise ValueError(
            f"{path} has more than {_MAX_PIXELS} pixels. Reduce it first."
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
