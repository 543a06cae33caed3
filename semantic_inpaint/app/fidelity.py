"""FID, KID and inception score proper, by the Inception network of torch-fidelity."""

from __future__ import annotations

import importlib.util
import tempfile
from collections.abc import Iterable
from pathlib import Path

import numpy as np

from semantic_inpaint.images import save_image
from semantic_inpaint.metrics import InceptionScore, inception_score

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
        folders = [Path(scratch) / name for name in ("generated", "real")]
        counts = [
            _save(images, folder)
            for images, folder in zip((generated, real), folders, strict=True)
        ]
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


def score_of_images(
    images: Iterable[np.ndarray], *, splits: int = 10, seed: int = 0
) -> InceptionScore:
    """Compute the inception score of images; see `metrics.inception_score`.

    The network resizes them to 299 x 299 as TensorFlow 1 did (bilinear, corners not
    aligned, nothing smoothed), which is part of what the score means.

    Args:
        images: uint8 `[H, W, 3]` each, as many as there are splits or more.
        splits: Parts of the set.
        seed: Of the order in which they are dealt to the parts.

    Raises:
        ValueError: torch-fidelity is not installed, or the images are too few.
        OSError: The weights of its network, which it fetches, cannot be had.
    """
    require_fidelity()
    from torch_fidelity.utils import (
        create_feature_extractor,
        extract_featuresdict_from_input_id_cached,
    )

    layer = "logits_unbiased"
    try:
        network = create_feature_extractor(
            "inception-v3-compat", [layer], cuda=False, verbose=False
        )
    except OSError as error:
        raise OSError(
            "the inception score needs the weights of its network, which "
            f"torch-fidelity could not fetch ({error}); leave the score out."
        ) from error
    with tempfile.TemporaryDirectory() as scratch:
        _save(images, Path(scratch))
        found = extract_featuresdict_from_input_id_cached(
            1, network, input1=scratch, cuda=False, cache=False, verbose=False
        )
    return inception_score(found[layer].numpy(), splits=splits, seed=seed)


def _save(images: Iterable[np.ndarray], folder: Path) -> int:
    """Write images as numbered files, and count them."""
    number = -1
    for number, image in enumerate(images):
        save_image(folder / f"{number:06d}.png", image)
    return number + 1
