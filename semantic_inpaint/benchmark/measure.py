"""From the answers to one batch to its records."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterator, Mapping
from typing import Any

import numpy as np

from semantic_inpaint.benchmark.cells import ImageSet, MethodIdentity, answer_keys
from semantic_inpaint.benchmark.records import SCHEMA, Record
from semantic_inpaint.metrics import evaluate, relative_seam_energy, seam_energy
from semantic_inpaint.models.prior import GenerativePrior
from semantic_inpaint.problem import InpaintingProblem, InpaintingResult

# A distance of each image from its original.
Distance = Callable[[np.ndarray, np.ndarray], np.ndarray]
Judge = Callable[[InpaintingProblem, InpaintingResult], list[str]]


@dataclasses.dataclass(frozen=True, eq=False)
class Measures:
    """What is measured of every answer, beside `metrics.evaluate` and the seam.

    Attributes:
        distances: By name, further metrics of completed images and originals.
        judge: Says in a word or two how the search of each image went; None: nobody
            does. Asked for methods with a prior alone.
    """

    distances: Mapping[str, Distance] = dataclasses.field(default_factory=dict)
    judge: Judge | None = None


@dataclasses.dataclass(frozen=True, eq=False)
class Answered:
    """A batch that was filled.

    Attributes:
        images: The originals of all images.
        rows: Of the images in the batch, int64 `[B]`.
        problem: That was asked.
        result: That came.
        identity: Of the method.
        prior: Of the method, or None.
        stages: The pictures to measure, `[B, H, W, 3]`, by the name of their stage.
        mask: Name of the kind of holes.
        mask_ids: Of each hole.
        known_digests: Of each hole.
        image_digests: Of each image.
        seed: Of the method and the holes.
        seconds: That the batch took.
    """

    images: ImageSet
    rows: np.ndarray
    problem: InpaintingProblem
    result: InpaintingResult
    identity: MethodIdentity
    prior: GenerativePrior | None
    stages: Mapping[str, np.ndarray]
    mask: str
    mask_ids: list[str]
    known_digests: list[str]
    image_digests: list[str]
    seed: int
    seconds: float

    def keys(self) -> dict[str, list[str]]:
        """Return, for each stage, the key of each answer."""
        return {
            stage: answer_keys(
                self.identity,
                stage,
                mask=self.mask,
                known_digests=self.known_digests,
                image_digests=self.image_digests,
                numbers=self.images.numbers[self.rows],
                seed=self.seed,
            )
            for stage in self.stages
        }


def make_records(
    answered: Answered, measures: Measures, facts: Mapping[str, Any]
) -> Iterator[Record]:
    """Measure a batch.

    Args:
        answered: The batch.
        measures: What else to measure.
        facts: The same for all records: versions, device and so on.

    Yields:
        A record for each image and stage, image by image.
    """
    found = {
        stage: _measure(answered, pictures, measures)
        for stage, pictures in answered.stages.items()
    }
    verdicts: list[str | None] = [None] * len(answered.problem)
    if measures.judge is not None and answered.prior is not None:
        verdicts = list(measures.judge(answered.problem, answered.result))
    common, keys = _common(answered, facts), answered.keys()
    for i, row in enumerate(answered.rows):
        for stage, metrics in found.items():
            yield {
                "schema": SCHEMA,
                "key": keys[stage][i],
                "stage": stage,
                "image": answered.images.names[row],
                "image_number": int(answered.images.numbers[row]),
                "image_sha256": answered.image_digests[i],
                "mask_id": answered.mask_ids[i],
                "known_sha256": answered.known_digests[i],
                "hole_share": float(answered.problem.hole[i].mean()),
                "metrics": metrics[i],
                "status": answered.result.status[i],
                "verdict": verdicts[i],
                **common,
            }


def _common(answered: Answered, facts: Mapping[str, Any]) -> dict[str, Any]:
    """Return what is the same for every image of the batch."""
    identity, prior, images = answered.identity, answered.prior, answered.images
    return {
        "method": identity.name,
        "options": identity.options,
        "options_sha256": identity.options_sha256,
        "prior": prior and {"name": prior.name, "sha256": prior.sha256},
        "encoder_sha256": identity.encoder,
        "mask": answered.mask,
        "images": {"name": images.name, "sha256": images.sha256},
        "seed": answered.seed,
        "seconds": answered.seconds / len(answered.rows),
        "batch_size": len(answered.rows),
        **facts,
    }


def _measure(
    answered: Answered, pictures: np.ndarray, measures: Measures
) -> list[dict[str, Any]]:
    """Return all metrics of each image."""
    originals = answered.images.pixels[answered.rows]
    known = answered.problem.known
    regions = evaluate(pictures, originals, known)
    columns = {
        "seam_energy": seam_energy(pictures, known),
        "relative_seam_energy": relative_seam_energy(pictures, known),
        **{
            name: distance(pictures, originals)
            for name, distance in measures.distances.items()
        },
    }
    if answered.prior is not None:
        columns["score"] = answered.prior.score(pictures)
    return [
        {
            **{
                region: {metric: values[i] for metric, values in of_region.items()}
                for region, of_region in regions.items()
            },
            "score": None,
            **{name: float(values[i]) for name, values in columns.items()},
        }
        for i in range(len(pictures))
    ]
