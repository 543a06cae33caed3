"""One image file, of whatever kind, to float RGB."""

from __future__ import annotations

import os
import struct
import warnings
import zlib
from pathlib import Path
from typing import BinaryIO

import numpy as np
from PIL import Image, ImageOps, UnidentifiedImageError

# Named, so that no decoder that starts other programs (EPS) ever sees a file.
_FORMATS = ("BMP", "GIF", "JPEG", "JPEG2000", "PNG", "PPM", "TIFF", "WEBP")
_SIXTEEN_BIT_MODES = ("I;16", "I;16L", "I;16B", "I;16N", "I")
_MAX_PIXELS = 89_478_485  # Where Pillow begins to warn: 1 GiB as float32 RGB.
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


class ImageError(ValueError):
    """A file, folder or zip that gives no image; the message is one line."""


def load_image(
    source: str | os.PathLike[str] | BinaryIO, *, name: str | None = None
) -> np.ndarray:
    """Read one image of any usual kind.

    Grey, palette and CMYK become RGB; 16-bit grey keeps its depth; transparency lies
    over white; the orientation that a camera noted is applied; of an animation the
    first frame counts. Colour profiles are not applied.

    Args:
        source: Path, or a binary file open at its beginning.
        name: What to call it in an error; None: its path.

    Returns:
        float32 `[H, W, 3]` in [0, 1].

    Raises:
        ImageError: There is no such file, it is no image, is damaged or far too large,
            or has pixels without an agreed white.
    """
    if isinstance(source, (str, os.PathLike)):
        source = Path(source)
        name = name or str(source)
        if not source.is_file():
            kind = "is a folder" if source.is_dir() else "does not exist"
            raise ImageError(f"{name} {kind}. Give the path of an image file.")
    name = name or "the image"
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # Odd metadata does no harm.
            warnings.simplefilter("error", Image.DecompressionBombWarning)
            with Image.open(source, formats=_FORMATS) as opened:
                if opened.width * opened.height > _MAX_PIXELS:
                    raise Image.DecompressionBombError
                return _to_float_rgb(ImageOps.exif_transpose(opened))
    except UnidentifiedImageError:
        raise ImageError(
            f"{name} is not an image of a format that can be read. "
            "Save it as PNG or JPEG."
        ) from None
    except (Image.DecompressionBombWarning, Image.DecompressionBombError):
        raise ImageError(
            f"{name} has more than {_MAX_PIXELS} pixels. Reduce it first."
        ) from None
    except _DECODING_ERRORS as error:
        reason = " ".join(str(error).split()) or type(error).__name__
        raise ImageError(
            f"{name} cannot be decoded ({reason}); it may be truncated. "
            "Save it anew as PNG or JPEG."
        ) from None


def _to_float_rgb(image: Image.Image) -> np.ndarray:
    """Bring an image of any mode to float32 `[H, W, 3]` in [0, 1]."""
    if image.mode in _SIXTEEN_BIT_MODES:
        grey = np.asarray(image).astype(np.float32) / 65535.0
        if grey.min() < 0.0 or grey.max() > 1.0:
            raise ValueError("its integers go beyond 16 bits and have no agreed white")
        return np.repeat(grey[..., None], 3, axis=-1)
    if image.mode == "F":
        raise ValueError("floating-point pixels have no agreed white")
    if image.has_transparency_data:
        # Also a palette's or a single transparent colour: conversion resolves them.
        layer = image.convert("RGBA")
        white = Image.new("RGBA", layer.size, "white")
        image = Image.alpha_composite(white, layer)
    return np.asarray(image.convert("RGB"), np.float32) / 255.0
