"""Recipes of a prior on equal images seen: which gives the best one to search in?

Run from the repository root, with CelebA packed by pipelines/prepare_data.py:

    python -m benchmarks.recipes --data data/celeba64 --runs runs/recipes
    python -m benchmarks.recipes --data data/celeba64 --runs runs/recipes --seed 1

Every network is narrowed by `--scale`, so that many recipes can be compared on one
machine; what is found is confirmed at full width in the card of the shipped prior.
Each prior is judged on the first faces of partition 1: unmasked inversion, and the
holes in the centre and on the left after refinement (preset `fast`). Appends to
`benchmarks/results/recipes.json`, goes on there when started again, and prints a table.
"""

from __future__ import annotations

import dataclasses
import json
import time
from pathlib import Path
from typing import Any

import numpy as np
import tyro

from semantic_inpaint.datasets.packed import PackedImages
from semantic_inpaint.inpainters import SemanticInpainter
from semantic_inpaint.latent.presets import FAST
from semantic_inpaint.latent.search import SearchOptions
from semantic_inpaint.latent.unmasked import invert_images
from semantic_inpaint.masks import PATTERNS, make_known
from semantic_inpaint.metrics import aggregate, evaluate
from semantic_inpaint.models.checkpoints import load_prior
from semantic_inpaint.models.prior import GenerativePrior
from semantic_inpaint.problem import InpaintingProblem
from semantic_inpaint.training.diversity import relative_diversity
from semantic_inpaint.training.export import export_prior
from semantic_inpaint.training.loop import TrainingData, train_prior
from semantic_inpaint.training.recipes import COMPARED, PLAIN, PriorRecipe

RESULTS = Path(__file__).parent / "results" / "recipes.json"
SEARCH = SearchOptions(num_steps=200, learning_rate=0.05, schedule="cosine")


@dataclasses.dataclass(frozen=True)
class Arguments:
    """Which recipes, how far."""

    data: Path
    runs: Path
    """Folder for the states of the trainings."""
    recipes: tuple[str, ...] = ("plain", *COMPARED)
    num_images: int = 128_000
    scale: float = 0.5
    """Of the width of every network."""
    count: int = 100
    """Faces of partition 1."""
    seed: int = 0


def scaled(name: str, arguments: Arguments) -> PriorRecipe:
    """Narrow the networks of a recipe, and set its length and seed."""
    recipe = PLAIN if name == "plain" else COMPARED[name]
    return dataclasses.replace(
        recipe,
        generator_width=round(recipe.generator_width * arguments.scale),
        discriminator_width=round(recipe.discriminator_width * arguments.scale),
        num_images=arguments.num_images,
        seed=arguments.seed,
    )


def unmasked_psnr(prior: GenerativePrior, images: np.ndarray) -> float:
    """Mean PSNR of the best codes found for whole images."""
    found = invert_images(prior, images, options=SEARCH)
    errors = np.square(prior.generate(found.z) - images).mean(axis=(1, 2, 3))
    return float((-10.0 * np.log10(errors)).mean())


def hole_psnr(name: str, prior: GenerativePrior, images: np.ndarray) -> float:
    """Pooled PSNR of a hole after refinement."""
    known = make_known(name, len(images), *images.shape[1:3])
    options = dataclasses.replace(
        FAST, consensus_weight=PATTERNS[name].consensus_weight, batch_size=50
    )
    result = SemanticInpainter(prior, options).inpaint(InpaintingProblem(images, known))
    metrics = aggregate(evaluate(result.completed, images, known))
    return metrics["hole"]["psnr_pooled"]


def measure(name: str, arguments: Arguments, packed: PackedImages) -> dict[str, Any]:
    """Train one recipe, and judge the prior."""
    recipe = scaled(name, arguments)
    data = TrainingData(
        packed.images, packed.indices([0, 2]), packed.sha256, partitions=(0, 2)
    )
    folder = arguments.runs / f"{name}-{arguments.seed}"
    found = train_prior(recipe, data, folder, clock=time.perf_counter)
    export_prior(
        found, data, folder / "prior", name=name, data_note="CelebA", licence=""
    )
    prior = load_prior(folder / "prior", precision="auto")
    rows = packed.indices([1])[: arguments.count]
    images = packed.images[rows].astype(np.float32) / 255.0
    samples = prior.generate(prior.codes_for(np.arange(256), seed=1))
    return {
        "unmasked_psnr": unmasked_psnr(prior, images),
        "center_psnr": hole_psnr("center", prior, images),
        "left_psnr": hole_psnr("left", prior, images),
        "diversity": relative_diversity(samples, images),
        "images_per_second": recipe.num_images / found.seconds,
    }


def main() -> None:
    """Measure what is not measured yet, and print the table."""
    arguments = tyro.cli(Arguments, description=__doc__)
    packed = PackedImages.open(arguments.data)
    setting = {
        "num_images": arguments.num_images,
        "scale": arguments.scale,
        "count": arguments.count,
        "data_sha256": packed.sha256,
    }
    for name in arguments.recipes:
        key = {"recipe": name, "seed": arguments.seed, **setting}
        records = json.loads(RESULTS.read_text()) if RESULTS.exists() else []
        row = next((r for r in records if key.items() <= r.items()), None)
        if row is None:
            row = {**key, **measure(name, arguments, packed)}
            records = json.loads(RESULTS.read_text()) if RESULTS.exists() else []
            temporary = RESULTS.with_suffix(".tmp")
            temporary.write_text(json.dumps([*records, row], indent=1) + "\n")
            temporary.replace(RESULTS)
        figures = [f"{value:.2f}" for what, value in row.items() if what not in key]
        print(f"| {name} | {' | '.join(figures)} |", flush=True)


if __name__ == "__main__":
    main()
