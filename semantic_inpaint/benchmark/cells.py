"""What a benchmark is made of: images, kinds of holes, and the keys of the answers."""

from __future__ import annotations

import dataclasses
import hashlib
import json
from typing import Any, Protocol

import numpy as np


@dataclasses.dataclass(frozen=True, eq=False)
class ImageSet:
    """The images that every method is asked for.

    Attributes:
        pixels: float32 `[B, H, W, 3]` in [0, 1].
        names: Unique, fit for a file's name.
        numbers: int64 `[B]`, 0 or more: what is drawn at random for an image depends
            on the seed and on its number.
        name: Of the set.
        sha256: Of the set: two benchmarks go into one folder only if it is the same.
    """

    pixels: np.ndarray
    names: tuple[str, ...]
    numbers: np.ndarray
    name: str
    sha256: str

    def __len__(self) -> int:
        """Count the images."""
        return len(self.pixels)


@dataclasses.dataclass(frozen=True, eq=False)
class HoleBatch:
    """One hole for each image.

    Attributes:
        known: bool `[B, H, W]`.
        ids: Which hole of its kind each is.
        consensus_weight: mu of the paper for this kind; None: by the share missing.
    """

    known: np.ndarray
    ids: tuple[str, ...]
    consensus_weight: float | None


class HoleSource(Protocol):
    """One kind of holes; `benchmark.hole_sources` has them."""

    @property
    def name(self) -> str:
        """What the kind is called in the records."""
        ...

    @property
    def identity(self) -> dict[str, Any]:
        """What tells it from another kind of the same name; fit for JSON."""
        ...

    def holes(self, images: ImageSet, *, seed: int) -> HoleBatch:
        """Give each image its hole, a function of the seed and its number alone."""
        ...


@dataclasses.dataclass(frozen=True, eq=False)
class MethodIdentity:
    """Everything about a method that decides its answers.

    Attributes:
        name: In the registry.
        options: Its constants, fit for JSON.
        prior: Hash of its prior's weights, or None.
        encoder: Hash of its encoder's weights, or None.
    """

    name: str
    options: dict[str, Any]
    prior: str | None = None
    encoder: str | None = None

    @property
    def options_sha256(self) -> str:
        """Hash of the options."""
        return digest_of(self.options)


def answer_keys(
    method: MethodIdentity,
    stage: str,
    *,
    mask: str,
    known_digests: list[str],
    image_digests: list[str],
    numbers: np.ndarray,
    seed: int,
) -> list[str]:
    """Name the answers to some problems by everything that decides them, and the mask.

    Neither versions nor times are part of it, nor what changes an answer by rounding
    only, as the size of a batch does.

    Args:
        method: What answers.
        stage: Of the method.
        mask: Kind of hole; a random hole may fall where that of another kind lies.
        known_digests: `array_digest` of each image's `known`.
        image_digests: `array_digest` of each image's pixels.
        numbers: Of the images.
        seed: Of what is drawn at random.

    Returns:
        A SHA-256 for each image.
    """
    common = {
        "method": method.name,
        "stage": stage,
        "mask": mask,
        "options": method.options_sha256,
        "prior": method.prior,
        "encoder": method.encoder,
        "seed": seed,
    }
    return [
        digest_of({**common, "known": known, "image": image, "number": int(number)})
        for known, image, number in zip(
            known_digests, image_digests, numbers, strict=True
        )
    ]


def digest_of(content: dict[str, Any]) -> str:
    """Hash a dictionary that is fit for JSON, whatever the order of its entries."""
    text = json.dumps(content, sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()


def array_digest(array: np.ndarray) -> str:
    """Hash the values of an array."""
    return hashlib.sha256(np.ascontiguousarray(array).data).hexdigest()
