"""Six masks on faces that no prior was trained on, before and after refinement.

Run from the repository root, with CelebA packed by pipelines/prepare_data.py:

    python -m benchmarks.faces --data data/celeba64 --name fast
    python -m benchmarks.faces --data data/celeba64 --name mean --reduction mean

The first `--count` faces of partition 1, in the order of their numbers; the hole of
face i is the same in every run. Without `--data` the sample faces of people who do not
exist take their place, for a trial without CelebA. Writes
`benchmarks/results/faces-NAME.json` after every mask, goes on there when started
again, and prints the table beside the figures of Malesevic et al., table 1. Metrics
are over the hole, on the scale to 255.
"""

from __future__ import annotations

import dataclasses
import json
import platform
import sys
from pathlib import Path
from typing import Any

import numpy as np
import tyro

from semantic_inpaint import backend
from semantic_inpaint.benchmark.patterns import measure_pattern
from semantic_inpaint.datasets.packed import PackedImages
from semantic_inpaint.datasets.samples import sample_card, sample_faces
from semantic_inpaint.latent.presets import InversionOptions, get_preset
from semantic_inpaint.masks import PATTERNS
from semantic_inpaint.models.checkpoints import load_prior

RESULTS = Path(__file__).parent / "results"
METRICS = ("mae", "mse", "psnr_pooled", "psnr_mean", "mssim")

# Malesevic et al., table 1: before and after, for each mask. Their PSNR is that of the
# MSE, but for one slip in the stripes' row; so it is computed here.
PAPER = {
    "random-square": {"mae": (16.20, 14.04), "mse": (777.16, 626.17)},
    "big-random-square": {"mae": (35.60, 32.75), "mse": (1852.22, 1599.89)},
    "stripes": {"mae": (39.43, 35.01), "mse": (2011.45, 1607.32)},
    "left": {"mae": (34.87, 31.62), "mse": (1980.77, 1645.05)},
    "center": {"mae": (15.18, 13.68), "mse": (704.54, 570.18)},
    "random": {"mae": (16.08, 16.08), "mse": (323.97, 323.97)},
}


@dataclasses.dataclass(frozen=True)
class Arguments:
    """Which faces, which search."""

    name: str
    """Of the file with the results."""
    data: Path | None = None
    """Packed CelebA; default: the sample faces that ship."""
    preset: str = "fast"
    prior: str = "slim"
    precision: str = "float32"
    count: int = 200
    masks: tuple[str, ...] = tuple(PATTERNS)
    seed: int = 0
    batch_size: int = 50
    steps: tuple[int, int] | None = None
    """Of stage 1 and 2; default: the preset's."""
    learning_rate: float | None = None
    reduction: str | None = None
    prior_weight: float | None = None
    operator: str | None = None
    window_size: int | None = None
    start_scale: float | None = None


def search_options(arguments: Arguments) -> InversionOptions:
    """Resolve the options of the search."""
    options = dataclasses.replace(
        get_preset(arguments.preset), batch_size=arguments.batch_size
    )
    for field in (
        "reduction",
        "prior_weight",
        "operator",
        "window_size",
        "start_scale",
    ):
        if (value := getattr(arguments, field)) is not None:
            options = dataclasses.replace(options, **{field: value})
    if arguments.steps is not None:
        first, second = (
            dataclasses.replace(search, num_steps=steps)
            for search, steps in zip(
                (options.first, options.second), arguments.steps, strict=True
            )
        )
        options = dataclasses.replace(options, first=first, second=second)
    if (rate := arguments.learning_rate) is not None:
        options = dataclasses.replace(
            options,
            first=dataclasses.replace(options.first, learning_rate=rate),
            second=options.second
            and dataclasses.replace(options.second, learning_rate=rate),
        )
    return options


def read_faces(
    data: Path | None, count: int, *, skip: int = 0
) -> tuple[np.ndarray, str]:
    """Return the next so many unseen faces, in [0, 1], and the hash of their set."""
    if data is None:
        card = sample_card()
        faces = sample_faces(min(skip + count, card["count"]))
        return faces[skip:], card["sheet"]["sha256"]
    packed = PackedImages.open(data)
    rows = packed.indices([1])[skip : skip + count]
    return packed.images[rows].astype(np.float32) / 255.0, packed.sha256


def main() -> None:
    """Measure what is not measured yet, and print the table."""
    arguments = tyro.cli(Arguments, description=__doc__)
    options = search_options(arguments)
    images, data_sha256 = read_faces(arguments.data, arguments.count)
    prior = load_prior(arguments.prior, precision=arguments.precision)
    made_with = {
        "search": options.as_dict(),
        "prior": prior.sha256,
        "precision": arguments.precision,
        "count": len(images),
        "seed": arguments.seed,
        "data_sha256": data_sha256,
    }
    path = RESULTS / f"faces-{arguments.name}.json"
    record = {
        **made_with,
        "machine": platform.processor() or platform.machine(),
        "backend": f"{backend.name()} {backend.version()}",
        "masks": {},
    }
    if path.exists():
        found = json.loads(path.read_text())
        if {key: found.get(key) for key in made_with} != made_with:
            sys.exit(f"{path} holds results of other options; name another.")
        record = found
    print("| mask | MAE | MSE | PSNR (pooled) | MSSIM | gain | paper: MAE | PSNR |")
    print("|---|---|---|---|---|---|---|---|")
    for name in arguments.masks:
        if name not in record["masks"]:
            record["masks"][name] = measure_pattern(
                name, images, prior, options, seed=arguments.seed
            )
            path.parent.mkdir(exist_ok=True)
            temporary = path.with_suffix(".tmp")
            temporary.write_text(json.dumps(record, indent=1) + "\n")
            temporary.replace(path)
        print_row(name, record["masks"][name])


def print_row(name: str, found: dict[str, Any]) -> None:
    """One line of Markdown: ours before -> after, its gain, and the paper's."""
    cells = []
    for metric, digits in (("mae", 2), ("mse", 0), ("psnr_pooled", 2), ("mssim", 3)):
        pair = [f"{found[stage][metric]:.{digits}f}" for stage in ("before", "after")]
        cells.append(" -> ".join(pair))
    cells.append(f"{found['gain_mean']:+.2f} +- {found['gain_standard_error']:.2f} dB")
    cells.append(" -> ".join(f"{value:.2f}" for value in PAPER[name]["mae"]))
    psnr = [10 * np.log10(255**2 / mse) for mse in PAPER[name]["mse"]]
    cells.append(" -> ".join(f"{value:.2f}" for value in psnr))
    print(f"| `{name}` | {' | '.join(cells)} |", flush=True)


if __name__ == "__main__":
    main()
