"""Who should the discriminator judge: the generated image, or the blended one?

Run from the repository root, with CelebA packed by pipelines/prepare_data.py:

    python -m benchmarks.through_blend --data data/celeba64
    python -m benchmarks.through_blend --data data/celeba64 --count 8 --masks center

Stage 1 of the preset `fast`, from the codes of the encoder, fills the same holes in the
first `--count` faces of partition 1, with several weights of the prior loss beside the
summed content: once the discriminator sees G(z), once the blended image. Of what is
delivered, blended and clipped, the table has the pooled PSNR over the hole, the seam
energy (mean absolute difference across the seam; the true images have one too) and the
discriminator's mean probability of "real", which the search has maximised; and the time
of a step of all images, the first steps, which compile, left out. Appends to
`benchmarks/results/through_blend.json` and goes on there when started again.
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
from semantic_inpaint.images import to_network
from semantic_inpaint.inpainters.blended import generate_and_blend
from semantic_inpaint.latent.objective import Objective, semantic_target
from semantic_inpaint.latent.presets import FAST
from semantic_inpaint.latent.search import search_latent
from semantic_inpaint.latent.through_blend import BlendedObjective, blend_target
from semantic_inpaint.latent.weights import importance_weights
from semantic_inpaint.masks import PATTERNS, make_known
from semantic_inpaint.metrics import aggregate, evaluate
from semantic_inpaint.metrics.seam import seam_energy
from semantic_inpaint.models.checkpoints import load_prior
from semantic_inpaint.models.encoder_files import load_encoder
from semantic_inpaint.models.prior import GenerativePrior
from semantic_inpaint.problem import InpaintingProblem

RESULTS = Path(__file__).parent / "results" / "through_blend.json"
NOBODY, GENERATED, BLENDED = "nothing", "G(z)", "blend"
TRUTH = "truth"
CHUNK = 25
COLUMNS = ("psnr_pooled", "seam", "score", "ms_per_step")


@dataclasses.dataclass(frozen=True)
class Arguments:
    """Which faces, which weights."""

    data: Path | None = None
    """Packed CelebA; default: the sample faces that ship."""
    prior: str = "slim"
    precision: str = "float32"
    count: int = 50
    masks: tuple[str, ...] = tuple(PATTERNS)
    prior_weights: tuple[float, ...] = (10.0, 30.0, 100.0)
    """Beside 0, which is always measured."""
    steps: int = 150
    seed: int = 0
    output: Path = RESULTS


class Clock:
    """Times the steps of a search but for those that compile it."""

    def __init__(self) -> None:
        """Wait for the first steps."""
        self.steps, self.started, self.ended = 0, None, None

    def __call__(self, steps: int) -> None:
        """Take note of `steps` just done."""
        self.ended = time.perf_counter()
        if self.started is None:
            self.started = self.ended
        else:
            self.steps += steps

    @property
    def ms_per_step(self) -> float | None:
        """Milliseconds a step; None where all steps were the first."""
        if not self.steps:
            return None
        return 1000.0 * (self.ended - self.started) / self.steps


def measure(
    prior: GenerativePrior,
    problem: InpaintingProblem,
    codes: np.ndarray,
    truth: np.ndarray,
    *,
    judged: str,
    prior_weight: float,
    steps: int,
) -> dict[str, float | None]:
    """Search with one objective, blend, and judge what is delivered."""
    known = problem.known
    weights = importance_weights(known, window_size=FAST.window_size)
    target = semantic_target(to_network(problem.images), weights, anchor=codes)
    kind = Objective
    if judged == BLENDED:
        kind, target = BlendedObjective, blend_target(target, known)
    clock = Clock()
    found = search_latent(
        kind(prior, prior_weight, anchor_weight=FAST.anchor_weight),
        codes,
        target,
        dataclasses.replace(FAST.first, num_steps=steps),
        progress=clock,
        chunk=CHUNK,
    )
    _, completed, _ = generate_and_blend(
        prior, found.z, problem, operator=FAST.operator, solver=FAST.solver
    )
    return {
        "psnr_pooled": aggregate(evaluate(completed, truth, known))["hole"][
            "psnr_pooled"
        ],
        "seam": float(seam_energy(completed, known).mean()),
        "score": float(prior.score(completed).mean()),
        "ms_per_step": clock.ms_per_step,
    }


def print_table(records: list[dict[str, Any]]) -> None:
    """Print every mask's lines, then the means of the lines that all masks have."""
    print("| mask | judged | weight | PSNR | seam x 255 | score | ms a step |")
    print("|---|---|---|---|---|---|---|")
    lines: dict[tuple, list[dict[str, Any]]] = {}
    for record in records:
        print_row(record["mask"], record)
        lines.setdefault((record["judged"], record["prior_weight"]), []).append(record)
    most = max(map(len, lines.values()), default=0)
    for group in lines.values():
        if len(group) == most > 1:
            means = {
                name: float(np.mean([record[name] for record in group]))
                for name in COLUMNS
                if all(record[name] is not None for record in group)
            }
            print_row(f"mean of {most}", group[0] | means)


def print_row(mask: str, record: dict[str, Any]) -> None:
    """Print one line of Markdown."""
    cells = [
        "-" if record[name] is None else f"{scale * record[name]:.{digits}f}"
        for name, scale, digits in zip(
            COLUMNS, (1, 255, 1, 1), (2, 2, 3, 0), strict=True
        )
    ]
    print(
        f"| {mask} | {record['judged']} | {record['prior_weight']:g} | "
        f"{' | '.join(cells)} |"
    )


def lines_of(arguments: Arguments) -> list[tuple[str, float]]:
    """Who is judged, and with what weight."""
    return [(NOBODY, 0.0)] + [
        (judged, weight)
        for weight in arguments.prior_weights
        for judged in (GENERATED, BLENDED)
    ]


def main() -> None:
    """Measure what is not measured yet, and print the table."""
    arguments = tyro.cli(Arguments, description=__doc__)
    images, data_sha256 = read_faces(arguments.data, arguments.count)
    prior = load_prior(arguments.prior, precision=arguments.precision)
    encoder = load_encoder(prior)
    common = {
        "prior": prior.sha256,
        "precision": arguments.precision,
        "count": len(images),
        "steps": arguments.steps,
        "seed": arguments.seed,
        "data_sha256": data_sha256,
        "machine": platform.processor() or platform.machine(),
        "backend": f"{backend.name()} {backend.version()}",
    }
    path = arguments.output
    records = json.loads(path.read_text(encoding="utf-8")) if path.exists() else []

    def measured(made_with: dict[str, Any]) -> bool:
        return any(made_with.items() <= record.items() for record in records)

    for mask in arguments.masks:
        known = make_known(mask, len(images), *images.shape[1:3], seed=arguments.seed)
        problem = InpaintingProblem(images, known)
        made_with = {**common, "mask": mask, "judged": TRUTH, "prior_weight": 0.0}
        if not measured(made_with):
            real = {
                "psnr_pooled": None,
                "seam": float(seam_energy(images, known).mean()),
                "score": float(prior.score(images).mean()),
                "ms_per_step": None,
            }
            records.append({**made_with, **real})
        codes = encoder.encode(problem.images, known)
        for judged, weight in lines_of(arguments):
            line = {"judged": judged, "prior_weight": weight}
            made_with = {**common, "mask": mask, **line}
            if measured(made_with):
                continue
            found = measure(
                prior, problem, codes, images, **line, steps=arguments.steps
            )
            records.append({**made_with, **found})
            write(path, records)
    print_table(
        [
            record
            for record in records
            if common.items() <= record.items() and record["mask"] in arguments.masks
        ]
    )


if __name__ == "__main__":
    main()
