"""Speed of training the feed-forward inpainters, beside the machine's own rate.

Run from the repository root: `python -m benchmarks.training_speed`. On the TensorFlow
backend, in bfloat16, at 64 pixels and a batch of 16, as the shipped networks were
trained: the time of a step is the median of some, of a whole round of IConv's lazy
penalty the mean; half way through the training, and, where features of one image are
looked at towards the end, there too. Operations are those of the convolutions and
matrix products in the step's graph, forward and backward (`benchmarks.operations`); the
machine's rate is that of a 2048 x 2048 matrix product in turn with the steps. Writes
`benchmarks/results/training_speed.json`.
"""

from __future__ import annotations

import dataclasses
import json
import platform
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import tyro

from benchmarks.operations import count_operations
from benchmarks.speed import MATRIX_OPERATIONS, matrix_product, median_seconds_in_turn
from semantic_inpaint import backend
from semantic_inpaint.training.holes import training_holes
from semantic_inpaint.training.inpainting import InpaintingBatch, InpaintingTrainer
from semantic_inpaint.training.inpainting_recipes import InpaintingRecipe
from semantic_inpaint.training.inpainting_table import (
    get_inpainting_recipe,
    make_trainer,
)
from semantic_inpaint.training.pconv_recipes import PConvRecipe

LATE = 0.95
RESULT = Path(__file__).parent / "results" / "training_speed.json"


@dataclasses.dataclass(frozen=True)
class Arguments:
    """What to time, and how."""

    recipes: tuple[str, ...] = ("pconv", "conv", "gated", "iconv", "pconv-gan")
    precision: str = "bfloat16"
    repeats: int = 7


def main() -> None:
    """Measure, print and write."""
    arguments = tyro.cli(Arguments, description=__doc__)
    rows = [
        measure(name, share, arguments)
        for name in arguments.recipes
        for share in moments(get_inpainting_recipe(name))
    ]
    record = {
        "machine": platform.processor() or platform.machine(),
        "backend": f"{backend.name()} {backend.version()}",
        "precision": arguments.precision,
        "rows": rows,
    }
    RESULT.write_text(json.dumps(record, indent=1) + "\n")


def moments(recipe: InpaintingRecipe) -> tuple[float, ...]:
    """Shares of a training at which its steps are of different kinds."""
    late = isinstance(recipe, PConvRecipe) and 0 < recipe.perceptual_start <= LATE
    return (0.5, LATE) if late else (0.5,)


def measure(name: str, share: float, arguments: Arguments) -> dict[str, Any]:
    """Time the steps of a recipe after a share of its training."""
    recipe = dataclasses.replace(
        get_inpainting_recipe(name), precision=arguments.precision
    )
    trainer = make_trainer(recipe)
    batch = some_batch(trainer)
    # The third phase of PConv-GAN, and a whole round of IConv's penalties.
    first = int(recipe.num_steps * share)
    interval = getattr(recipe, "penalty_interval", 1)
    first -= first % interval
    works, operations = {}, {}
    for place, step in enumerate(sorted({first, first + interval - 1})):
        works[f"step {place}"], operations[f"step {place}"] = _step(
            trainer, batch, step
        )
    works["matrix"] = matrix_product(arguments.precision)
    seconds = median_seconds_in_turn(works, arguments.repeats)
    rate = MATRIX_OPERATIONS / seconds.pop("matrix")

    def mean(values: dict[str, float]) -> float:
        rare, usual = values["step 0"], values.get("step 1", values["step 0"])
        return (rare + (interval - 1) * usual) / interval

    row = {
        "recipe": name,
        "share_done": share,
        "batch_size": recipe.batch_size,
        "seconds_a_step": mean(seconds),
        "images_a_second": recipe.batch_size / mean(seconds),
        "operations_a_step": mean(operations),
        "matrix_gflops": rate / 1e9,
        "share_of_matrix_rate": mean(operations) / mean(seconds) / rate,
    }
    print(row, flush=True)
    return row


def some_batch(trainer: InpaintingTrainer) -> InpaintingBatch:
    """Noise, with holes of every kind."""
    recipe = trainer.recipe
    count, side = recipe.batch_size, recipe.image_size
    rng = np.random.default_rng(0)
    return InpaintingBatch(
        rng.integers(0, 256, (count, side, side, 3), np.uint8),
        training_holes(count, side, seed=0, step=0, holes=recipe.holes),
        rng.standard_normal((count, recipe.latent_dim), np.float32),
        rng.random((count, 2 * recipe.num_landmarks), np.float32),
    )


def _step(
    trainer: InpaintingTrainer, batch: InpaintingBatch, step: int
) -> tuple[Callable[[], object], float]:
    """Prepare a step, and count its operations."""
    state = trainer.initial_state()

    def work() -> None:
        _, scalars = trainer.step(state, batch, step, learning_rate=1e-4)
        float(next(iter(scalars.values())))

    return work, count_operations(
        lambda s: trainer.step(s, batch, step, learning_rate=1e-4), state
    )


if __name__ == "__main__":
    main()
