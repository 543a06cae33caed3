"""Speed of the U-Net of partial convolutions, beside the same table in PyTorch.

Run from the repository root, where PyTorch is installed:

    python -m benchmarks.inference

The paper's network (table 2 of Liu et al., 64 channels in its first row; seven levels
at 256 pixels, eight at 512) with random weights fills brush strokes in noise, as
`InpaintingNetwork.generate` calls it: in the form that infers fastest, and as trained.
Both forms of `benchmarks.torch_pconv` take turns with them, each with its best thread
setting and memory format; all have the same weights, and their results are compared.
Every time is the median of some turns. Writes `benchmarks/results/inference.json`.
"""

from __future__ import annotations

import dataclasses
import itertools
import json
import platform
from pathlib import Path
from typing import Any

import numpy as np
import torch
import tyro
from keras import ops

from benchmarks.speed import MATRIX_OPERATIONS, matrix_product, median_seconds_in_turn
from benchmarks.torch_pconv import torch_unets
from semantic_inpaint import backend
from semantic_inpaint.models.pconv_inference import prepare_pconv_unet
from semantic_inpaint.models.pconv_unet import UNetRow, build_pconv_unet, plan_unet
from semantic_inpaint.training.holes import training_holes

RESULT = Path(__file__).parent / "results" / "inference.json"
PRECISIONS = ("float32", "bfloat16")
SIZES, BATCHES = (256, 512), (1, 8)
# Root mean square of the difference, over the standard deviation, after 16 rows.
TOLERANCE = {"float32": 1e-5, "bfloat16": 0.1}


@dataclasses.dataclass(frozen=True)
class Arguments:
    """How large, how often."""

    width: int = 64
    repeats: int = 5
    sizes: tuple[int, ...] = SIZES
    batches: tuple[int, ...] = BATCHES
    precisions: tuple[str, ...] = PRECISIONS


def multiplications(plan: list[UNetRow], size: int) -> int:
    """Multiplications of one image, as the table reads."""
    made, total = [(3, size)], 0
    for row in plan:
        channels, side = made[-1]
        if row.skip is not None:
            skip, side = made[row.skip]
            channels += skip
        side //= row.strides
        total += row.kernel_size**2 * channels * row.filters * side**2
        made.append((row.filters, side))
    return total


def measure(
    size: int, batch: int, precision: str, width: int, repeats: int
) -> dict[str, Any]:
    """Time all forms at one size.

    Raises:
        ValueError: Their results differ.
    """
    plan = plan_unet(image_size=size, width=width)
    trained = build_pconv_unet(
        image_size=size, width=width, dtype=backend.compute_policy(precision)
    )
    rng = np.random.default_rng(0)
    images = rng.uniform(-1, 1, (batch, size, size, 3)).astype(np.float32)
    known = training_holes(batch, size, seed=0, step=0, holes="freeform")
    known = known[..., None].astype(np.float32)

    def caller(model: Any) -> Any:  # noqa: ANN401 - Keras' models are not typed
        weights = [v.value for v in model.trainable_variables]
        stats = [v.value for v in model.non_trainable_variables]
        call = backend.compile_function(
            lambda *given: model.stateless_call(*given, training=False)[0]
        )
        return lambda: ops.convert_to_numpy(call(weights, stats, [images, known]))

    works = {"ours": caller(prepare_pconv_unet(trained)), "as trained": caller(trained)}
    settings = {}
    others = torch_unets(trained, plan, images, known, precision=precision)
    for form, (fill, words) in others.items():
        works[f"pytorch {form}"] = fill
        settings[form] = words
    results = {name: work() for name, work in works.items()}
    for name, found in results.items():
        error = np.sqrt(np.square(found - results["ours"]).mean())
        if not (share := error / results["ours"].std()) < TOLERANCE[precision]:
            raise ValueError(f"{name} differs by {share} of the standard deviation.")
    seconds = median_seconds_in_turn(
        {**works, "matrix": matrix_product(precision)}, repeats
    )
    rate = 2 * batch * multiplications(plan, size) / seconds["ours"]
    matrix = MATRIX_OPERATIONS / seconds["matrix"]
    return {
        "size": size,
        "batch": batch,
        "precision": precision,
        "ms_per_image": 1e3 * seconds["ours"] / batch,
        **{
            f"ratio_to_{name.replace(' ', '_')}": seconds["ours"] / seconds[name]
            for name in works
            if name != "ours"
        },
        "gflops_of_the_table": rate / 1e9,
        "matrix_gflops": matrix / 1e9,
        "pytorch_settings": settings,
    }


def main() -> None:
    """Measure, print and write."""
    arguments = tyro.cli(Arguments, description=__doc__)
    rows = []
    for precision, size, batch in itertools.product(
        arguments.precisions, arguments.sizes, arguments.batches
    ):
        row = measure(size, batch, precision, arguments.width, arguments.repeats)
        rows.append(row)
        print(row, flush=True)
    record = {
        "machine": platform.processor() or platform.machine(),
        "backend": f"{backend.name()} {backend.version()}",
        "pytorch": torch.__version__,
        "width": arguments.width,
        "rows": rows,
    }
    RESULT.write_text(json.dumps(record, indent=1) + "\n")


if __name__ == "__main__":
    main()
