"""Collapse told by a number: how different samples are, beside real images."""

from __future__ import annotations

import numpy as np

# A run has collapsed if its diversity, once above the first, falls below this share of
# its highest.
GROWN, FALLEN = 0.4, 0.5


class CollapseError(ArithmeticError):
    """The generator makes ever the same image."""


class CollapseWatch:
    """Watches the diversity of samples of the same codes while a GAN is trained."""

    def __init__(self, images: np.ndarray) -> None:
        """Take the real images to compare with, on the scale of the samples."""
        self._images = images
        self._highest = 0.0

    def measure(self, samples: np.ndarray) -> float:
        """Give the relative diversity of samples.

        Raises:
            CollapseError: It has fallen below half of its highest in this run.
        """
        found = relative_diversity(samples, self._images)
        if self._highest >= GROWN and found < FALLEN * self._highest:
            raise CollapseError(
                f"the generator has collapsed: its samples differ by {found:.2f} of "
                f"what faces do, after {self._highest:.2f} before. The state before "
                "is kept; lower the learning rate or raise `r1_gamma`."
            )
        self._highest = max(self._highest, found)
        return found


def relative_diversity(samples: np.ndarray, images: np.ndarray) -> float:
    """Root mean squared distance between samples as a share of that between images.

    Args:
        samples: float `[N, ...]`, generated, two or more.
        images: float `[M, ...]` on the same scale, real, two or more.

    Returns:
        About 1 for a generator as diverse as the images, 0 if all samples are one.
    """
    return _spread(samples) / _spread(images)


def _spread(images: np.ndarray) -> float:
    """Root mean squared distance between two of the images, without the pairs."""
    flat = np.asarray(images, np.float64).reshape(len(images), -1)
    return float(np.sqrt(2.0 * flat.var(axis=0, ddof=1).sum()))
