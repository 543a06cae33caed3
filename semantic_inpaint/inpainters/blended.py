"""From codes to a completed picture: the end of every method with a prior."""

from __future__ import annotations

import numpy as np

from semantic_inpaint.blending import poisson_blend
from semantic_inpaint.models.prior import GenerativePrior
from semantic_inpaint.problem import HOLE_VALUE, InpaintingProblem


def check_size(problem: InpaintingProblem, prior: GenerativePrior) -> None:
    """Check that a prior can make the images of a problem.

    Raises:
        ValueError: They are of another size.
    """
    side = prior.image_size
    height, width = problem.images.shape[1:3]
    if (height, width) != (side, side):
        raise ValueError(
            f"the prior {prior.name!r} makes {side}x{side} images; got "
            f"{height}x{width}. Fit them with `images.fit_image`."
        )


def generate_and_blend(
    prior: GenerativePrior,
    codes: np.ndarray,
    problem: InpaintingProblem,
    *,
    operator: str,
    solver: str,
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Generate, and blend into the known pixels (Malesevic et al., eq. 6).

    Args:
        prior: Makes the images.
        codes: float32 `[B, latent_dim]`.
        problem: The known pixels.
        operator: Of the blend, see `poisson_blend`.
        solver: Of the blend.

    Returns:
        See `blend_generated`.
    """
    generated = prior.generate(codes)
    # Some processors' rectifiers make 0 of what is no number, and an image of nothing.
    generated[~np.isfinite(codes).all(axis=1)] = np.nan
    return blend_generated(generated, problem, operator=operator, solver=solver)


def blend_generated(
    generated: np.ndarray, problem: InpaintingProblem, *, operator: str, solver: str
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Blend generated images into the known pixels (Malesevic et al., eq. 6).

    An image that the generator cannot make becomes grey, so that it spoils no other;
    overshoot of the blend is cut off.

    Args:
        generated: float32 `[B, H, W, 3]` in [0, 1], or not finite.
        problem: The known pixels.
        operator: Of the blend, see `poisson_blend`.
        solver: Of the blend.

    Returns:
        The generated and the blended images, float32 `[B, H, W, 3]` in [0, 1], and
        whether each could be generated, bool `[B]`.
    """
    finite = np.isfinite(generated).all(axis=(1, 2, 3))
    generated = np.nan_to_num(generated, nan=HOLE_VALUE, posinf=1.0, neginf=0.0)
    blended = poisson_blend(
        generated, problem.images, problem.known, operator=operator, solver=solver
    )
    return generated, np.clip(blended, 0.0, 1.0), finite
