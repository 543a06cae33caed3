"""Intermediate-layer optimisation: what it gains in the hole, and where it overfits.

Run from the repository root, with CelebA packed by pipelines/prepare_data.py:

    python -m benchmarks.intermediate --data data/celeba64
    python -m benchmarks.intermediate --data data/celeba64 --count 8 --masks center

The preset `fast`, but with a refinement of the codes, fills the same holes in the first
`--count` faces of partition 1. From
the codes of stage 1, with its content loss, and from those of stage 2, with its
consensus with the first blend, the maps between two layers are searched within l1 balls
of some radii (shares of the maps' own l1 norm). The table has, for each, the pooled
PSNR of the blended result over the hole less that of the codes, in decibels, and the
loss as a share of that of the codes: where it falls and the PSNR falls too, the maps
fit the known pixels at the cost of the face. The radius and the layer with the highest
PSNR are the ground truth's choice: an upper bound, not a method. Appends to
`benchmarks/results/intermediate.json` and goes on there when started again.
"""

from __future__ import annotations

import dataclasses
import json
import platform
import time
from pathlib import Path
from typing import Any

import numpy as np
import tyro

from benchmarks.faces import read_faces
from benchmarks.solvers import write
from semantic_inpaint import backend
from semantic_inpaint.blending import poisson_blend
from semantic_inpaint.images import to_network
from semantic_inpaint.inpainters.semantic import SemanticInpainter
from semantic_inpaint.latent.intermediate import IntermediateOptions, refine_activations
from semantic_inpaint.latent.objective import (
    Objective,
    SearchTarget,
    refinement_target,
    semantic_target,
)
from semantic_inpaint.latent.presets import FAST
from semantic_inpaint.latent.weights import importance_weights
from semantic_inpaint.masks import PATTERNS, make_known
from semantic_inpaint.metrics import aggregate, evaluate
from semantic_inpaint.models.checkpoints import load_prior
from semantic_inpaint.models.encoder_files import load_encoder
from semantic_inpaint.models.prior import GenerativePrior
from semantic_inpaint.problem import InpaintingProblem, InpaintingResult

RESULTS = Path(__file__).parent / "results" / "intermediate.json"
STAGES = ("content", "consensus")


@dataclasses.dataclass(frozen=True)
class Arguments:
    """Which faces, which layers, which radii."""

    data: Path | None = None
    """Packed CelebA; default: the sample faces that ship."""
    prior: str = "slim"
    precision: str = "float32"
    count: int = 50
    masks: tuple[str, ...] = tuple(PATTERNS)
    stages: tuple[str, ...] = STAGES
    sides: tuple[int, ...] = (4, 8, 16)
    radii: tuple[float, ...] = (0.02, 0.1, 0.5)
    steps: int = IntermediateOptions.num_steps
    learning_rate: float = IntermediateOptions.learning_rate
    seed: int = 0
    output: Path = RESULTS


@dataclasses.dataclass(frozen=True)
class Filled:
    """The holes of one kind, filled by `fast`."""

    problem: InpaintingProblem
    truth: np.ndarray
    result: InpaintingResult
    consensus_weight: float

    def case(
        self, stage: str, prior: GenerativePrior
    ) -> tuple[Objective, np.ndarray, SearchTarget, np.ndarray]:
        """Objective, codes, target and completed images of a stage."""
        known, stats = self.problem.known, self.result.stats
        objective = Objective(prior, FAST.prior_weight, refine=stage == "consensus")
        if stage == "content":
            weights = importance_weights(known, window_size=FAST.window_size)
            target = semantic_target(to_network(self.problem.images), weights)
            return objective, stats["search_codes"], target, self.first
        weight = np.full(len(known), self.consensus_weight)
        target = refinement_target(to_network(self.first), known, weight)
        return objective, stats["codes"], target, self.result.completed

    @property
    def first(self) -> np.ndarray:
        """What stage 1 delivers."""
        return self.result.stages["blended"]

    def psnr(self, completed: np.ndarray) -> float:
        """Pooled PSNR over the hole."""
        found = evaluate(completed, self.truth, self.problem.known)
        return aggregate(found)["hole"]["psnr_pooled"]


def fill(prior: GenerativePrior, images: np.ndarray, mask: str, seed: int) -> Filled:
    """Fill one kind of hole by stage 1 of `fast` and a search of codes as stage 2."""
    problem = InpaintingProblem(
        images, make_known(mask, len(images), *images.shape[1:3], seed=seed)
    )
    weight = PATTERNS[mask].consensus_weight
    second = dataclasses.replace(FAST.first, num_steps=100)
    options = dataclasses.replace(FAST, second=second, consensus_weight=weight)
    inpainter = SemanticInpainter(prior, options, load_encoder(prior))
    return Filled(problem, images, inpainter.inpaint(problem, seed=seed), weight)


def measure(
    prior: GenerativePrior, filled: Filled, stage: str, options: IntermediateOptions
) -> dict[str, float]:
    """Search the maps from the codes of one stage."""
    objective, codes, target, before = filled.case(stage, prior)
    start = time.perf_counter()
    found = refine_activations(objective, codes, target, options)
    seconds = time.perf_counter() - start
    known = filled.problem.known
    blended = poisson_blend(
        found.generated, filled.problem.images, known, operator=FAST.operator
    )
    return {
        "seconds": seconds,
        "psnr_before": filled.psnr(before),
        "psnr_after": filled.psnr(np.clip(blended, 0.0, 1.0)),
        "loss": float(np.mean(found.loss / found.trace[:, 0])),
        "distance": float(found.distance.mean()),
    }


def print_table(records: list[dict[str, Any]]) -> None:
    """Print every mask's gains, and the mean over the masks with its losses."""
    masks = list(dict.fromkeys(record["mask"] for record in records))
    print(f"| loss | side | radius | {' | '.join(masks)} | mean | loss left |")
    print("|---|---|---|" + "---|" * (len(masks) + 2))
    lines: dict[tuple, dict[str, dict[str, Any]]] = {}
    for record in records:
        options = record["options"]
        key = (record["stage"], options["side"], options["radius"])
        lines.setdefault(key, {})[record["mask"]] = record
    for (stage, side, radius), found in sorted(lines.items()):
        if len(found) < len(masks):
            continue
        gains = [found[m]["psnr_after"] - found[m]["psnr_before"] for m in masks]
        cells = [f"{gain:+.2f}" for gain in (*gains, np.mean(gains))]
        left = np.mean([found[mask]["loss"] for mask in masks])
        print(f"| {stage} | {side} | {radius:g} | {' | '.join(cells)} | {left:.2f} |")


def main() -> None:
    """Measure what is not measured yet, and print the table."""
    arguments = tyro.cli(Arguments, description=__doc__)
    images, data_sha256 = read_faces(arguments.data, arguments.count)
    prior = load_prior(arguments.prior, precision=arguments.precision)
    common = {
        "prior": prior.sha256,
        "precision": arguments.precision,
        "count": len(images),
        "seed": arguments.seed,
        "data_sha256": data_sha256,
        "machine": platform.processor() or platform.machine(),
        "backend": f"{backend.name()} {backend.version()}",
    }
    path = arguments.output
    records = json.loads(path.read_text(encoding="utf-8")) if path.exists() else []
    grid = [
        (
            stage,
            IntermediateOptions(side, radius, arguments.steps, arguments.learning_rate),
        )
        for stage in arguments.stages
        for side in arguments.sides
        for radius in arguments.radii
    ]
    for mask in arguments.masks:
        filled = None
        for stage, options in grid:
            line = {"stage": stage, "options": dataclasses.asdict(options)}
            made_with = {**common, "mask": mask, **line}
            if any(made_with.items() <= record.items() for record in records):
                continue
            filled = filled or fill(prior, images, mask, arguments.seed)
            records.append({**made_with, **measure(prior, filled, stage, options)})
            write(path, records)
    wanted = [dataclasses.asdict(options) for _, options in grid]
    print_table(
        [
            record
            for record in records
            if common.items() <= record.items()
            and record["mask"] in arguments.masks
            and record["options"] in wanted
        ]
    )


if __name__ == "__main__":
    main()
