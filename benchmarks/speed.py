"""Speed of the search, of sampling and of training, beside the machine's own rate.

Run from the repository root: `python -m benchmarks.speed`. The machine's rate is that
of a 2048 x 2048 matrix product in the same framework, precision and run; a share is
the floating-point operations of a step over what the machine could do in its time.
Every time is the median of some repeats. The search is also timed with the networks
as they were trained (`models.inference` has another form of them) and, where PyTorch
is installed, as a plain PyTorch loop; all take turns, so that what else the machine
does falls on each alike. Writes `benchmarks/results/speed.json`.
"""

from __future__ import annotations

import dataclasses
import functools
import importlib.util
import itertools
import json
import platform
import statistics
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
from keras import ops

from semantic_inpaint import backend
from semantic_inpaint.latent.objective import Objective, semantic_target
from semantic_inpaint.latent.search import SearchOptions, search_latent
from semantic_inpaint.latent.weights import importance_weights
from semantic_inpaint.masks import make_known
from semantic_inpaint.models.checkpoints import load_prior
from semantic_inpaint.models.prior import GenerativePrior
from semantic_inpaint.training.gan import GanTrainer
from semantic_inpaint.training.recipes import PLAIN

RESULT = Path(__file__).parent / "results" / "speed.json"
PRECISIONS = ("float32", "bfloat16")
BATCHES = (1, 8, 64)
STEPS = 20
REPEATS = 5
MATRIX_OPERATIONS = 2 * 2048**3
# Of the last losses of both loops: twenty steps apart, each with its own rounding.
LOSS_TOLERANCE = {"float32": 1e-3, "bfloat16": 0.05}


def median_seconds(work: Callable[[], object], repeats: int = 5) -> float:
    """Median wall time of `work`, after one call to warm up."""
    return median_seconds_in_turn({"work": work}, repeats)["work"]


def median_seconds_in_turn(
    works: dict[str, Callable[[], object]], repeats: int
) -> dict[str, float]:
    """Median wall time of each, taken in turn, after one call of each to warm up."""
    times = {name: [] for name in works}
    for turn in range(repeats + 1):
        for name, work in works.items():
            start = time.perf_counter()
            work()
            if turn > 0:
                times[name].append(time.perf_counter() - start)
    return {name: statistics.median(found) for name, found in times.items()}


def matrix_product(precision: str) -> Callable[[], np.ndarray]:
    """Return a large matrix product, compiled, of `MATRIX_OPERATIONS`."""
    rng = np.random.default_rng(0)
    a = ops.cast(rng.random((2048, 2048), dtype=np.float32), precision)
    product = backend.compile_function(
        lambda x: ops.sum(ops.cast(ops.matmul(x, x), "float32"))
    )
    return lambda: ops.convert_to_numpy(product(a))


def step_operations(prior: GenerativePrior, prior_weight: float) -> float:
    """Operations of one search step for one image: forward, and back to the input.

    Counted on the networks as they were trained, without products by the zeros between
    the pixels of a transposed convolution.
    """
    operations = 0
    networks = [prior.generator] + ([prior.discriminator] if prior_weight else [])
    for layer in (layer for network in networks for layer in network.layers):
        if not hasattr(layer, "kernel"):
            continue
        if layer.kernel.ndim == 2:
            operations += 2 * layer.kernel.shape[0] * layer.kernel.shape[1]
        else:
            # The smaller map: input of a transposed, output of a plain convolution.
            maps = (layer.input.shape[1:3], layer.output.shape[1:3])
            pixels = min(height * width for height, width in maps)
            operations += 2 * pixels * int(np.prod(layer.kernel.shape))
    return 2.0 * operations


def search_row(precision: str, weight: float, batch: int) -> dict:
    """Time a search, taking turns with others and with the matrix product."""
    prior = load_prior(precision=precision)
    trained = load_prior(precision=precision, as_trained=True)
    known = make_known("center", batch, prior.image_size, prior.image_size)
    codes = prior.codes_for(np.arange(2 * batch), seed=0)
    images = 2.0 * prior.generate(codes[:batch]) - 1.0
    target = semantic_target(images, importance_weights(known))
    task = (codes[batch:], target, SearchOptions(num_steps=STEPS))
    works = {
        "search": functools.partial(search_latent, Objective(prior, weight), *task),
        "as_trained": functools.partial(
            search_latent, Objective(trained, weight), *task
        ),
        "matrix": matrix_product(precision),
    }
    settings = {}
    if importlib.util.find_spec("torch") is not None:
        from benchmarks.torch_search import torch_searches

        searches, settings["pytorch_settings"] = torch_searches(
            trained, weight, *task, precision=precision
        )
        ours = works["search"]().trace[:, -1]
        for search in searches.values():
            theirs = search()
            if not np.allclose(ours, theirs, rtol=LOSS_TOLERANCE[precision]):
                raise ValueError(f"losses differ from PyTorch's: {ours} and {theirs}")
        works |= searches
    seconds = median_seconds_in_turn(works, REPEATS)
    rates = {
        "search": step_operations(trained, weight) * batch * STEPS / seconds["search"],
        "matrix": MATRIX_OPERATIONS / seconds["matrix"],
    }
    return {
        "precision": precision,
        "discriminator": weight > 0,
        "batch": batch,
        "ms_per_image_and_step": 1e3 * seconds["search"] / STEPS / batch,
        "matrix_gflops": rates["matrix"] / 1e9,
        "share_of_matrix_rate": rates["search"] / rates["matrix"],
        **{
            f"ratio_to_{other}": seconds["search"] / seconds[other]
            for other in ("as_trained", "pytorch", "pytorch_folded")
            if other in seconds
        },
        **settings,
    }


def search_rows() -> list[dict]:
    """Time the search, with and without the discriminator."""
    rows = []
    for precision, weight, batch in itertools.product(
        PRECISIONS, (0.0, 0.003), BATCHES
    ):
        rows.append(search_row(precision, weight, batch))
        values = (
            f"{key} {value:.2f}" if isinstance(value, float) else f"{key} {value}"
            for key, value in rows[-1].items()
        )
        print("search:", ", ".join(values), flush=True)
    return rows


def sampling_rate() -> float:
    """Images per second of the generator, in float32, at batch 64."""
    prior = load_prior()
    codes = prior.codes_for(np.arange(64), seed=0)
    return 64 / median_seconds(lambda: prior.generate(codes))


def training_rate(precision: str) -> float:
    """Training images per second of the plain recipe, without its rarer R1 steps."""
    recipe = dataclasses.replace(PLAIN, precision=precision)
    trainer = GanTrainer(recipe)
    state = trainer.initial_state()
    rng = np.random.default_rng(0)
    side = recipe.image_size
    real = rng.integers(0, 256, (recipe.batch_size, side, side, 3), np.uint8)
    codes = rng.uniform(-1, 1, (recipe.batch_size, recipe.latent_dim))
    codes = codes.astype(np.float32)

    def step() -> None:
        _, scalars = trainer.step(state, real, codes, 1)
        ops.convert_to_numpy(scalars["generator_loss"])

    return recipe.batch_size / median_seconds(step)


def main() -> None:
    """Measure, print and write."""
    if importlib.util.find_spec("torch") is None:
        print("PyTorch is not installed: no ratio to it (`pip install torch`).")
    record = {
        "machine": platform.processor() or platform.machine(),
        "devices": backend.device_names(),
        "backend": f"{backend.name()} {backend.version()}",
        "search": search_rows(),
        "samples_per_second": sampling_rate(),
        "training_images_per_second": {p: training_rate(p) for p in PRECISIONS},
    }
    print(f"sampling: {record['samples_per_second']:.0f} images a second")
    print(f"training: {record['training_images_per_second']} images a second")
    RESULT.parent.mkdir(exist_ok=True)
    RESULT.write_text(json.dumps(record, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
