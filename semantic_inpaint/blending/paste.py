"""The composite without blending, and the checks that every blender shares."""

import numpy as np
from numpy.typing import ArrayLike


def paste(generated: ArrayLike, observed: ArrayLike, known: ArrayLike) -> np.ndarray:
    """Fill the hole with the generated pixels as they are: `M * y + (1 - M) * x_g`.

    Args:
        generated: float `[B, H, W, C]`, `x_g`; finite.
        observed: `[B, H, W, C]` of the same dtype, `y`; finite on the known pixels.
            What stands in the hole is never used and may be NaN.
        known: bool `[B, H, W]`, True where the pixel is observed.

    Returns:
        The dtype of `generated`, `[B, H, W, C]`: `observed` on the known pixels and
        `generated` in the hole, both bit-exact.

    Raises:
        TypeError: An image is not floating point, the two dtypes differ, or `known`
            is not bool.
        ValueError: The shapes do not fit, or a pixel that is used is not finite.
    """
    generated, observed, known = check_inputs(generated, observed, known)
    return compose(generated, observed, known)


def compose(
    generated: np.ndarray, observed: np.ndarray, known: np.ndarray
) -> np.ndarray:
    """Do the work of `paste` on checked arrays; `known` is `[B, H, W]` or `[H, W]`.

    The result is in C order whatever the inputs are, for callers that reshape it.
    """
    return np.ascontiguousarray(np.where(known[..., None], observed, generated))


def check_inputs(
    generated: ArrayLike, observed: ArrayLike, known: ArrayLike
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Check what goes into a blender; `paste` lists the rules and the errors.

    Returns:
        The three inputs as NumPy arrays.
    """
    generated, observed = np.asarray(generated), np.asarray(observed)
    known = np.asarray(known)
    _check_types(generated, observed, known)
    if generated.ndim != 4 or observed.shape != generated.shape:
        raise ValueError(
            "`generated` and `observed` must have one shape [B, H, W, C]; got "
            f"{generated.shape} and {observed.shape}. For a single image add a batch "
            "axis: `image[None]`."
        )
    if known.shape != generated.shape[:3]:
        raise ValueError(
            f"`known` must have the shape [B, H, W] = {generated.shape[:3]}; got "
            f"{known.shape}. For one pattern on all images use "
            "`np.broadcast_to(known, images.shape[:3])`."
        )
    _check_finite("generated", np.isfinite(generated))
    _check_finite("observed", np.isfinite(observed) | ~known[..., None])
    return generated, observed, known


def check_hole_patterns(known: np.ndarray) -> None:
    """Raise `ValueError` for a pattern (`[..., H, W]`) without any known pixel.

    Such an image gives the blending problem no boundary value.
    """
    empty = ~known.any(axis=(-2, -1))
    if empty.any():
        where = f" in image(s) {np.flatnonzero(empty).tolist()}" if empty.ndim else ""
        raise ValueError(
            f"`known` has no observed pixel{where}: blending needs at least one to "
            "fix the brightness. Keep the generated image there instead."
        )


def _check_types(
    generated: np.ndarray, observed: np.ndarray, known: np.ndarray
) -> None:
    """Images floating point and alike, `known` bool."""
    if not np.issubdtype(generated.dtype, np.floating):
        raise TypeError(
            f"`generated` must be floating point; got {generated.dtype}. Convert it "
            "first, for example uint8 with `images.astype(np.float32) / 255`."
        )
    if observed.dtype != generated.dtype:
        raise TypeError(
            f"`observed` must have the dtype of `generated`, {generated.dtype}; got "
            f"{observed.dtype}. Convert it with `observed.astype(generated.dtype)`."
        )
    if known.dtype != np.bool_:
        raise TypeError(
            f"`known` must be bool (True = observed); got {known.dtype}. "
            "Compare first, for example `known = values > 0.5`."
        )


def _check_finite(name: str, finite: np.ndarray) -> None:
    """Name the images with a value that is not finite where one is used."""
    bad = np.flatnonzero(~finite.all(axis=(1, 2, 3)))
    if bad.size:
        where = " on known pixels" if name == "observed" else ""
        raise ValueError(
            f"`{name}` must be finite{where}; got NaN or infinity in image(s) "
            f"{bad.tolist()}. Leave these images out or mend them first."
        )
