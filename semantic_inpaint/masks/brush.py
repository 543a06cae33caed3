"""One stroke of a round brush, after DeepFill v2.

Yu et al. 2019, "Free-form image inpainting with gated convolution", algorithm 1, with
the constants of the authors' public code. Nothing is drawn but the raw bits of the bit
generator, whose stream NumPy keeps from version to version, and strokes are painted in
whole numbers: a stroke is the same wherever it is made.
"""

import dataclasses
import itertools
import math
from statistics import NormalDist

import numpy as np

# Strokes lie on a grid so much finer than the pixels that their shape is kept, and so
# coarse that what the last bit of a sine says on another machine is rounded away.
_GRID = 16


@dataclasses.dataclass(frozen=True)
class BrushOptions:
    """How strokes are drawn; a range holds both its ends.

    Attributes:
        num_pieces: Straight pieces of a stroke.
        mean_angle: Between a piece and the rows of the image, in radians; the pieces
            run up and down in turns.
        angle_range: The angles of a stroke lie in an interval about the mean; each of
            its two ends is drawn within this distance of the mean.
        mean_length: Of a piece, as a share of the image's diagonal.
        length_spread: Standard deviation of the length as a share of its mean; what
            lies below zero or above twice the mean is moved there.
        thickness: Of a stroke in pixels, in a square image of `reference_size`.
        reference_size: Side of the images that the thickness is given for.
    """

    num_pieces: tuple[int, int] = (4, 11)
    mean_angle: float = 2 * math.pi / 5
    angle_range: float = 2 * math.pi / 15
    mean_length: float = 1 / 8
    length_spread: float = 0.5
    thickness: tuple[int, int] = (12, 39)
    reference_size: int = 256


BRUSH = BrushOptions()
"""The brush of DeepFill v2."""


def paint_stroke(
    hole: np.ndarray,
    rng: np.random.Generator,
    *,
    margins: tuple[int, int] | None = None,
) -> None:
    """Add one stroke to a hole.

    It begins anywhere and is mirrored at random in both directions. The original
    mirrors whole masks; here each stroke is mirrored by itself, as many that all run to
    the right would pile up there.

    Args:
        hole: bool `[H, W]`, True where the pixel is missing; changed in place.
        rng: Source of all choices, of 64 bits at a time (`default_rng` is).
        margins: Rows and columns that stay clear at either end, by a stroke that turns
            back in time; None: the brush's centre stays in the image, as in the
            original, and the stroke is cut off at the image's border.
    """
    diagonal = math.hypot(*hole.shape)
    pixel = diagonal / math.hypot(BRUSH.reference_size, BRUSH.reference_size)
    thickness = max(1.0, pixel * uniform_integer(rng, *BRUSH.thickness))
    radius = round(_GRID * thickness / 2)
    lows = [0, 0] if margins is None else [_GRID * m + radius for m in margins]
    highs = [_GRID * side - low for side, low in zip(hole.shape, lows, strict=True)]
    bounds = list(zip(lows, highs, strict=True))
    for start, end in itertools.pairwise(_vertices(bounds, diagonal, rng)):
        _paint_piece(hole, start, end, radius)


def uniform(rng: np.random.Generator) -> float:
    """Draw from the open interval (0, 1): the upper 52 of 64 raw bits."""
    return ((int(rng.bit_generator.random_raw()) >> 12) + 0.5) * 2.0**-52


def uniform_integer(rng: np.random.Generator, low: int, high: int) -> int:
    """Draw a whole number from `low` to `high`, both included."""
    return low + int((high - low + 1) * uniform(rng))


def _vertices(
    bounds: list[tuple[int, int]], diagonal: float, rng: np.random.Generator
) -> list[tuple[int, int]]:
    """Draw the corners of a stroke: row and column each, in units of the grid."""
    least = BRUSH.mean_angle - BRUSH.angle_range * uniform(rng)
    most = BRUSH.mean_angle + BRUSH.angle_range * uniform(rng)
    downwards, rightwards = (1 if uniform(rng) < 0.5 else -1 for _ in range(2))
    vertices = [tuple(low + round((high - low) * uniform(rng)) for low, high in bounds)]
    for piece in range(uniform_integer(rng, *BRUSH.num_pieces)):
        angle = least + (most - least) * uniform(rng)
        length = NormalDist(1.0, BRUSH.length_spread).inv_cdf(uniform(rng))
        length = _GRID * BRUSH.mean_length * diagonal * min(max(length, 0.0), 2.0)
        turn = downwards if piece % 2 else -downwards
        moves = turn * length * math.sin(angle), rightwards * length * math.cos(angle)
        vertices.append(
            tuple(
                min(max(place + round(move), low), high)
                for place, move, (low, high) in zip(
                    vertices[-1], moves, bounds, strict=True
                )
            )
        )
    return vertices


def _paint_piece(
    hole: np.ndarray, start: tuple[int, int], end: tuple[int, int], radius: int
) -> None:
    """Add all pixels whose centre is within `radius` of a straight line, exactly.

    Lengths are in units of the grid. A round brush that moves along the line paints
    just these: a strip, and a disc at either end.
    """
    box, centres = [], []
    for side, a, b in zip(hole.shape, start, end, strict=True):
        first = max(0, (min(a, b) - radius) // _GRID)
        behind = min(side, (max(a, b) + radius) // _GRID + 1)
        box.append(slice(first, behind))
        centres.append(_GRID * np.arange(first, behind) + _GRID // 2)
    rows, columns = centres[0][:, None], centres[1]
    height, width = end[0] - start[0], end[1] - start[1]
    length_squared = height**2 + width**2
    down, across = rows - start[0], columns - start[1]
    along = down * height + across * width
    beside = np.abs(down * width - across * height)
    strip = (along > 0) & (along < length_squared)
    strip &= beside <= math.isqrt(radius**2 * length_squared)
    discs = down**2 + across**2 <= radius**2
    discs |= (rows - end[0]) ** 2 + (columns - end[1]) ** 2 <= radius**2
    hole[tuple(box)] |= strip | discs
