"""Perceptual distances by name, each with its network, its weights and its resizing."""

from __future__ import annotations

import dataclasses
import importlib.util
import warnings
from collections.abc import Callable, Mapping
from pathlib import Path
from types import MappingProxyType

import numpy as np

from semantic_inpaint.metrics.validation import validate_images
from semantic_inpaint.models.st_lpips import load_st_lpips

Distance = Callable[[np.ndarray, np.ndarray], np.ndarray]

BATCH_SIZE = 32
NO_RESIZING = "none: images are compared at their own size"


@dataclasses.dataclass(frozen=True)
class PerceptualKind:
    """What a distance is, in words to quote beside its numbers.

    Attributes:
        description: Network, version, weights.
        smallest_side: Of the images, pixels, below which the network has no output.
        resizing: Of the images before the network.
    """

    description: str
    smallest_side: int
    resizing: str = NO_RESIZING


PERCEPTUAL: Mapping[str, PerceptualKind] = MappingProxyType(
    {
        "lpips-alex": PerceptualKind(
            "LPIPS 0.1 (Zhang et al. 2018), AlexNet of torchvision, package lpips", 31
        ),
        "lpips-vgg": PerceptualKind(
            "LPIPS 0.1 (Zhang et al. 2018), VGG16 of torchvision, package lpips", 16
        ),
        "st-lpips-vgg": PerceptualKind(
            "ST-LPIPS 0.0 (Ghildyal and Liu 2022), shift-tolerant VGG16, weights of "
            "the package stlpips-pytorch",
            18,
        ),
    }
)
# What an LPIPS needs.
PACKAGES = ("lpips", "torch", "torchvision")
# The network within each LPIPS, by its names in `lpips` and in torchvision.
_TRUNKS = {
    "lpips-alex": ("alex", "AlexNet_Weights"),
    "lpips-vgg": ("vgg", "VGG16_Weights"),
}


@dataclasses.dataclass(frozen=True, eq=False)
class PerceptualMetric:
    """A distance ready to use.

    Attributes:
        name: A key of `PERCEPTUAL`.
        distance: Of a batch from its originals, both float32 in [0, 1].
    """

    name: str
    distance: Distance

    def __call__(self, images: np.ndarray, reference: np.ndarray) -> np.ndarray:
        """Measure the distance of each image from its original.

        Args:
            images: float `[B, H, W, 3]` in [0, 1].
            reference: float `[B, H, W, 3]` in [0, 1], the originals.

        Returns:
            float64 `[B]`, 0 or more, small where they look alike.

        Raises:
            TypeError: The images are not floating-point.
            ValueError: Shapes differ, images are too small for the network, or a value
                is not finite or out of range.
        """
        validate_images(images, reference, None, 1.0)
        least = PERCEPTUAL[self.name].smallest_side
        if min(images.shape[1:3]) < least or images.shape[3] != 3:
            raise ValueError(
                f"{self.name} needs images [B, H, W, 3] of {least} pixels or more a "
                f"side; got {images.shape}."
            )
        found = [
            self.distance(
                np.float32(images[start : start + BATCH_SIZE]),
                np.float32(reference[start : start + BATCH_SIZE]),
            )
            for start in range(0, len(images), BATCH_SIZE)
        ]
        return np.concatenate(found).astype(np.float64)


def load_perceptual(name: str, *, download: bool = False) -> PerceptualMetric:
    """Load a perceptual distance.

    The package lpips ships what LPIPS learned, five small heads; the network below
    them comes from torchvision, which fetches its weights. That is done only when
    asked for.

    Args:
        name: A key of `PERCEPTUAL`.
        download: Whether weights that are not here yet may be fetched.

    Raises:
        ValueError: No such distance, its package is not installed, or its weights are
            not here and could not, or may not, be fetched.
    """
    if name not in PERCEPTUAL:
        raise ValueError(
            f"no perceptual distance {name!r}; there are {', '.join(PERCEPTUAL)}."
        )
    if name in _TRUNKS:
        return PerceptualMetric(name, _load_lpips(name, download=download))
    return PerceptualMetric(name, load_st_lpips())


def _load_lpips(name: str, *, download: bool) -> Distance:
    if missing := [p for p in PACKAGES if importlib.util.find_spec(p) is None]:
        raise ValueError(
            f"{name} needs {', '.join(missing)}; get it by "
            "`pip install 'semantic-inpaint[perceptual]'`, or leave it out."
        )
    import lpips
    import torch
    import torchvision

    trunk, weights = _TRUNKS[name]
    url = getattr(torchvision.models, weights).IMAGENET1K_V1.url
    file = Path(torch.hub.get_dir()) / "checkpoints" / url.rsplit("/", 1)[-1]
    if not (download or file.exists()):
        raise ValueError(
            f"{name} needs the weights {file.name} of torchvision, which are not in "
            f"{file.parent}. Put them there, or pass `download=True`."
        )
    try:
        # lpips asks for the weights by a name that torchvision gave up, and is warned.
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", UserWarning)
            network = lpips.LPIPS(net=trunk, verbose=False).requires_grad_(False)
    except OSError as error:
        raise ValueError(
            f"the weights {file.name} of {name} could not be fetched ({error}). Put "
            f"them into {file.parent}, or leave {name} out."
        ) from error

    def distance(images: np.ndarray, reference: np.ndarray) -> np.ndarray:
        first, second = (
            torch.from_numpy(np.ascontiguousarray(array.transpose(0, 3, 1, 2)))
            for array in (images, reference)
        )
        return network(first, second, normalize=True).numpy().reshape(-1)

    return distance
