"""The parts of an evaluation in their order, each ready to be run."""

from __future__ import annotations

import dataclasses
import functools
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from semantic_inpaint.app.evaluation_parts import (
    NUM_NEIGHBOURS_SHOWN,
    compare_features,
    compare_neighbours,
    features_of,
    measure_inversion,
    neighbour_sheet,
)
from semantic_inpaint.app.fidelity import inception_distances
from semantic_inpaint.benchmark.patterns import measure_encoder, measure_pattern
from semantic_inpaint.datasets import PackedImages
from semantic_inpaint.images import save_image, to_uint8
from semantic_inpaint.latent.presets import FAST
from semantic_inpaint.masks import PATTERNS
from semantic_inpaint.metrics import finds_face
from semantic_inpaint.models.encoder_files import has_encoder
from semantic_inpaint.models.prior import GenerativePrior

if TYPE_CHECKING:
    from semantic_inpaint.app.evaluate import EvaluateOptions

TRAINING, HELD_OUT = (0, 2), (1,)
# Samples come from another stream of codes than the starts of a search.
SAMPLE_STREAM = 2
# As benchmarks/faces.py searches, so that both agree to the last digit.
SEARCH = dataclasses.replace(FAST, batch_size=50)
# Looked at by the face detector, which takes 10 to 20 ms an image.
NUM_FACES = 1000

Features = Callable[[np.ndarray], np.ndarray]


@dataclasses.dataclass(frozen=True, eq=False)
class Subject:
    """A prior and the images to judge it by; what is costly is computed once."""

    options: EvaluateOptions
    prior: GenerativePrior
    packed: PackedImages
    load_features: Callable[[], Features]

    @functools.cached_property
    def faces(self) -> np.ndarray:
        """The first faces of partition 1, float32 in [0, 1]."""
        rows = self.packed.indices(HELD_OUT)[: self.options.count]
        return self.packed.images[rows].astype(np.float32) / 255.0

    @functools.cached_property
    def samples(self) -> np.ndarray:
        """Generated images, rounded to 8 bits as the real ones are."""
        numbers = np.arange(self.options.num_samples)
        codes = self.prior.codes_for(
            numbers, seed=self.options.seed, stream=SAMPLE_STREAM
        )
        return to_uint8(self.prior.generate(codes))

    def rows(self, partitions: Sequence[int]) -> np.ndarray:
        """Draw rows of some partitions, all of them where there are no more."""
        found = self.packed.indices(partitions)
        rng = np.random.default_rng([self.options.seed, *partitions])
        return np.sort(rng.permutation(found)[: self.options.num_real])

    @functools.cached_property
    def space(self) -> Features:
        """The network of the features."""
        return self.load_features()

    @functools.cached_property
    def sample_features(self) -> np.ndarray:
        """Features of the samples."""
        return self._features(self.samples, np.arange(len(self.samples)))

    @functools.cached_property
    def training_features(self) -> np.ndarray:
        """Features of images that the prior was trained on."""
        return self._features(self.packed.images, self.rows(TRAINING))

    @functools.cached_property
    def held_out_features(self) -> np.ndarray:
        """Features of images that it has not seen."""
        return self._features(self.packed.images, self.rows(HELD_OUT))

    def _features(self, images: np.ndarray, rows: np.ndarray) -> np.ndarray:
        return features_of(images, rows, self.space)


def steps_of(subject: Subject) -> dict[str, Callable[[], dict[str, Any]]]:
    """Name what is to be measured; each mask is a step, so that none is done twice."""
    options = subject.options
    steps: dict[str, Callable[[], dict[str, Any]]] = {}
    if "inversion" in options.parts:
        steps["inversion"] = lambda: measure_inversion(
            subject.prior, subject.faces, num_steps=options.steps, seed=options.seed
        )
    if "features" in options.parts:
        steps["features"] = lambda: _features(subject)
    if "neighbours" in options.parts:
        steps["neighbours"] = lambda: _neighbours(subject)
    if "masks" in options.parts:
        for name in PATTERNS:
            steps[f"mask {name}"] = lambda name=name: measure_pattern(
                name, subject.faces, subject.prior, SEARCH, seed=options.seed
            )
            if has_encoder(subject.prior):
                steps[f"encoder {name}"] = lambda name=name: measure_encoder(
                    name, subject.faces, subject.prior, seed=options.seed
                )
    if options.fidelity:
        steps["fidelity"] = lambda: _fidelity(subject)
    return steps


def _features(subject: Subject) -> dict[str, Any]:
    """Samples against both kinds of real images; these against each other as floor.

    And in how many of each the face detector of `metrics.finds_face` finds a face.
    """
    real, unseen = subject.training_features, subject.held_out_features
    samples, seed = subject.sample_features, subject.options.seed
    return {
        "space": subject.space.name,
        "training": compare_features(real, samples, seed=seed),
        "held_out": compare_features(unseen, samples, seed=seed),
        "real_floor": compare_features(real, unseen, seed=seed),
        "share_with_a_face": {
            "samples": float(finds_face(subject.samples[:NUM_FACES]).mean()),
            "held_out": float(
                finds_face(
                    subject.packed.images[subject.rows(HELD_OUT)[:NUM_FACES]]
                ).mean()
            ),
        },
    }


def _neighbours(subject: Subject) -> dict[str, Any]:
    """Compare features with those that were drawn, pixels with all of the training."""
    shown, images = slice(NUM_NEIGHBOURS_SHOWN), subject.packed.images
    everything = subject.packed.indices(TRAINING)
    samples = subject.samples[shown]
    spaces = {
        subject.space.name: (
            subject.sample_features[shown],
            subject.held_out_features[shown],
            subject.training_features,
            subject.rows(TRAINING),
        ),
        "pixels": (
            samples,
            images[subject.rows(HELD_OUT)[shown]],
            images[everything],
            everything,
        ),
    }
    found = {}
    for name, (generated, unseen, training, rows) in spaces.items():
        found[name], nearest = compare_neighbours(generated, unseen, training)
        sheet = neighbour_sheet(samples, images[rows[nearest]])
        save_image(subject.options.out / f"neighbours-{name}.png", sheet)
    return found


def _fidelity(subject: Subject) -> dict[str, Any]:
    """FID and KID of the samples, against training and unseen images."""
    seed = subject.options.seed
    return {
        name: inception_distances(
            subject.samples,
            (subject.packed.images[row] for row in subject.rows(partitions)),
            seed=seed,
        )
        for name, partitions in (("training", TRAINING), ("held_out", HELD_OUT))
    }
