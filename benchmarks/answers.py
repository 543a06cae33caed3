"""Several starts, and several answers: what they gain, and what an oracle would.

Run from the repository root, with CelebA packed by pipelines/prepare_data.py:

    python -m benchmarks.answers --data data/celeba64
    python -m benchmarks.answers --data data/celeba64 --count 8 --masks center

The same holes in the first `--count` faces of partition 1, by the preset `fast` from
random codes and from the encoder's, from the best of a pool of codes, by restarts with
and without halving; then several answers, by Langevin chains and by restarts. The
method chooses by its own loss. Beside its pooled PSNR over the hole stand that of the
oracle's choice, which sees the ground truth and so is a bound and no method; for
several answers that of their mean, and their diversity. Appends to
`benchmarks/results/answers.json` and goes on there when started again.
"""

from __future__ import annotations

import dataclasses
import json
import time
from pathlib import Path
from typing import Any

import numpy as np
import tyro

from benchmarks.faces import read_faces
from benchmarks.solvers import write
from semantic_inpaint import backend
from semantic_inpaint.inpainters import make_inpainter
from semantic_inpaint.inpainters.blended import generate_and_blend
from semantic_inpaint.inpainters.semantic import SemanticInpainter
from semantic_inpaint.inpainters.several import inpaint_several
from semantic_inpaint.latent.candidates import CandidateOptions
from semantic_inpaint.latent.presets import FAST, InversionOptions
from semantic_inpaint.masks import PATTERNS, make_known
from semantic_inpaint.metrics import aggregate, evaluate, oracle_choice
from semantic_inpaint.models.checkpoints import load_prior
from semantic_inpaint.problem import InpaintingProblem

RESULTS = Path(__file__).parent / "results" / "answers.json"
RANDOM = dataclasses.replace(
    FAST,
    first=dataclasses.replace(FAST.first, num_steps=150),
    start="random",
    anchor_weight=0.0,
    start_scale=1.0,
)
# Of one stage, so that the candidates that end are those that are compared.
ONE_STAGE = dataclasses.replace(RANDOM, second=None)
ENCODED = dataclasses.replace(FAST, second=None)
STARTS = {
    "random": (ONE_STAGE, CandidateOptions()),
    "random, twice the steps": (ONE_STAGE.with_steps(300), CandidateOptions()),
    "best of 256": (ONE_STAGE, CandidateOptions(pool=256)),
    "4 restarts": (ONE_STAGE, CandidateOptions(restarts=4)),
    "4 restarts, halved": (ONE_STAGE, CandidateOptions(restarts=4, halvings=2)),
    "4 best of 256, halved": (
        ONE_STAGE,
        CandidateOptions(pool=256, restarts=4, halvings=2),
    ),
    "encoder": (ENCODED, CandidateOptions()),
    "encoder and 3 random, halved": (ENCODED, CandidateOptions(restarts=4, halvings=2)),
}
ANSWERS = {
    "4 answers, langevin": (FAST, "langevin"),
    "4 answers, restarts": (FAST, "restarts"),
}
NUM_ANSWERS = 4


@dataclasses.dataclass(frozen=True)
class Arguments:
    """Which faces, which lines."""

    data: Path | None = None
    """Packed CelebA; default: the sample faces that ship."""
    prior: str = "slim"
    precision: str = "bfloat16"
    count: int = 50
    masks: tuple[str, ...] = ("center", "left")
    lines: tuple[str, ...] = (*STARTS, *ANSWERS)
    seed: int = 0
    output: Path = RESULTS


def hole_psnr(
    completed: np.ndarray, images: np.ndarray, problem: InpaintingProblem
) -> float:
    """Pooled PSNR over the hole."""
    found = aggregate(evaluate(completed, images, problem.known))
    return found["hole"]["psnr_pooled"]


def blend_all(
    inpainter: SemanticInpainter, codes: np.ndarray, problem: InpaintingProblem
) -> np.ndarray:
    """Complete the images with codes `[B, K, latent_dim]`: `[B, K, H, W, 3]`."""
    options = inpainter.options
    completed = [
        generate_and_blend(
            inpainter.prior,
            codes[:, k],
            problem,
            operator=options.operator,
            solver=options.solver,
        )[1]
        for k in range(codes.shape[1])
    ]
    return np.stack(completed, axis=1)


def measure_starts(
    inpainter: SemanticInpainter,
    problem: InpaintingProblem,
    images: np.ndarray,
    seed: int,
) -> dict[str, float | None]:
    """Fill from several starts: the method's choice, and the oracle's."""
    # Compiled first: what is measured is a second call.
    inpainter.inpaint(problem, seed=seed)
    started = time.perf_counter()
    result = inpainter.inpaint(problem, seed=seed)
    seconds = time.perf_counter() - started
    oracle = None
    if "candidate_codes" in result.stats:
        every = blend_all(inpainter, result.stats["candidate_codes"], problem)
        oracle = oracle_psnr(every, images, problem)
    return {
        "seconds": seconds,
        "loss": float(result.stats["search_loss"].mean()),
        "psnr_pooled": hole_psnr(result.completed, images, problem),
        "oracle_psnr": oracle,
    }


def oracle_psnr(
    every: np.ndarray, images: np.ndarray, problem: InpaintingProblem
) -> float:
    """PSNR of the answers that lie nearest to the truth, which no method can know."""
    chosen = oracle_choice(every, images, problem.known)
    return hole_psnr(every[np.arange(len(every)), chosen], images, problem)


def measure_answers(
    inpainter: SemanticInpainter,
    way: str,
    problem: InpaintingProblem,
    images: np.ndarray,
    seed: int,
) -> dict[str, float | None]:
    """Give several answers: the first, the oracle's choice, their mean."""
    started = time.perf_counter()
    found = inpaint_several(
        inpainter, problem, num_samples=NUM_ANSWERS, way=way, seed=seed
    )
    error = np.abs(found.completed.mean(axis=1) - images).mean(axis=-1)
    hole = problem.hole
    correlation = np.corrcoef(found.uncertainty[hole], error[hole])[0, 1]
    return {
        "seconds": time.perf_counter() - started,
        "loss": float(found.loss[:, 0].mean()),
        "psnr_pooled": hole_psnr(found.completed[:, 0], images, problem),
        "oracle_psnr": oracle_psnr(found.completed, images, problem),
        "mean_psnr": hole_psnr(found.completed.mean(axis=1), images, problem),
        "diversity": float(found.diversity.mean()),
        "uncertainty_correlation": float(correlation),
    }


def options_of(line: str) -> InversionOptions:
    """Options of one line."""
    if line in ANSWERS:
        return ANSWERS[line][0]
    options, candidates = STARTS[line]
    return dataclasses.replace(options, candidates=candidates)


def show(records: list[dict[str, Any]]) -> None:
    """Print the table."""
    columns = ("loss", "psnr_pooled", "oracle_psnr", "mean_psnr", "diversity")
    print("| mask | line | time | " + " | ".join(columns) + " |")
    print("|" + "---|" * (3 + len(columns)))
    for record in records:
        first = next(r for r in records if r["mask"] == record["mask"])
        values = (record.get(column) for column in columns)
        cells = ["-" if value is None else f"{value:.3f}" for value in values]
        time_ratio = record["seconds"] / first["seconds"]
        name = f"| {record['mask']} | {record['line']} | {time_ratio:.2f} | "
        print(name + " | ".join(cells) + " |")


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
        "devices": backend.device_names(),
        "backend": f"{backend.name()} {backend.version()}",
    }
    path, seed = arguments.output, arguments.seed
    records = json.loads(path.read_text(encoding="utf-8")) if path.exists() else []
    for mask in arguments.masks:
        known = make_known(mask, len(images), *images.shape[1:3], seed=seed)
        problem = InpaintingProblem(images, known)
        for line in arguments.lines:
            options = dataclasses.replace(
                options_of(line), consensus_weight=PATTERNS[mask].consensus_weight
            )
            key = {**common, "mask": mask, "line": line, "options": options.as_dict()}
            if any(key.items() <= record.items() for record in records):
                continue
            inpainter = make_inpainter(prior=prior, preset=options)
            if line in ANSWERS:
                way = ANSWERS[line][1]
                found = measure_answers(inpainter, way, problem, images, seed)
            else:
                found = measure_starts(inpainter, problem, images, seed)
            records.append({**key, **found})
            write(path, records)
    show([record for record in records if common.items() <= record.items()])


if __name__ == "__main__":
    main()
