"""PNGs of one bit a pixel whose bytes depend on the pixels alone.

Two versions of a compressor need not make the same bytes of the same pixels; so that a
file can be told by its hash, its pixels are stored as they are (RFC 1951, 3.2.4).
"""

import struct
import zlib

import numpy as np

_BLOCK = 65535


def encode_png(white: np.ndarray) -> bytes:
    """Encode a black and white picture.

    Args:
        white: bool `[H, W]`, at least one pixel; True where it is white.

    Returns:
        The content of the file, about H * (W / 8 + 1) + 68 bytes.
    """
    height, width = white.shape
    rows = np.packbits(white, axis=1)
    pixels = np.pad(rows, ((0, 0), (1, 0))).tobytes()  # Each row begins with filter 0.
    stream = b"\x78\x01"
    for start in range(0, len(pixels), _BLOCK):
        block = pixels[start : start + _BLOCK]
        is_last = start + len(block) == len(pixels)
        stream += struct.pack("<BHH", is_last, len(block), len(block) ^ 0xFFFF) + block
    stream += struct.pack(">I", zlib.adler32(pixels))
    header = struct.pack(">IIBBBBB", width, height, 1, 0, 0, 0, 0)
    chunks = (b"IHDR", header), (b"IDAT", stream), (b"IEND", b"")
    return b"\x89PNG\r\n\x1a\n" + b"".join(_chunk(*chunk) for chunk in chunks)


def _chunk(kind: bytes, data: bytes) -> bytes:
    checksum = zlib.crc32(kind + data)
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", checksum)
