"""From the words of `benchmark` to images and kinds of holes."""

from __future__ import annotations

import dataclasses
import difflib
from collections.abc import Mapping, Sequence
from pathlib import Path

from semantic_inpaint.app.benchmark_options import BenchmarkOptions
from semantic_inpaint.app.inputs import (
    ALL_PATTERNS,
    Images,
    is_packed,
    read_images,
    read_landmarks,
)
from semantic_inpaint.benchmark.cells import HoleSource, ImageSet, array_digest
from semantic_inpaint.benchmark.hole_sources import FileHoles, PackHoles, PatternHoles
from semantic_inpaint.datasets.landmarks import NumberedLandmarks
from semantic_inpaint.datasets.packed import PackedImages
from semantic_inpaint.datasets.samples import sample_card, sample_faces, sample_names
from semantic_inpaint.masks import PATTERNS
from semantic_inpaint.masks.pack import load_pack
from semantic_inpaint.models.inpainting_networks import InpaintingNetwork
from semantic_inpaint.models.prior import GenerativePrior

CELEBA = Path("data/celeba64")
VALIDATION = 1
SAMPLES = "samples"
DEFAULT_SIZE = 64


def read_image_set(options: BenchmarkOptions, size: int) -> ImageSet:
    """Load the images that are named, or else CelebA's validation faces, or samples.

    A packed set and the samples are told apart by the hash of the whole, so that a
    larger `limit` adds to a benchmark; of other images all that are read count.

    Raises:
        ValueError: Something named is not there, or no image; or both images and the
            samples are asked for.
    """
    if options.samples and options.images:
        raise ValueError(
            "--samples takes the faces that ship, and --images names others; leave out "
            "one of them."
        )
    options = with_default_images(options)
    if not options.images:
        return _samples(options, size)
    found = read_images(options.as_run(), size)
    name, sha256 = _set_name(options), array_digest(found.pixels)
    if len(options.images) == 1 and is_packed(options.images[0]):
        sha256 = PackedImages.open(options.images[0]).sha256
    return ImageSet(found.pixels, tuple(found.names), found.indices, name, sha256)


def with_default_images(options: BenchmarkOptions) -> BenchmarkOptions:
    """Name CelebA's validation faces where nothing is named and they are packed."""
    if options.images or options.samples or not is_packed(CELEBA):
        return options
    partition = VALIDATION if options.partition is None else options.partition
    return dataclasses.replace(options, images=(CELEBA,), partition=partition)


def choose_size(
    options: BenchmarkOptions,
    prior: GenerativePrior | None,
    networks: Mapping[str, InpaintingNetwork],
) -> int:
    """Choose the side of the images: that which is named, or the networks' own.

    Raises:
        ValueError: The prior makes images of another side than is named; or prior and
            networks have different sides, and none is named.
    """
    sides = {method: network.image_size for method, network in networks.items()}
    if prior is not None:
        sides["the prior"] = prior.image_size
        if options.size not in (None, prior.image_size):
            raise ValueError(
                f"the prior makes {prior.image_size}x{prior.image_size} images; got "
                f"--size {options.size}. Leave the word out, or name another prior."
            )
    if options.size is not None:
        return options.size
    if len(set(sides.values())) > 1:
        listed = ", ".join(f"{name} {side}" for name, side in sides.items())
        raise ValueError(
            f"the networks were trained on images of different sides ({listed}); name "
            "one of these by --size, or compare fewer methods."
        )
    return next(iter(sides.values()), DEFAULT_SIZE)


def choose_landmarks(
    options: BenchmarkOptions,
    images: ImageSet,
    networks: Mapping[str, InpaintingNetwork],
) -> NumberedLandmarks | None:
    """Load the landmarks that are named, if any.

    Raises:
        ValueError: No network takes them, or as of `read_landmarks`.
    """
    if options.landmarks is not None and not any(
        network.num_landmarks for network in networks.values()
    ):
        raise ValueError(
            "--landmarks is for networks that were trained with landmarks, and none of "
            f"{', '.join(options.methods)} was; leave it out."
        )
    named = with_default_images(options).as_run()
    named = dataclasses.replace(named, landmarks=options.landmarks)
    return read_landmarks(named, images.numbers)


def make_sources(options: BenchmarkOptions) -> list[HoleSource]:
    """Find the kinds of holes that are named.

    Raises:
        ValueError: There is no such pattern, group, folder or pack, or several places
            to take masks from.
    """
    if options.mask_dir is not None:
        if options.mask_pack is not None or options.masks != (ALL_PATTERNS,):
            raise ValueError(
                "--mask-dir takes all of its masks from one folder; leave out --masks "
                "and --mask-pack, or run the command once for each."
            )
        return [FileHoles(options.mask_dir)]
    if options.mask_pack is not None:
        groups = load_pack(options.mask_pack)
        return [
            PackHoles(name, groups[name].ids, groups[name].known)
            for name in _named(options.masks, list(groups))
        ]
    return [PatternHoles(name) for name in _named(options.masks, list(PATTERNS))]


def _named(words: Sequence[str], names: list[str]) -> list[str]:
    """Take the names that are asked for; `all` stands for all of them."""
    for word in words:
        if word not in (*names, ALL_PATTERNS):
            near = difflib.get_close_matches(word, [*names, ALL_PATTERNS], n=1)
            hint = f" Did you mean {near[0]!r}?" if near else ""
            raise ValueError(
                f"no mask {word!r}; there are {', '.join(names)}, {ALL_PATTERNS}.{hint}"
            )
    return names if ALL_PATTERNS in words else list(words)


def _samples(options: BenchmarkOptions, size: int) -> ImageSet:
    if options.partition is not None:
        raise ValueError(
            "--partition is for packed sets, and the sample faces are none; name one "
            "by --images."
        )
    names = sample_names()[: options.limit]
    sha256 = sample_card()["sheet"]["sha256"]
    numbered = Images(sample_faces(len(names), size=size), names, names, names)
    return ImageSet(numbered.pixels, tuple(names), numbered.indices, SAMPLES, sha256)


def _set_name(options: BenchmarkOptions) -> str:
    """Name a set after its folders, and the partition."""
    names = ", ".join(path.resolve().stem for path in options.images)
    if len(options.images) == 1 and options.images[0].resolve() == CELEBA.resolve():
        names = "celeba"
    if options.partition is not None:
        return f"{names} partition {options.partition}"
    return names
