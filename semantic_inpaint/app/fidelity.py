"""FID and KID proper, by torch-fidelity and its Inception network, where installed."""

from __future__ import annotations

import importlib.util
import tempfile
from collections.abc import Iterable
from pathlib import Path

import numpy as np

from semantic_inpaint.images import save_image

SUBSET_SIZE = 1000


def require_fidelity() -> None:
    """Check that torch-fidelity is there, before hours are spent.

    Raises:
        ValueError: It is not installed.
    """
    if importlib.util.find_spec("torch_fidelity") is None:
        raise ValueError(
            "--fidelity needs torch-fidelity (and PyTorch); get it by "
            "`pip install 'semantic-inpaint[fidelity]'`, or leave --fidelity out."
        )


def inception_distances(
    generated: Iterable[np.ndarray], real: Iterable[np.ndarray], *, seed: int
) -> dict[str, float]:
    """Compute FID and KID of images, which torch-fidelity reads from files.

    Args:
        generated: uint8 `[H, W, 3]` each.
        real: uint8 `[H, W, 3]` each.
        seed: Of the subsets of the KID.

    Returns:
        `"fid"`, `"kid"` and `"kid_deviation"` over its subsets.

    Raises:
        OSError: The weights of its network, which it fetches, cannot be had.
    """
    import torch_fidelity

    with tempfile.TemporaryDirectory() as scratch:
        counts, folders = [], []
        for name, images in (("generated", generated), ("real", real)):
            folders.append(Path(scratch) / name)
            number = -1
            for number, image in enumerate(images):
                save_image(folders[-1] / f"{number:06d}.png", image)
            counts.append(number + 1)
        found = torch_fidelity.calculate_metrics(
            input1=str(folders[0]),
            input2=str(folders[1]),
            fid=True,
            kid=True,
            kid_subset_size=min(SUBSET_SIZE, *counts),
            cuda=False,
            cache=False,
            rng_seed=seed,
            verbose=False,
        )
    return {
        "fid": float(found["frechet_inception_distance"]),
        "kid": float(found["kernel_inception_distance_mean"]),
        "kid_deviation": float(found["kernel_inception_distance_std"]),
    }
