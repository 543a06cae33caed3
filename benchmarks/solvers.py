"""Solvers of the latent search: what they find, and in what time.

Run from the repository root, with CelebA packed by pipelines/prepare_data.py:

    python -m benchmarks.solvers --data data/celeba64
    python -m benchmarks.solvers --data data/celeba64 --count 8 --masks center

Each method fills the same holes in the first `--count` faces of partition 1 with some
numbers of steps in stage 1; all else is as in the preset `fast`, with 50 steps for the
maps of 8x8 (fewer where stage 1 has fewer than 150), from random codes but where the
line says encoder. Beside them stand `fast` itself, the default, and the encoder without
a search. Two things are read off: the pooled PSNR over the hole, and the weighted
absolute distance of stage 1, with the window of `fast`, of whatever codes a method
found there. Both, and the time of a second call, stand beside those of the preset
`malesevic` with 1500 + 1500 steps in the same run; so the six masks count alike.
Appends to `benchmarks/results/solvers.json`, goes on there when started again, prints a
table and draws `benchmarks/results/solvers.png`, one line a method.
"""

from __future__ import annotations

import dataclasses
import json
import platform
import time
from pathlib import Path
from typing import Any

import matplotlib.pyplot as plt
import numpy as np
import tyro
from keras import ops

from benchmarks.faces import read_faces
from semantic_inpaint import backend
from semantic_inpaint.images import to_network
from semantic_inpaint.inpainters import make_inpainter
from semantic_inpaint.latent.objective import Objective, semantic_target
from semantic_inpaint.latent.options import FIRST_ORDER, SearchOptions
from semantic_inpaint.latent.presets import FAST, MALESEVIC, InversionOptions
from semantic_inpaint.latent.weights import importance_weights
from semantic_inpaint.masks import PATTERNS, make_known
from semantic_inpaint.metrics import aggregate, evaluate
from semantic_inpaint.models.checkpoints import load_prior
from semantic_inpaint.models.prior import GenerativePrior
from semantic_inpaint.problem import InpaintingProblem

RESULTS = Path(__file__).parent / "results" / "solvers.json"
REFERENCE = "malesevic"
# Steps of both stages from which compiling, some seconds, is no part of the time.
LONG = 1000
# What follows a long search; a coarser layer than that of `fast`, and more steps.
REFINEMENT = dataclasses.replace(FAST.second, side=8, num_steps=50)
COSINE = FAST.first
# Each line of the figure: how to search, and the steps of stage 1 at its points. Those
# in FROM_ENCODER start at the encoder's codes and stay near them, as `fast` does.
LINES = {
    "adam from encoder": (COSINE, (10, 25, 50, 150, 400)),
    "adam": (COSINE, (50, 150, 400)),
    "adam, tanh": (
        dataclasses.replace(COSINE, projection="tanh", learning_rate=0.1),
        (50, 150, 400),
    ),
    "adam, stochastic": (
        dataclasses.replace(COSINE, projection="stochastic"),
        (50, 150, 400),
    ),
    "adam, noise": (dataclasses.replace(COSINE, noise=0.05), (50, 150, 400)),
    "adam, tolerance": (dataclasses.replace(COSINE, tolerance=0.01), (150, 400)),
    "nesterov": (
        SearchOptions(method="nesterov", learning_rate=2e-4, schedule="cosine"),
        (50, 150, 400),
    ),
    "lbfgs": (SearchOptions(method="lbfgs"), (20, 50, 120)),
    "gauss-newton": (SearchOptions(method="gauss-newton"), (4, 8, 16)),
}
FROM_ENCODER = ("adam from encoder",)
# Lines of one point, whose options are those of a preset.
DEFAULT, ENCODER = "fast", "encoder"


@dataclasses.dataclass(frozen=True)
class Arguments:
    """Which faces, which lines."""

    data: Path | None = None
    """Packed CelebA; default: the sample faces that ship."""
    prior: str = "slim"
    precision: str = "float32"
    count: int = 200
    masks: tuple[str, ...] = tuple(PATTERNS)
    lines: tuple[str, ...] = (DEFAULT, ENCODER, *LINES)
    batch_size: int = 50
    seed: int = 0
    reference_steps: int = 1500
    """Of each stage of the reference."""
    output: Path = RESULTS


def options_of(line: str, steps: int) -> InversionOptions:
    """Options of both stages: `fast` with another search in the first."""
    search, _ = LINES[line]
    options = dataclasses.replace(
        FAST,
        first=dataclasses.replace(search, num_steps=steps),
        second=dataclasses.replace(REFINEMENT, num_steps=_refining(search, steps)),
    )
    if line in FROM_ENCODER:
        return options
    return dataclasses.replace(options, start="random", anchor_weight=0.0)


def _refining(search: SearchOptions, steps: int) -> int:
    """Steps between the layers: a third, where steps cost as much as those of Adam."""
    if search.method not in FIRST_ORDER:
        return REFINEMENT.num_steps
    return max(1, min(REFINEMENT.num_steps, steps // 3))


def stage_one_loss(
    prior: GenerativePrior, problem: InpaintingProblem, codes: np.ndarray
) -> float:
    """Mean content loss of codes, the window being that of `fast`."""
    objective = backend.compile_function(Objective(prior, prior_weight=0.0))
    losses = []
    for begin in range(0, len(problem), 50):
        rows = slice(begin, begin + 50)
        weights = importance_weights(problem.known[rows], window_size=FAST.window_size)
        target = semantic_target(to_network(problem.images[rows]), weights)
        losses.append(ops.convert_to_numpy(objective(codes[rows], target)))
    return float(np.concatenate(losses).mean())


def measure(
    prior: GenerativePrior,
    images: np.ndarray,
    name: str,
    line: str,
    options: InversionOptions,
    seed: int,
) -> dict[str, float]:
    """Fill one kind of hole: time, loss after stage 1, PSNR after both."""
    options = dataclasses.replace(
        options, consensus_weight=PATTERNS[name].consensus_weight
    )
    known = make_known(name, len(images), *images.shape[1:3], seed=seed)
    problem = InpaintingProblem(images, known)
    method = "encoder" if line == ENCODER else None
    inpainter = make_inpainter(method, prior=prior, preset=options)
    if inpainter.num_steps < LONG:
        inpainter.inpaint(problem.take(slice(0, options.batch_size)), seed=seed)
    start = time.perf_counter()
    result = inpainter.inpaint(problem, seed=seed)
    seconds = time.perf_counter() - start
    found = aggregate(evaluate(result.completed, images, known))["hole"]
    stats = result.stats
    codes = stats["codes"] if line == ENCODER else stats["search_codes"]
    return {
        "seconds": seconds,
        "loss": stage_one_loss(prior, problem, codes),
        "psnr_pooled": found["psnr_pooled"],
        "steps": float(np.mean(stats.get("search_steps", 0))),
    }


def runs_of(arguments: Arguments) -> list[tuple[str, InversionOptions]]:
    """Every point of every line, the reference first."""
    reference = MALESEVIC.with_steps(arguments.reference_steps)
    points = [(REFERENCE, reference)]
    for line in arguments.lines:
        if line in (DEFAULT, ENCODER):
            points.append((line, FAST))
        else:
            points += [(line, options_of(line, steps)) for steps in LINES[line][1]]
    return [
        (line, dataclasses.replace(options, batch_size=arguments.batch_size))
        for line, options in points
    ]


def write(path: Path, records: list[dict[str, Any]]) -> None:
    """Replace the file by `records`."""
    path.parent.mkdir(exist_ok=True)
    temporary = path.with_suffix(".tmp")
    temporary.write_text(json.dumps(records, indent=1) + "\n", encoding="utf-8")
    temporary.replace(path)


def relative(
    records: list[dict[str, Any]], masks: tuple[str, ...]
) -> dict[str, list[dict[str, float]]]:
    """Means over the masks of what each point has beside the reference.

    Only points that were measured for all masks; sorted by time.
    """
    reference = {r["mask"]: r for r in records if r["line"] == REFERENCE}
    groups: dict[tuple, list] = {}
    for record in records:
        if record["mask"] in masks and record["mask"] in reference:
            key = (record["line"], record["options"]["first"]["num_steps"])
            groups.setdefault(key, []).append(record)
    lines: dict[str, list] = {}
    for (line, steps), found in groups.items():
        if len(found) < len(masks):
            continue
        pairs = [(r, reference[r["mask"]]) for r in found]
        gains = [r["psnr_pooled"] - o["psnr_pooled"] for r, o in pairs]
        lines.setdefault(line, []).append(
            {
                "steps": steps,
                "done": float(np.mean([r["steps"] for r, _ in pairs])),
                "time": sum(r["seconds"] for r, _ in pairs)
                / sum(other["seconds"] for _, other in pairs),
                "loss": float(np.mean([r["loss"] / o["loss"] for r, o in pairs])),
                "gain": float(np.mean(gains)),
                "least": min(gains),
            }
        )
    return {
        line: sorted(points, key=lambda point: point["time"])
        for line, points in lines.items()
    }


def draw(lines: dict[str, list[dict[str, float]]], path: Path) -> None:
    """Draw quality against time, one line a method."""
    figure, axes = plt.subplots(1, 2, figsize=(11, 4.5), layout="constrained")
    for name, points in lines.items():
        style = {"marker": "*", "color": "black"} if name == REFERENCE else {}
        for axis, quantity in zip(axes, ("loss", "gain"), strict=True):
            axis.plot(
                [point["time"] for point in points],
                [point[quantity] for point in points],
                **{"marker": "o", **style},
                label=name,
            )
    for axis, label in zip(
        axes,
        ("loss of stage 1 / that of malesevic", "PSNR over malesevic's (dB)"),
        strict=True,
    ):
        axis.set(xscale="log", xlabel="time / that of malesevic", ylabel=label)
        axis.grid(alpha=0.3)
    axes[0].legend(fontsize="small")
    figure.savefig(path, dpi=150)
    plt.close(figure)


def main() -> None:
    """Measure what is not measured yet, print the table, draw the figure."""
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
        "machine": platform.processor() or platform.machine(),
        "backend": f"{backend.name()} {backend.version()}",
    }
    path = arguments.output
    records = json.loads(path.read_text(encoding="utf-8")) if path.exists() else []
    for mask in arguments.masks:
        for line, options in runs_of(arguments):
            made_with = {
                **common,
                "mask": mask,
                "line": line,
                "options": options.as_dict(),
            }
            if any(made_with.items() <= record.items() for record in records):
                continue
            found = measure(prior, images, mask, line, options, arguments.seed)
            records.append({**made_with, **found})
            write(path, records)
    same = [record for record in records if common.items() <= record.items()]
    lines = relative(same, arguments.masks)
    print("| method | steps | done | time | loss | PSNR | worst mask |")
    print("|---|---|---|---|---|---|---|")
    for line, points in lines.items():
        for point in points:
            print(
                f"| {line} | {point['steps']} | {point['done']:.0f} | "
                f"{point['time']:.4f} | "
                f"{point['loss']:.3f} | {point['gain']:+.2f} dB | "
                f"{point['least']:+.2f} dB |"
            )
    draw(lines, path.with_suffix(".png"))


if __name__ == "__main__":
    main()
