"""The shift-tolerant LPIPS of VGG16, between pairs of images, without PyTorch.

With the weights of stlpips-pytorch 0.0.2 it gives what that package does, to 1e-8.
"""

from __future__ import annotations

import dataclasses
import functools
from collections.abc import Callable

import keras
import numpy as np
from keras import ops

from semantic_inpaint import backend
from semantic_inpaint.metrics.perceptual import perceptual_distance
from semantic_inpaint.models.vgg import (
    BATCH_SIZE,
    WIDTHS,
    FeatureSpace,
    load_vgg_features,
)


@dataclasses.dataclass(frozen=True, eq=False)
class ShiftTolerantLpips:
    """ST-LPIPS (Ghildyal and Liu 2022): LPIPS with blurred instead of strided pools.

    Attributes:
        network: `[B, H, W, 3]` in [0, 1] `->` five arrays `[B, h, w, C]`, the last
            ReLU of each block.
        importances: Of each block float32 `[C]`.
    """

    network: keras.Model
    importances: tuple[np.ndarray, ...]

    def __call__(self, images: np.ndarray, reference: np.ndarray) -> np.ndarray:
        """Measure the distance of each image from its original.

        Args:
            images: float `[B, H, W, 3]` in [0, 1], used at their own size, sides of
                18 pixels or more.
            reference: float `[B, H, W, 3]` in [0, 1], the originals.

        Returns:
            float64 `[B]`, 0 or more.
        """
        found = []
        for start in range(0, len(images), BATCH_SIZE):
            rows = slice(start, start + BATCH_SIZE)
            both = (self._activations(images[rows]), self._activations(reference[rows]))
            found.append(perceptual_distance(*both, self.importances))
        return np.concatenate(found)

    def _activations(self, images: np.ndarray) -> list[np.ndarray]:
        return [ops.convert_to_numpy(x) for x in self._compiled(np.float32(images))]

    @functools.cached_property
    def _compiled(self) -> Callable:
        return backend.compile_function(lambda x: self.network(x, training=False))


def make_st_lpips(space: FeatureSpace) -> ShiftTolerantLpips:
    """Take the network and the importances from the features of `models.vgg`."""
    means = [space.network.get_layer(f"mean_{i + 1}") for i in range(len(WIDTHS))]
    return ShiftTolerantLpips(
        keras.Model(space.network.input, [mean.input for mean in means]),
        tuple(ops.convert_to_numpy(mean.importance) for mean in means),
    )


def load_st_lpips() -> ShiftTolerantLpips:
    """Load it with the installed weights.

    Raises:
        ValueError: The package with the weights is not installed, or holds others.
    """
    return make_st_lpips(load_vgg_features())
