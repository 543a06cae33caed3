"""Speed of the search, of sampling and of training, beside the machine's own rate.

Run from the repository root: `python -m benchmarks.speed`. The machine's rate is that
of a 2048 x 2048 matrix product in the same framework, precision and run; a share is
the floating-point operations of a step over what the machine could do in its time.
Every time is the median of some repeats. Writes `benchmarks/results/speed.json`.
"""

from __future__ import annotations

import dataclasses
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


def median_seconds(work: Callable[[], object], repeats: int = 5) -> float:
    """Median wall time of `work`, after one call to warm up."""
    work()
    times = []
    for _ in range(repeats):
        start = time.perf_counter()
        work()
        times.append(time.perf_counter() - start)
    return statistics.median(times)


def matrix_rate(precision: str) -> float:
    """Operations per second of a large matrix product."""
    rng = np.random.default_rng(0)
    a = ops.cast(rng.random((2048, 2048), dtype=np.float32), precision)
    product = backend.compile_function(
        lambda x: ops.sum(ops.cast(ops.matmul(x, x), "float32"))
    )
    seconds = median_seconds(lambda: ops.convert_to_numpy(product(a)))
    return 2 * 2048**3 / seconds


def step_operations(prior: GenerativePrior, prior_weight: float) -> float:
    """Operations of one search step for one image: forward, and back to the input."""
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


def search_rows(rates: dict[str, float]) -> list[dict]:
    """Time the search, with and without the discriminator."""
    rows = []
    for precision in PRECISIONS:
        prior = load_prior(precision=precision)
        for weight in (0.0, 0.003):
            for batch in BATCHES:
                size = prior.image_size
                known = make_known("center", batch, size, size)
                codes = prior.codes_for(np.arange(batch), seed=0)
                images = 2.0 * prior.generate(codes) - 1.0
                target = semantic_target(images, importance_weights(known))
                objective = Objective(prior, weight)
                options = SearchOptions(num_steps=STEPS)
                seconds = median_seconds(
                    lambda: search_latent(objective, codes, target, options),  # noqa: B023 - called at once
                    repeats=3,
                )
                each = seconds / STEPS / batch
                share = step_operations(prior, weight) / each / rates[precision]
                rows.append(
                    {
                        "precision": precision,
                        "discriminator": weight > 0,
                        "batch": batch,
                        "ms_per_image_and_step": 1e3 * each,
                        "share_of_matrix_rate": share,
                    }
                )
                print(
                    f"search {precision:8} D {weight > 0!s:5} batch {batch:2}: "
                    f"{1e3 * each:6.2f} ms an image and step, {share:.0%} of the rate",
                    flush=True,
                )
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
    rates = {precision: matrix_rate(precision) for precision in PRECISIONS}
    for precision, rate in rates.items():
        print(f"matrix product {precision:8}: {rate / 1e9:.0f} GFLOP/s", flush=True)
    record = {
        "machine": platform.processor() or platform.machine(),
        "devices": backend.device_names(),
        "backend": f"{backend.name()} {backend.version()}",
        "matrix_gflops": {key: rate / 1e9 for key, rate in rates.items()},
        "search": search_rows(rates),
        "samples_per_second": sampling_rate(),
        "training_images_per_second": {p: training_rate(p) for p in PRECISIONS},
    }
    print(f"sampling: {record['samples_per_second']:.0f} images a second")
    print(f"training: {record['training_images_per_second']} images a second")
    RESULT.parent.mkdir(exist_ok=True)
    RESULT.write_text(json.dumps(record, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
