"""Poisson blending by a sparse factorisation, made once for each hole pattern.

With the correction `e = x - x_g`, the problem `min ||D e||^2` subject to
`e = y - x_g` on the known pixels has the normal equations

    (D_h^T D_h) e_h = -(D_h^T D_k) e_k

(`h`: columns of the hole, `k`: columns of the known pixels). The matrix depends on
the pattern and on D alone, so that every image and channel with the same hole costs
two triangular solves.
"""

from functools import lru_cache

import numpy as np
from scipy import sparse
from scipy.sparse.linalg import splu

from semantic_inpaint.blending.gradients import check_operator, difference_operator
from semantic_inpaint.blending.paste import check_hole_patterns, compose

_MAX_CACHED_PATTERNS = 16
_MAX_CACHED_HOLE = 2**14
"""Larger holes (in pixels) are not kept: their factors take up to gigabytes."""
_COLUMNS = 32
"""Right-hand sides solved at once for a whole matrix: much faster than all together."""


class PoissonSolver:
    """The factorised blending problem of one hole pattern."""

    def __init__(self, known: np.ndarray, operator: str = "gradient") -> None:
        """Factorise the normal equations of the hole pixels.

        Args:
            known: bool `[H, W]`, True where the pixel is observed.
            operator: One of `gradients.OPERATORS`.

        Raises:
            ValueError: `operator` is unknown, or no pixel is known, so that there is
                no boundary value.
        """
        check_operator(operator)
        check_hole_patterns(known)
        self._known = known.copy()
        self._hole = np.flatnonzero(~known)
        if not self._hole.size:
            return
        hole_rows = _normal_matrix(*known.shape, operator)[self._hole]

        # Only known pixels within reach of the hole take part: the rim.
        touched = np.zeros(known.size, dtype=bool)
        touched[hole_rows.indices] = True
        self._rim = np.flatnonzero(touched & known.ravel())
        self._coupling = hole_rows[:, self._rim]

        # The matrix is symmetric and positive definite: order it by A^T + A and keep
        # the pivots on the diagonal; the factors then fill in little.
        self._factor = splu(
            hole_rows[:, self._hole].tocsc(),
            permc_spec="MMD_AT_PLUS_A",
            diag_pivot_thresh=0.0,
            options={"SymmetricMode": True},
        )

    def solve(self, generated: np.ndarray, observed: np.ndarray) -> np.ndarray:
        """Blend a batch of images that all have this hole.

        Args:
            generated: float `[B, H, W, C]`, finite.
            observed: `[B, H, W, C]` of the same dtype, finite on the known pixels.

        Returns:
            The dtype of `generated`, `[B, H, W, C]`, computed in float64; known
            pixels are those of `observed`. An image's result does not depend on the
            rest of its batch, to the last bit.

        Raises:
            ValueError: The images do not have the shape of the pattern.
        """
        size = self._known.shape
        if generated.shape[1:3] != size or observed.shape != generated.shape:
            raise ValueError(
                f"`generated` and `observed` must be [B, {size[0]}, {size[1]}, C] like "
                f"the hole pattern; got {generated.shape} and {observed.shape}. "
                "Build a solver for this image size."
            )
        blended = compose(generated, observed, self._known)
        for image, source in zip(blended, generated, strict=True):
            self.fill(image, source)
        return blended

    def fill(self, image: np.ndarray, generated: np.ndarray) -> None:
        """Blend one image in place.

        All its channels go into one solve, but no other image: the dense kernels
        inside SuperLU round differently for another number of right-hand sides.

        Args:
            image: float `[H, W, C]` in C order, the unblended composite
                (`paste.compose`): observed where known, generated in the hole.
            generated: `[H, W, C]` of the same dtype, `x_g`.
        """
        if not self._hole.size:
            return
        pixels = image.reshape(self._known.size, -1)
        source = generated.reshape(self._known.size, -1)
        offset = pixels.take(self._rim, axis=0).astype(np.float64)
        offset -= source.take(self._rim, axis=0)
        correction = self._factor.solve(-(self._coupling @ offset))
        pixels[self._hole] = pixels.take(self._hole, axis=0) + correction

    def extension(self) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Write the blend as a matrix: `x_hole = x_g_hole + H (y - x_g)_rim`.

        Returns:
            H, float64 `[n, r]`, and the places of its rows and columns among the
            pixels in C order, int `[n]` (the hole) and `[r]` (its rim: the known
            pixels within reach of D).
        """
        if not self._hole.size:
            return np.zeros((0, 0)), self._hole, self._hole
        right = -self._coupling.toarray()
        matrix = np.empty_like(right)
        for start in range(0, right.shape[1], _COLUMNS):
            columns = slice(start, start + _COLUMNS)
            matrix[:, columns] = self._factor.solve(right[:, columns])
        return matrix, self._hole.copy(), self._rim.copy()


def cached_solver(known: np.ndarray, operator: str) -> PoissonSolver:
    """Return the `PoissonSolver` of a pattern, factorised anew only if not at hand.

    The last 16 patterns are kept, holes over 16384 pixels excepted.

    Args:
        known: bool `[H, W]`, True where the pixel is observed.
        operator: One of `gradients.OPERATORS`.

    Raises:
        ValueError: As for `PoissonSolver`.
    """
    if np.count_nonzero(~known) > _MAX_CACHED_HOLE:
        return PoissonSolver(known, operator)
    return _solver_of_pattern(np.packbits(known).tobytes(), known.shape, operator)


@lru_cache(maxsize=_MAX_CACHED_PATTERNS)
def _solver_of_pattern(
    pattern: bytes, shape: tuple[int, int], operator: str
) -> PoissonSolver:
    """`PoissonSolver` of a bit-packed pattern: hashable arguments for the cache."""
    height, width = shape
    bits = np.unpackbits(np.frombuffer(pattern, np.uint8), count=height * width)
    return PoissonSolver(bits.astype(bool).reshape(shape), operator)


@lru_cache(maxsize=4)
def _normal_matrix(height: int, width: int, operator: str) -> sparse.csr_array:
    """`D^T D` of the whole image, shared by all patterns of that size."""
    difference = difference_operator(height, width, operator)
    return sparse.csr_array(difference.T @ difference)
