"""Pictures of any size through a network of one size: padding and overlapping tiles."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from semantic_inpaint.problem import HOLE_VALUE

# From tiles `[T, h, w, 3]`, their known pixels `[T, h, w]`, and the image that each was
# cut from `[T]`, to filled tiles.
FillTiles = Callable[[np.ndarray, np.ndarray, np.ndarray], np.ndarray]


def round_up(length: int, multiple: int) -> int:
    """Return the smallest multiple that is not less than a length."""
    return -(-length // multiple) * multiple


def tile_starts(length: int, side: int, overlap: int) -> list[int]:
    """Place tiles along an axis so that neighbours share `overlap` pixels or more.

    Args:
        length: Of the axis, `side` or more.
        side: Of a tile.
        overlap: Less than `side`.

    Returns:
        First pixels, increasing; the first tile begins at 0 and the last ends at
        `length`, and what is over is shared out between them.
    """
    count = 1 + -(-(length - side) // (side - overlap))
    return [round(i * (length - side) / max(1, count - 1)) for i in range(count)]


def tile_window(height: int, width: int, overlap: int) -> np.ndarray:
    """Weigh the pixels of a tile: 1 inside, falling linearly over the overlap.

    Returns:
        float32 `[height, width]`, positive everywhere.
    """

    def ramp(length: int) -> np.ndarray:
        distance = np.minimum(np.arange(length), np.arange(length)[::-1]) + 1
        return np.minimum(distance / (overlap + 1), 1.0)

    return (ramp(height)[:, None] * ramp(width)[None, :]).astype(np.float32)


def pad_as_hole(
    images: np.ndarray, known: np.ndarray, height: int, width: int
) -> tuple[np.ndarray, np.ndarray]:
    """Enlarge images below and to the right by pixels that are missing.

    What lies outside a picture is as unknown as a hole in it. Mirrored pixels instead
    would tell the network of edges that are not there.

    Args:
        images: float32 `[B, H, W, 3]`.
        known: bool `[B, H, W]`.
        height: Rows, H or more.
        width: Columns, W or more.

    Returns:
        Images and known of that size.
    """
    below, right = height - images.shape[1], width - images.shape[2]
    space = ((0, 0), (0, below), (0, right))
    return (
        np.pad(images, (*space, (0, 0)), constant_values=HOLE_VALUE),
        np.pad(known, space, constant_values=False),
    )


def fill_in_tiles(
    fill: FillTiles,
    images: np.ndarray,
    known: np.ndarray,
    *,
    tile: tuple[int, int],
    overlap: int,
    batch_size: int,
) -> np.ndarray:
    """Fill tile by tile, and average where tiles overlap.

    A tile without a hole is left as it is, so that the work grows with the holes and
    not with the picture; each image has its own tiles, so none depends on the others.

    Args:
        fill: Fills up to `batch_size` tiles.
        images: float32 `[B, H, W, 3]`; each has a hole.
        known: bool `[B, H, W]`.
        tile: Rows and columns of a tile; a smaller picture is padded.
        overlap: Pixels that neighbours share at least; less than a tile's sides.
        batch_size: Tiles filled together.

    Returns:
        float32 `[B, H, W, 3]`: filled, but for tiles without a hole. Where `fill` gave
        no number there is none.
    """
    height, width = images.shape[1:3]
    inner = max(height, tile[0]), max(width, tile[1])
    images, known = pad_as_hole(images, known, *inner)
    places = [
        (row, top, left)
        for row in range(len(images))
        for top in tile_starts(inner[0], tile[0], overlap)
        for left in tile_starts(inner[1], tile[1], overlap)
        if not known[row, top : top + tile[0], left : left + tile[1]].all()
    ]
    window = tile_window(*tile, overlap)
    total, weight = np.zeros_like(images), np.zeros(known.shape, np.float32)
    for start in range(0, len(places), batch_size):
        chunk = places[start : start + batch_size]
        cuts = [(r, slice(t, t + tile[0]), slice(c, c + tile[1])) for r, t, c in chunk]
        filled = fill(
            np.stack([images[cut] for cut in cuts]),
            np.stack([known[cut] for cut in cuts]),
            np.array([row for row, _, _ in chunk]),
        )
        for cut, values in zip(cuts, filled, strict=True):
            total[cut] += window[..., None] * values
            weight[cut] += window
    touched = weight > 0
    total[touched] /= weight[touched][:, None]
    return np.where(touched[..., None], total, images)[:, :height, :width]
