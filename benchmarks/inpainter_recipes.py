"""Recipes of feed-forward inpainters on equal images seen: what does each part bring?

Run from the repository root, with CelebA packed by pipelines/prepare_data.py:

    python -m benchmarks.inpainter_recipes --data data/celeba64 --runs runs/compared
    python -m benchmarks.inpainter_recipes --data data/celeba64 --runs runs/compared \
        --family iconv --seed 1

In each family every recipe is the first but for one thing; except `gated`, which is
narrower too, to have as many weights, and `iconv-a` and `iconv-d`, which are configs of
the paper and differ in several things (docs/decisions/0020). All are trained on the
same images and holes in the same order, seed by seed. They are measured on the first
faces of partition 1, on the six patterns and on brush strokes of all ratios, clear of
the border and touching it: the mean squared error in the hole, of each face. A run
whose losses are no longer finite is a result too, and keeps its last step. Appends to
`benchmarks/results/inpainter_recipes.json`, goes on there when started again, and
prints the gain of each recipe over the first of its family, over all seeds, with 95%
intervals (bootstrap of the faces).
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
from semantic_inpaint.benchmark.statistics import pooled_gain_interval
from semantic_inpaint.datasets.packed import PackedImages
from semantic_inpaint.inpainters.feedforward import FeedForwardInpainter
from semantic_inpaint.masks import (
    FREE_FORM_GROUPS,
    PATTERNS,
    make_free_form,
    make_known,
)
from semantic_inpaint.metrics import mean_squared_error, psnr_from_mse
from semantic_inpaint.models.inpainting_networks import describe_network
from semantic_inpaint.problem import InpaintingProblem
from semantic_inpaint.training.inpainting import train_inpainter
from semantic_inpaint.training.inpainting_recipes import InpaintingRecipe
from semantic_inpaint.training.inpainting_table import (
    get_inpainting_recipe,
    make_trainer,
    network_facts,
)
from semantic_inpaint.training.loop import TrainingData

RESULTS = Path(__file__).parent / "results" / "inpainter_recipes.json"
FAMILIES = {
    "layers": ("pconv", "conv", "gated"),
    "optimizers": ("pconv-adam", "pconv"),
    "pconv-gan": (
        "pconv-gan",
        "pconv-gan-mse",
        "pconv-gan-no-local",
        "pconv-gan-plain",
    ),
    "iconv": (
        "iconv-e",
        "iconv-critic-gain",
        "iconv",
        "iconv-plain",
        "iconv-no-latent",
        "iconv-standard-penalty",
        "iconv-hole-penalty",
        "iconv-a",
        "iconv-d",
    ),
}
SMALLEST = 1e-6


@dataclasses.dataclass(frozen=True)
class Arguments:
    """Which recipes, how far."""

    data: Path
    runs: Path
    """Folder for the states of the trainings."""
    family: str = "layers"
    """layers, optimizers, pconv-gan or iconv."""
    num_images: int = 64_000
    """To see in each training."""
    count: int = 200
    """Faces of partition 1."""
    seed: int = 0
    partitions: tuple[int, ...] = (0, 2)


def holes(count: int, side: int) -> dict[str, np.ndarray]:
    """Draw a hole of every kind for each of so many images, the same in every run."""
    found = {name: make_known(name, count, side, side) for name in PATTERNS}
    return found | {
        name: make_free_form(name, count, side, side) for name in FREE_FORM_GROUPS
    }


def recipe_of(name: str, arguments: Arguments, seed: int) -> InpaintingRecipe:
    """Look a recipe up, and give it the length and seed of a comparison."""
    return dataclasses.replace(
        get_inpainting_recipe(name),
        num_images=arguments.num_images,
        seed=seed,
        precision="bfloat16",
    )


def key_of(
    name: str, recipe: InpaintingRecipe, arguments: Arguments, data_sha256: str
) -> dict[str, Any]:
    """Return all that a record depends on, as it is read back from a file.

    The recipe is in it whole: of one that was changed since, nothing is measured yet.
    """
    key = {
        "recipe": name,
        "seed": recipe.seed,
        "num_images": recipe.num_images,
        "count": arguments.count,
        "partitions": arguments.partitions,
        "data_sha256": data_sha256,
        "settings": recipe.as_dict(),
    }
    return json.loads(json.dumps(key))


def is_measured(key: dict[str, Any], records: list[dict[str, Any]]) -> bool:
    """Whether one of the records has this key.

    A record that is older than a field of the recipe was made with the field's default.
    """
    fields = dataclasses.fields(get_inpainting_recipe(key["recipe"]))
    defaults = json.loads(json.dumps({field.name: field.default for field in fields}))
    return any(
        key.items() <= {**record, "settings": defaults | record["settings"]}.items()
        for record in records
    )


def measure(
    name: str, recipe: InpaintingRecipe, arguments: Arguments, packed: PackedImages
) -> dict[str, Any]:
    """Train a recipe, or take up where its training was, and judge it."""
    data = TrainingData(
        packed.images,
        packed.indices(arguments.partitions),
        packed.sha256,
        arguments.partitions,
    )
    folder = arguments.runs / f"{name}-{recipe.seed}"
    trainer = make_trainer(recipe)
    reports: list[dict] = []
    try:
        result = train_inpainter(
            trainer,
            data,
            folder,
            report=lambda state: reports.append({"step": state.step, **state.scalars}),
            report_interval=100,
            clock=time.perf_counter,
        )
    except FloatingPointError as error:
        return {"diverged": str(error).splitlines()[0], "reports": reports[-3:]}
    kind, architecture = recipe.network()
    card = {
        "network": kind,
        "architecture": architecture,
        **network_facts(recipe, data, None),
    }
    network = describe_network(trainer.generator(result.state), card)
    return {
        "seconds": result.seconds,
        "last_scalars": reports[-1] if reports else {},
        "squared_errors": judge(FeedForwardInpainter(network), arguments, recipe),
    }


def judge(
    inpainter: FeedForwardInpainter, arguments: Arguments, recipe: InpaintingRecipe
) -> dict[str, list[float]]:
    """Squared error in the hole of each face, by the kind of its hole."""
    images, _ = read_faces(arguments.data, arguments.count)
    found = {}
    for name, known in holes(len(images), recipe.image_size).items():
        problem = InpaintingProblem(images, known)
        completed = inpainter.inpaint(problem).completed
        errors = mean_squared_error(completed, images, problem.hole)
        found[name] = [float(f"{error:.4g}") for error in errors]
    return found


def table(records: list[dict[str, Any]], names: tuple[str, ...]) -> list[str]:
    """Lines of Markdown: the first recipe's PSNR, and the gains of the others."""
    by_name = {
        name: {r["seed"]: r for r in records if r["recipe"] == name} for name in names
    }
    lines = [
        f"| {name}, seed {seed} | diverged: {row['diverged']} |"
        for name, rows in by_name.items()
        for seed, row in rows.items()
        if "diverged" in row
    ]
    good = {
        name: {s: r["squared_errors"] for s, r in rows.items() if "diverged" not in r}
        for name, rows in by_name.items()
    }
    first, *others = names
    for kind in next(iter(good[first].values()), {}):
        own = np.mean([errors[kind] for errors in good[first].values()], axis=0)
        cells = [kind, f"{psnr_from_mse(own.mean()):.2f}"]
        for name in others:
            # Seeds that both have: of an image their errors are averaged first.
            both = sorted(good[first].keys() & good[name].keys())
            if not both:
                cells.append("")
                continue
            pair = [
                np.mean([good[which][seed][kind] for seed in both], axis=0)
                for which in (first, name)
            ]
            gain, low, high = pooled_gain_interval(*np.maximum(pair, SMALLEST))
            cells.append(f"{gain:+.2f} [{low:+.2f}, {high:+.2f}]")
        lines.append(f"| {' | '.join(cells)} |")
    return [f"| hole | {' | '.join(names)} |", "|---" * (len(names) + 1) + "|", *lines]


def main() -> None:
    """Train and measure what is not measured yet, and print the table."""
    arguments = tyro.cli(Arguments, description=__doc__)
    packed = PackedImages.open(arguments.data)
    names = FAMILIES[arguments.family]

    def key(name: str, seed: int) -> dict[str, Any]:
        recipe = recipe_of(name, arguments, seed)
        return key_of(name, recipe, arguments, packed.sha256)

    for name in names:
        wanted = key(name, arguments.seed)
        if not is_measured(wanted, read_records()):
            recipe = recipe_of(name, arguments, arguments.seed)
            row = {**wanted, **measure(name, recipe, arguments, packed)}
            temporary = RESULTS.with_suffix(".tmp")
            temporary.write_text(json.dumps([*read_records(), row]) + "\n")
            temporary.replace(RESULTS)
    family = [record for record in read_records() if record["recipe"] in names]
    same = [r for r in family if is_measured(key(r["recipe"], r["seed"]), [r])]
    print("\n".join(table(same, names)))


def read_records() -> list[dict[str, Any]]:
    """Return what was measured so far."""
    return json.loads(RESULTS.read_text()) if RESULTS.exists() else []


if __name__ == "__main__":
    main()
