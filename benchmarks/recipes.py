"""Recipes of a prior on equal images seen: which gives the best one to search in?

Run from the repository root, with CelebA packed by pipelines/prepare_data.py:

    python -m benchmarks.recipes --data data/celeba64 --runs runs/recipes
    python -m benchmarks.recipes --data data/celeba64 --runs runs/recipes --seed 1

Every network is narrowed by `--scale`, so that many recipes can be compared on one
machine; what is found is confirmed at full width in the card of the shipped prior.
Each prior is judged on the first faces of partition 1: unmasked inversion, and the
holes in the centre and on the left after refinement (preset `fast`); and by the Frechet
distance of 1,000 samples from as many faces, in the space of `stlpips-vgg16-mean` (the
extra `evaluate`). Cost is the time of a step over that of plain's. Appends to
`benchmarks/results/recipes.json`, goes on there when started again, and prints a table.
"""

from __future__ import annotations

import dataclasses
import functools
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
from semantic_inpaint.metrics import aggregate, evaluate, frechet_distance
from semantic_inpaint.models.checkpoints import load_prior
from semantic_inpaint.models.prior import GenerativePrior
from semantic_inpaint.models.vgg import load_vgg_features
from semantic_inpaint.problem import InpaintingProblem
from semantic_inpaint.training.diversity import relative_diversity
from semantic_inpaint.training.export import export_prior
from semantic_inpaint.training.gan import GanTrainer
from semantic_inpaint.training.loop import TrainingData, train_prior
from semantic_inpaint.training.named_recipes import COMPARED
from semantic_inpaint.training.recipes import PLAIN, PriorRecipe

RESULTS = Path(__file__).parent / "results" / "recipes.json"
NUM_SAMPLES = 1000
COST_ROUNDS = 4
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
    # Codes start far from the image, as there is no encoder.
    options = dataclasses.replace(
        FAST,
        first=dataclasses.replace(FAST.first, num_steps=150),
        consensus_weight=PATTERNS[name].consensus_weight,
        batch_size=50,
    )
    result = SemanticInpainter(prior, options).inpaint(InpaintingProblem(images, known))
    metrics = aggregate(evaluate(result.completed, images, known))
    return metrics["hole"]["psnr_pooled"]


@functools.cache
def real_features(packed: PackedImages) -> np.ndarray:
    """Features of as many faces of partition 1 as there are samples."""
    rows = packed.indices([1])[:NUM_SAMPLES]
    return load_vgg_features()(packed.images[rows])


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
    samples = prior.generate(prior.codes_for(np.arange(NUM_SAMPLES), seed=1))
    return {
        "frechet": frechet_distance(
            real_features(packed), load_vgg_features()(samples)
        ),
        "unmasked_psnr": unmasked_psnr(prior, images),
        "center_psnr": hole_psnr("center", prior, images),
        "left_psnr": hole_psnr("left", prior, images),
        "diversity": relative_diversity(samples[:256], images),
        "cost": relative_cost(recipe, scaled("plain", arguments), data),
    }


def relative_cost(recipe: PriorRecipe, plain: PriorRecipe, data: TrainingData) -> float:
    """Time of the steps of a recipe over that of as many of the plain one, in turn."""
    trainers = [GanTrainer(recipe), GanTrainer(plain)]
    states = [trainer.initial_state() for trainer in trainers]
    seconds = np.zeros((COST_ROUNDS, 2))
    images = np.stack([data.images[i] for i in data.indices[: plain.batch_size]])
    rng = np.random.default_rng(0)
    shape = (plain.batch_size, plain.latent_dim)
    codes = rng.uniform(-1, 1, shape).astype(np.float32)
    for row in seconds:
        for which, trainer in enumerate(trainers):
            started = time.perf_counter()
            # A whole round of penalties.
            for step in range(plain.r1_interval):
                states[which], scalars = trainer.step(
                    states[which], images, codes, step
                )
            float(scalars["discriminator_loss"])
            row[which] = time.perf_counter() - started
    # The first round compiles.
    return float(np.median(seconds[1:, 0] / seconds[1:, 1]))


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
