"""How visible the seam is along which a hole was filled."""

from collections.abc import Iterator

import numpy as np

from semantic_inpaint.metrics.validation import validate_images

# One level of an 8-bit picture. Surroundings flatter than this are flat: dividing by
# what little is left would call any seam beside them infinitely bad.
FLATTEST = 1.0 / 255.0


def seam_energy(images: np.ndarray, known: np.ndarray) -> np.ndarray:
    """Mean absolute difference across the seam, image by image.

    The seam is all pairs of a known pixel and a 4-neighbour of it in the hole; a hole
    at the image border has none beyond it. The mean is over pairs and channels.

    Args:
        images: float `[B, H, W, C]` in [0, 1], completed.
        known: bool `[B, H, W]`, True where the pixel was observed.

    Returns:
        float64 `[B]`, in [0, 1].

    Raises:
        TypeError: The images are not floating-point, or `known` is not boolean.
        ValueError: Shapes differ, a value is not finite or out of range, or an image
            has no seam.
    """
    _validate(images, known)
    return _mean_over(
        (steps, first ^ second)
        for steps, first, second, *_ in _pairs(images, known, known)
    )


def relative_seam_energy(images: np.ndarray, known: np.ndarray) -> np.ndarray:
    """Seam energy in units of the known surroundings: 1 is as smooth as these.

    The surroundings are all pairs of known 4-neighbours of which one, or both, stand
    at the seam. Their mean absolute difference counts as one level of 255 where it is
    less.

    Args:
        images: float `[B, H, W, C]` in [0, 1], completed.
        known: bool `[B, H, W]`, True where the pixel was observed.

    Returns:
        float64 `[B]`, 0 or more; NaN where no known pixel at the seam has a known
        neighbour, so that there is nothing to compare with.

    Raises:
        TypeError: The images are not floating-point, or `known` is not boolean.
        ValueError: Shapes differ, a value is not finite or out of range, or an image
            has no seam.
    """
    energy = seam_energy(images, known)
    beside = _beside_hole(known)
    surroundings = _mean_over(
        (steps, first & second & (first_beside | second_beside))
        for steps, first, second, first_beside, second_beside in _pairs(
            images, known, beside
        )
    )
    return energy / np.maximum(surroundings, FLATTEST)


def _validate(images: np.ndarray, known: np.ndarray) -> None:
    validate_images(images, images, None, 1.0)
    if not isinstance(known, np.ndarray) or known.dtype != np.bool_:
        raise TypeError(
            "`known` must be a boolean array, True where the pixel was observed; got "
            f"{getattr(known, 'dtype', type(known).__name__)}."
        )
    if known.shape != images.shape[:3]:
        raise ValueError(
            f"`known` must have shape [B, H, W] = {images.shape[:3]}; got "
            f"{known.shape}."
        )
    seamless = np.flatnonzero(~_beside_hole(known).any(axis=(1, 2)))
    if seamless.size:
        raise ValueError(
            f"image(s) {seamless[:8].tolist()} have no seam: all of their pixels are "
            "known, or none is. Leave them out."
        )


def _beside_hole(known: np.ndarray) -> np.ndarray:
    """Find the known pixels with a 4-neighbour in the hole."""
    beyond = np.pad(~known, ((0, 0), (1, 1), (1, 1)))
    near = (
        beyond[:, :-2, 1:-1]
        | beyond[:, 2:, 1:-1]
        | beyond[:, 1:-1, :-2]
        | beyond[:, 1:-1, 2:]
    )
    return known & near


def _pairs(
    images: np.ndarray, known: np.ndarray, beside: np.ndarray
) -> Iterator[tuple[np.ndarray, ...]]:
    """Yield, down and to the right, of each pair of neighbours: step and both flags."""
    for first, second in (
        (np.s_[:, :-1], np.s_[:, 1:]),
        (np.s_[:, :, :-1], np.s_[:, :, 1:]),
    ):
        steps = images[second].astype(np.float64) - images[first]
        yield (
            np.abs(steps).mean(axis=-1),
            known[first],
            known[second],
            beside[first],
            beside[second],
        )


def _mean_over(parts: Iterator[tuple[np.ndarray, np.ndarray]]) -> np.ndarray:
    """Average the steps of the pairs that count; NaN where there is none."""
    total, count = 0.0, 0
    for steps, counted in parts:
        total = total + (steps * counted).sum(axis=(1, 2))
        count = count + counted.sum(axis=(1, 2))
    return np.divide(total, count, out=np.full_like(total, np.nan), where=count > 0)
