"""Refinement of the code or of the maps behind it: what each gains in the hole.

Run from the repository root, with CelebA packed by pipelines/prepare_data.py:

    python -m benchmarks.intermediate --data data/celeba64
    python -m benchmarks.intermediate --data data/celeba64 --count 8 --masks center

Stage 1 of the preset `fast` fills the same holes in `--count` faces of partition 1, by
default 48 after the 200 that are reported elsewhere, as radius, layer and loss are
chosen here. From its codes begin: a second search of the codes for the consensus with
the first blend, which is the paper's refinement; and searches of the maps between two
layers, within l1 balls of some radii (shares of the maps' own l1 norm), for that
consensus and for the loss of stage 1. The table has for each the gain in the mean PSNR
over the hole, in decibels, with its standard error over the faces, and the loss as a
share of that at the start: where it falls and the PSNR falls too, the maps fit the
known pixels at the cost of the face. Appends to `benchmarks/results/intermediate.json`
and goes on there when started again.
"""

from __future__ import annotations

import dataclasses
import json
import platform
import time
from pathlib import Path
from typing import Any, TypeAlias

import numpy as np
import tyro

from benchmarks.faces import read_faces
from benchmarks.solvers import write
from semantic_inpaint import backend
from semantic_inpaint.inpainters.blended import blend_generated, generate_and_blend
from semantic_inpaint.inpainters.stages import Onlookers, Stages
from semantic_inpaint.latent.intermediate import (
    IntermediateOptions,
    IntermediateSolution,
)
from semantic_inpaint.latent.presets import FAST
from semantic_inpaint.latent.search import LatentSolution
from semantic_inpaint.masks import PATTERNS, make_known
from semantic_inpaint.metrics import evaluate
from semantic_inpaint.models.checkpoints import load_prior
from semantic_inpaint.models.encoder_files import load_encoder
from semantic_inpaint.models.prior import GenerativePrior
from semantic_inpaint.problem import InpaintingProblem

Found: TypeAlias = LatentSolution | IntermediateSolution

RESULTS = Path(__file__).parent / "results" / "intermediate.json"
CODES = "codes"
LOSSES = ("content", "consensus")
# The paper's refinement, at the rate of `fast`.
REFINEMENT = dataclasses.replace(FAST.first, num_steps=100)


@dataclasses.dataclass(frozen=True)
class Arguments:
    """Which faces, which layers, which radii."""

    data: Path | None = None
    """Packed CelebA; default: the sample faces that ship."""
    prior: str = "slim"
    precision: str = "bfloat16"
    count: int = 48
    skip: int = 200
    """Faces of partition 1 to leave to others."""
    masks: tuple[str, ...] = tuple(PATTERNS)
    losses: tuple[str, ...] = LOSSES
    sides: tuple[int, ...] = (4, 8, 16)
    radii: tuple[float, ...] = (0.1, 0.3, 1.0)
    steps: int = FAST.second.num_steps
    learning_rate: float = FAST.second.learning_rate
    seed: int = 0
    output: Path = RESULTS


@dataclasses.dataclass(frozen=True)
class Filled:
    """The holes of one kind, filled by stage 1 of `fast`."""

    stages: Stages
    problem: InpaintingProblem
    truth: np.ndarray
    given: np.ndarray
    codes: np.ndarray
    blended: np.ndarray

    def search(self, loss: str, options: IntermediateOptions | None) -> Found:
        """Search the maps, or without options the codes, from those of stage 1."""
        refine = loss != "content"
        target = (
            self.stages.second_target(self.problem, self.blended, self.given)
            if refine
            else self.stages.first_target(self.problem, self.given)
        )
        if options is not None:
            return self.stages.search_maps(options, self.codes, target, refine=refine)
        return self.stages.search_second(
            self.problem, target, self.codes, 0, Onlookers()
        )

    def psnr(self, completed: np.ndarray) -> np.ndarray:
        """PSNR of each face over its hole."""
        found = evaluate(completed, self.truth, self.problem.known)
        return np.asarray(found["hole"]["psnr"])


def fill(prior: GenerativePrior, images: np.ndarray, mask: str, seed: int) -> Filled:
    """Fill one kind of hole by stage 1 of `fast`."""
    problem = InpaintingProblem(
        images, make_known(mask, len(images), *images.shape[1:3], seed=seed)
    )
    options = dataclasses.replace(
        FAST,
        second=REFINEMENT,
        start="encoder",
        consensus_weight=PATTERNS[mask].consensus_weight,
    )
    stages = Stages(prior, options, load_encoder(prior))
    given = stages.given_codes(problem)
    target = stages.first_target(problem, given)
    found, _ = stages.search_first(problem, target, given, seed, Onlookers())
    _, blended, _ = generate_and_blend(
        prior, found.z, problem, operator=FAST.operator, solver=FAST.solver
    )
    return Filled(stages, problem, images, given, found.z, blended)


def measure(
    filled: Filled, loss: str, options: IntermediateOptions | None
) -> dict[str, float]:
    """Refine the codes or the maps, and compare with the first blend."""
    start = time.perf_counter()
    found = filled.search(loss, options)
    seconds = time.perf_counter() - start
    blending = {"operator": FAST.operator, "solver": FAST.solver}
    if options is None:
        made = generate_and_blend(
            filled.stages.prior, found.z, filled.problem, **blending
        )
    else:
        made = blend_generated(found.generated, filled.problem, **blending)
    before, after = filled.psnr(filled.blended), filled.psnr(made[1])
    return {
        "seconds": seconds,
        "psnr_before": float(before.mean()),
        "psnr_after": float(after.mean()),
        "standard_error": float((after - before).std(ddof=1) / len(after) ** 0.5),
        "loss": float(np.mean(found.loss / found.trace[:, 0])),
    }


def print_table(records: list[dict[str, Any]]) -> None:
    """Print every mask's gains, and the mean over the masks with its losses."""
    masks = list(dict.fromkeys(record["mask"] for record in records))
    print(f"| searched | loss | side | radius | {' | '.join(masks)} | mean | loss |")
    print("|---|---|---|---|" + "---|" * (len(masks) + 2))
    lines: dict[tuple, dict[str, dict[str, Any]]] = {}
    for record in records:
        options = record["options"] or {"side": "", "radius": ""}
        searched = "maps" if record["options"] else CODES
        key = (searched, record["loss_name"], options["side"], options["radius"])
        lines.setdefault(key, {})[record["mask"]] = record
    for key, found in lines.items():
        if len(found) < len(masks):
            continue
        gains = [found[m]["psnr_after"] - found[m]["psnr_before"] for m in masks]
        cells = [
            f"{gain:+.3f} ± {found[mask]['standard_error']:.3f}"
            for mask, gain in zip(masks, gains, strict=True)
        ]
        left = np.mean([found[mask]["loss"] for mask in masks])
        cells = [*map(str, key), *cells, f"{np.mean(gains):+.3f}", f"{left:.2f}"]
        print(f"| {' | '.join(cells)} |")


def main() -> None:
    """Measure what is not measured yet, and print the table."""
    arguments = tyro.cli(Arguments, description=__doc__)
    images, data_sha256 = read_faces(
        arguments.data, arguments.count, skip=arguments.skip
    )
    prior = load_prior(arguments.prior, precision=arguments.precision)
    common = {
        "prior": prior.sha256,
        "precision": arguments.precision,
        "count": len(images),
        "skip": arguments.skip,
        "seed": arguments.seed,
        "data_sha256": data_sha256,
        "machine": platform.processor() or platform.machine(),
        "backend": f"{backend.name()} {backend.version()}",
    }
    path = arguments.output
    records = json.loads(path.read_text(encoding="utf-8")) if path.exists() else []
    grid: list[tuple[str, IntermediateOptions | None]] = [("consensus", None)]
    grid += [
        (
            loss,
            dataclasses.replace(
                FAST.second,
                side=side,
                radius=radius,
                num_steps=arguments.steps,
                learning_rate=arguments.learning_rate,
            ),
        )
        for loss in arguments.losses
        for side in arguments.sides
        for radius in arguments.radii
    ]
    for mask in arguments.masks:
        filled = None
        for loss, options in grid:
            made_with = {
                **common,
                "mask": mask,
                "loss_name": loss,
                "options": options and dataclasses.asdict(options),
            }
            if any(made_with.items() <= record.items() for record in records):
                continue
            filled = filled or fill(prior, images, mask, arguments.seed)
            records.append({**made_with, **measure(filled, loss, options)})
            write(path, records)
    wanted = [options and dataclasses.asdict(options) for _, options in grid]
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
