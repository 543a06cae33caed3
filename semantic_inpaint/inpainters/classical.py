"""Filling without a network: the floors that every learned method has to beat."""

from __future__ import annotations

import dataclasses
import threading
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from semantic_inpaint.images import to_uint8
from semantic_inpaint.inpainters.stages import Watcher
from semantic_inpaint.problem import HOLE_VALUE, InpaintingProblem, InpaintingResult

# From `[H, W, 3]` in [0, 1], its hole in the mean colour, and where the hole is (bool
# `[H, W]`), to the filled image; only its hole is looked at.
Fill = Callable[[np.ndarray, np.ndarray], np.ndarray]

# Pixels round each point that OpenCV looks at, as in its own examples.
RADIUS = 3
# Patches of 7 x 7, as in the examples of the package.
PATCH_RADIUS = 3
# The package keeps one random state for the process, which every search begins anew.
_PATCHMATCH_LOCK = threading.Lock()
_EXTRA = "pip install 'semantic-inpaint[benchmark]'"


@dataclasses.dataclass(frozen=True, eq=False)
class ClassicalInpainter:
    """A method that sees one image and nothing else.

    Attributes:
        method: Its name.
        fill: Fills one image.
        settings: Its constants.
    """

    method: str
    fill: Fill
    settings: Mapping[str, Any]

    @property
    def num_steps(self) -> int:
        """What `progress` counts up to for each problem."""
        return 1

    def inpaint(
        self,
        problem: InpaintingProblem,
        *,
        seed: int = 0,
        progress: Callable[[str, int], None] | None = None,
        watch: Watcher | None = None,
    ) -> InpaintingResult:
        """Fill the holes, image by image.

        Args:
            problem: Images of any size.
            seed: Taken as by every method, and without effect: nothing is drawn.
            progress: Called with `"fill"` and 1 at the end.
            watch: Taken as by every method, and never called: nothing is searched.

        Returns:
            The completed images; `generated` is the same, as nothing is blended. The
            status is `"converged"`, or `"nonfinite"` where the library gave no number;
            such a hole is grey.
        """
        completed = problem.images.copy()
        finite = np.ones(len(problem), bool)
        for row, hole in enumerate(problem.hole):
            # OpenCV reads in a hole that touches the border: there let it find nothing
            # but the colour that does least harm.
            image = problem.images[row].copy()
            image[hole] = mean_colour(image, hole)
            filled = self.fill(image, hole)[hole]
            finite[row] = np.isfinite(filled).all()
            filled = np.clip(filled, 0.0, 1.0) if finite[row] else HOLE_VALUE
            completed[row][hole] = filled
        if progress is not None:
            progress("fill", 1)
        return InpaintingResult(
            completed=completed,
            generated=completed,
            stages={"masked": problem.images},
            status=tuple(
                "converged" if good else "nonfinite" for good in finite.tolist()
            ),
        )


def mean_colour(image: np.ndarray, hole: np.ndarray) -> np.ndarray:
    """Average the known pixels of `[H, W, 3]`; float32 `[3]`."""
    return image[~hole].mean(axis=0, dtype=np.float64).astype(np.float32)


def make_mean() -> ClassicalInpainter:
    """Fill with the mean colour of the known pixels."""

    def fill(image: np.ndarray, hole: np.ndarray) -> np.ndarray:
        return np.broadcast_to(mean_colour(image, hole), image.shape)

    return ClassicalInpainter("mean", fill, {})


def make_biharmonic() -> ClassicalInpainter:
    """Solve the biharmonic equation in the hole (scikit-image)."""
    from skimage.restoration import inpaint_biharmonic

    def fill(image: np.ndarray, hole: np.ndarray) -> np.ndarray:
        return inpaint_biharmonic(image.astype(np.float64), hole, channel_axis=-1)

    return ClassicalInpainter("biharmonic", fill, {})


def make_telea() -> ClassicalInpainter:
    """March inwards from the rim (Telea 2004; OpenCV, on 8-bit images).

    Raises:
        ImportError: OpenCV is not installed.
    """
    return _opencv("telea", "INPAINT_TELEA")


def make_navier_stokes() -> ClassicalInpainter:
    """Continue the lines of equal brightness (Bertalmio et al. 2001; OpenCV, 8 bits).

    Raises:
        ImportError: OpenCV is not installed.
    """
    return _opencv("navier-stokes", "INPAINT_NS")


def make_patchmatch() -> ClassicalInpainter:
    """Copy patches of the known pixels (Barnes et al. 2009; PyPatchMatch, 8 bits).

    Raises:
        ImportError: PyPatchMatch is not installed, or came without its library.
    """
    try:
        import patchmatch
    except ImportError as error:
        raise _missing("patchmatch", "PyPatchMatch (for Python 3.11 or later)") from (
            error
        )
    if not patchmatch.patchmatch_available:
        raise _missing("patchmatch", "PyPatchMatch with its compiled library")

    def fill(image: np.ndarray, hole: np.ndarray) -> np.ndarray:
        # It begins at the package's own seed: equal images, equal answers.
        with _PATCHMATCH_LOCK:
            filled = patchmatch.inpaint(to_uint8(image), hole, patch_size=PATCH_RADIUS)
        return np.asarray(filled, np.float32) / np.float32(255)

    settings = {"patch_radius": PATCH_RADIUS}
    return ClassicalInpainter("patchmatch", fill, settings)


CLASSICAL: Mapping[str, Callable[[], ClassicalInpainter]] = {
    "mean": make_mean,
    "biharmonic": make_biharmonic,
    "telea": make_telea,
    "navier-stokes": make_navier_stokes,
    "patchmatch": make_patchmatch,
}


def _opencv(method: str, flag: str) -> ClassicalInpainter:
    try:
        import cv2
    except ImportError as error:
        raise _missing(method, "OpenCV (opencv-python-headless)") from error
    algorithm = getattr(cv2, flag)

    def fill(image: np.ndarray, hole: np.ndarray) -> np.ndarray:
        filled = cv2.inpaint(to_uint8(image), hole.astype(np.uint8), RADIUS, algorithm)
        return filled.astype(np.float32) / np.float32(255)

    return ClassicalInpainter(method, fill, {"radius": RADIUS})


def _missing(method: str, what: str) -> ImportError:
    return ImportError(
        f"the method {method!r} needs {what}, which is not installed; install it with "
        f"{_EXTRA}, or leave the method out."
    )
