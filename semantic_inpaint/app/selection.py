"""The best of many generated images: with a face in them, and the most like real."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable

import numpy as np

from semantic_inpaint.images import to_uint8
from semantic_inpaint.metrics import finds_face, realism_scores
from semantic_inpaint.models.prior import GENERATE_BATCH, GenerativePrior

# Other codes than those that a search starts from, or that an evaluation draws.
CODE_STREAM = 3
NEIGHBOURS = 3
RULE = (
    "As many codes as there are candidates are drawn with the seed, and an image is "
    "generated from each and rounded to 8 bits. Those in which the detector finds no "
    "face are left out. The score of each other one is its realism (Kynkaanniemi et "
    "al. 2019, eq. 4) among the real images, in the space of features: the largest "
    "ratio of the distance from a real image to its k-th nearest real neighbour, over "
    "the distance from that real image to the generated one; real images for which the "
    "former distance is above the median do not count. Those with the highest scores "
    "are kept, in the order of drawing (of equal ones the earlier); nothing was "
    "chosen, left out or changed by hand."
)


@dataclasses.dataclass(frozen=True, eq=False)
class Selection:
    """Images in the order of drawing, and what they were chosen from.

    Attributes:
        images: uint8 `[B, H, W, 3]`.
        scores: float64 `[B]`, their realism.
        numbers: int64 `[B]`, of their codes.
        num_faces: Candidates in which a face was found.
        highest_left_out: Of the scores of those; None where all were kept.
    """

    images: np.ndarray
    scores: np.ndarray
    numbers: np.ndarray
    num_faces: int
    highest_left_out: float | None


def select_faces(
    prior: GenerativePrior,
    real: np.ndarray,
    space: Callable[[np.ndarray], np.ndarray],
    *,
    count: int,
    candidates: int,
    seed: int,
) -> Selection:
    """Draw images and keep the best by `RULE`.

    Args:
        prior: Generates them.
        real: uint8 `[N, H, W, 3]`, more than `NEIGHBOURS` real images, of one size
            with the generated.
        space: Of features: a function from uint8 `[B, H, W, 3]` to `[B, D]`.
        count: Images to keep, 1 or more.
        candidates: Images to draw, `count` or more.
        seed: Of the codes, 0 or more.

    Returns:
        The `count` images.

    Raises:
        ValueError: A face is found in fewer than `count` images, or `real` has too few.
    """
    images = generate_candidates(prior, candidates, seed=seed)
    numbers = np.flatnonzero(finds_face(images))
    if len(numbers) < count:
        raise ValueError(
            f"a face was found in {len(numbers)} of {candidates} candidates, fewer "
            f"than the {count} to keep; raise --candidates, lower --count, or train "
            "the prior for longer."
        )
    features = space(images[numbers])
    scores = realism_scores(space(real), features, neighbours=NEIGHBOURS)
    kept, highest = best_of(scores, count)
    return Selection(
        images[numbers[kept]], scores[kept], numbers[kept], len(numbers), highest
    )


def generate_candidates(
    prior: GenerativePrior, candidates: int, *, seed: int
) -> np.ndarray:
    """Generate images with the codes of `CODE_STREAM`, only their 8 bits in memory.

    Args:
        prior: Generates them.
        candidates: Their number, 1 or more.
        seed: Of the codes.

    Returns:
        uint8 `[candidates, H, W, 3]`.
    """
    side = prior.image_size
    images = np.empty((candidates, side, side, 3), np.uint8)
    for start in range(0, candidates, GENERATE_BATCH):
        numbers = np.arange(start, min(start + GENERATE_BATCH, candidates))
        codes = prior.codes_for(numbers, seed=seed, stream=CODE_STREAM)
        images[numbers] = to_uint8(prior.generate(codes))
    return images


def best_of(scores: np.ndarray, count: int) -> tuple[np.ndarray, float | None]:
    """Find the `count` highest scores, of equal ones the earlier.

    Args:
        scores: float `[N]`, `count` or more.
        count: 1 or more.

    Returns:
        int64 `[count]`, increasing; and the highest score that is not among them.
    """
    order = np.argsort(-scores, kind="stable")
    highest = float(scores[order[count]]) if count < len(order) else None
    return np.sort(order[:count]), highest
