"""What the papers show of trained feed-forward networks, on the networks that ship.

Run from the repository root, with CelebA packed by pipelines/prepare_data.py:

    python -m benchmarks.inpainters --data data/celeba64

- Dilation (Liu et al. 2018, figure 10): the same brush strokes, grown by more and more
  pixels; the error over what is missing then, and over what was missing at first.
- Super-resolution (section 5.2): the pixels of a smaller image are spread out, and what
  lies between is the hole; beside it, bicubic interpolation of the same pixels, and,
  with `--trained-for-it runs/pconv-super-resolution/network`, what the recipe
  `pconv-super-resolution` has learnt.
- Several answers and the certainty of the skips (Hukkelas et al. 2020, figures 6 and
  7): a picture of sample faces, and the diversity over the hole.

Errors are of the first faces of partition 1, with 95% intervals (bootstrap of the
faces). Writes `benchmarks/results/inpainters.json` and, of faces of people who do not
exist, `docs/pictures/answers.png` and `docs/pictures/super-resolution.png`.
"""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path
from typing import Any

import numpy as np
import tyro
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from scipy import ndimage
from skimage.transform import resize

from benchmarks.faces import read_faces
from semantic_inpaint.app.figure import save_stage_figure
from semantic_inpaint.benchmark.statistics import mean_intervals
from semantic_inpaint.datasets.samples import sample_faces
from semantic_inpaint.images import to_network
from semantic_inpaint.inpainters import make_inpainter
from semantic_inpaint.inpainters.feedforward import (
    FeedForwardInpainter,
    draw_codes,
    fill_several,
)
from semantic_inpaint.masks import make_free_form, make_known, spread_pixels
from semantic_inpaint.metrics import mean_squared_error, psnr_from_mse
from semantic_inpaint.models.iconv_generator import skip_shares
from semantic_inpaint.models.inpainting_files import load_network
from semantic_inpaint.models.inpainting_networks import network_inputs
from semantic_inpaint.problem import InpaintingProblem

RESULTS = Path(__file__).parent / "results"
PICTURES = Path(__file__).parents[1] / "docs" / "pictures"
METHODS = ("pconv", "conv", "iconv", "pconv-gan")
GROWTHS = (0, 1, 2, 3, 4, 6, 8)
FACTORS = (2, 3, 4)
NUM_ANSWERS = 5
NUM_SHOWN = 4


@dataclasses.dataclass(frozen=True)
class Arguments:
    """Which faces and networks."""

    data: Path | None = None
    """Packed CelebA; default: the sample faces that ship."""
    methods: tuple[str, ...] = METHODS
    count: int = 200
    """Faces of partition 1."""
    trained_for_it: Path | None = None
    """Folder of a network that was trained for super-resolution."""


def score(errors: np.ndarray) -> dict[str, float]:
    """PSNR of the mean squared error of the faces, with its interval."""
    estimate, low, high = (float(x[0]) for x in mean_intervals(errors[:, None]))
    ends = sorted(float(psnr_from_mse(x)) for x in (low, high))
    return {"psnr": float(psnr_from_mse(estimate)), "low": ends[0], "high": ends[1]}


def dilation(arguments: Arguments) -> list[dict[str, Any]]:
    """Fill brush strokes of 20 to 30% that are grown step by step."""
    images, _ = read_faces(arguments.data, arguments.count)
    first = ~make_free_form("free-form-20-30-inside", *images.shape[:3])
    rows = []
    for method in (*arguments.methods, "biharmonic"):
        inpainter = make_inpainter(method)
        for growth in GROWTHS:
            hole = np.stack([_grown(one, growth) for one in first])
            problem = InpaintingProblem(images, ~hole)
            completed = inpainter.inpaint(problem).completed
            rows.append(
                {
                    "method": method,
                    "pixels": growth,
                    "hole_share": float(hole.mean()),
                    "hole": score(mean_squared_error(completed, images, hole)),
                    "strokes": score(mean_squared_error(completed, images, first)),
                }
            )
            print(rows[-1], flush=True)
    return rows


def _grown(hole: np.ndarray, pixels: int) -> np.ndarray:
    if pixels == 0:
        return hole
    return ndimage.distance_transform_edt(~hole) <= pixels


def bicubic(images: np.ndarray, known: np.ndarray, factor: int) -> np.ndarray:
    """Interpolate between the known pixels, each at its own place."""
    start = factor // 2
    small = images[:, start::factor, start::factor]
    height, width = images.shape[1:3]
    down, across = ((np.arange(length) - start) / factor for length in (height, width))
    places = np.meshgrid(down, across, indexing="ij")
    made = [
        np.stack(
            [
                ndimage.map_coordinates(one[..., c], places, order=3, mode="nearest")
                for c in range(3)
            ],
            axis=-1,
        )
        for one in small
    ]
    made = np.clip(np.stack(made), 0.0, 1.0).astype(np.float32)
    return np.where(known[..., None], images, made)


def super_resolution(arguments: Arguments) -> list[dict[str, Any]]:
    """Fill what lies between the pixels of smaller images."""
    images, _ = read_faces(arguments.data, arguments.count)
    rows = []
    for factor in FACTORS:
        for method, completed in enlarged(arguments, images, factor).items():
            hole = ~spread_over(images, factor)
            errors = mean_squared_error(completed, images, hole)
            rows.append({"method": method, "factor": factor, **score(errors)})
            print(rows[-1], flush=True)
    return rows


def spread_over(images: np.ndarray, factor: int) -> np.ndarray:
    """Say of each image what is known when only pixels of a smaller one are."""
    known = spread_pixels(*images.shape[1:3], factor)
    return np.repeat(known[None], len(images), axis=0)


def enlarged(
    arguments: Arguments, images: np.ndarray, factor: int
) -> dict[str, np.ndarray]:
    """Fill what lies between the pixels of smaller images, by every method."""
    known = spread_over(images, factor)
    problem = InpaintingProblem(images, known)
    networks = {method: make_inpainter(method) for method in arguments.methods}
    if arguments.trained_for_it is not None:
        network = load_network(arguments.trained_for_it)
        networks["trained for it"] = FeedForwardInpainter(network)
    return {
        "bicubic": bicubic(images, known, factor),
        **{name: x.inpaint(problem).completed for name, x in networks.items()},
    }


def show_super_resolution(arguments: Arguments, factor: int = 4) -> None:
    """Draw sample faces: the pixels, their interpolation, the networks, the truth."""
    images = sample_faces(NUM_SHOWN)
    start = factor // 2
    columns = {
        "pixels": np.stack(
            [
                resize(x, images.shape[1:3], order=0)
                for x in images[:, start::factor, start::factor]
            ]
        ),
        **enlarged(arguments, images, factor),
        "original": images,
    }
    save_stage_figure(
        PICTURES / "super-resolution.png",
        list(zip(*columns.values(), strict=True)),
        row_names=[f"face {i}" for i in range(len(images))],
        column_names=list(columns),
    )


def several_answers(arguments: Arguments) -> dict[str, Any]:
    """Fill each hole in several ways, draw some, and measure gamma."""
    inpainter = make_inpainter("iconv")
    images, _ = read_faces(arguments.data, arguments.count)
    found = {}
    for pattern in ("center", "left"):
        known = make_known(pattern, *images.shape[:3])
        problem = InpaintingProblem(images, known)
        several = fill_several(inpainter, problem, num_samples=NUM_ANSWERS)
        found[pattern] = {"diversity": float(np.mean(several.diversity))}
    faces = sample_faces(NUM_SHOWN)
    known = make_known("center", *faces.shape[:3])
    problem = InpaintingProblem(faces, known)
    several = fill_several(inpainter, problem, num_samples=NUM_ANSWERS)
    network = inpainter.network
    codes = draw_codes(problem.indices, network.latent_dim, seed=0)
    masked = np.where(known[..., None], faces, np.float32(0.5))
    inputs = network_inputs(network, to_network(masked), known, codes, None)
    shares = skip_shares(network.model, inputs)
    columns = {
        "masked": masked,
        **{f"answer {i + 1}": several.completed[:, i] for i in range(NUM_ANSWERS)},
        "original": faces,
        **{
            f"gamma {side}": np.stack(
                [
                    np.repeat(resize(x, faces.shape[1:3], order=0)[..., None], 3, -1)
                    for x in shares[side]
                ]
            )
            for side in sorted(shares, reverse=True)
        },
    }
    save_stage_figure(
        PICTURES / "answers.png",
        list(zip(*columns.values(), strict=True)),
        row_names=[f"face {i}" for i in range(len(faces))],
        column_names=list(columns),
    )
    hole = problem.hole
    found["mean_gamma"] = {
        str(side): {
            "hole": float(np.mean(_at_side(share, hole))),
            "known": float(np.mean(_at_side(share, known))),
        }
        for side, share in shares.items()
    }
    print(found, flush=True)
    return found


def _at_side(share: np.ndarray, region: np.ndarray) -> np.ndarray:
    """Values of a map `[B, side, side]` at the places that lie wholly in a region."""
    count, side, _ = share.shape
    block = region.shape[1] // side
    whole = region.reshape(count, side, block, side, block).all(axis=(2, 4))
    return share[whole]


def draw_dilation(rows: list[dict[str, Any]], path: Path) -> None:
    """Draw PSNR against the growth of the hole, a line for each method."""
    figure = Figure(figsize=(9, 4), layout="constrained")
    FigureCanvasAgg(figure)
    titles = {"hole": "over the grown hole", "strokes": "over the first hole"}
    for axis, (region, title) in zip(
        figure.subplots(1, 2), titles.items(), strict=True
    ):
        for method in dict.fromkeys(row["method"] for row in rows):
            own = [row for row in rows if row["method"] == method]
            x = [row["pixels"] for row in own]
            axis.plot(x, [row[region]["psnr"] for row in own], "o-", label=method)
            ends = ([row[region][end] for row in own] for end in ("low", "high"))
            axis.fill_between(x, *ends, alpha=0.15)
        axis.set(title=title, xlabel="pixels that the hole is grown by")
        axis.set_ylabel("PSNR (dB)")
        axis.grid(alpha=0.3)
    axis.legend(fontsize=8)
    figure.savefig(path, dpi=150)


def main() -> None:
    """Measure, draw and write."""
    arguments = tyro.cli(Arguments, description=__doc__)
    record = {
        "count": arguments.count,
        "dilation": dilation(arguments),
        "super_resolution": super_resolution(arguments),
    }
    if "iconv" in arguments.methods:
        record["several_answers"] = several_answers(arguments)
    draw_dilation(record["dilation"], RESULTS / "dilation.png")
    show_super_resolution(arguments)
    path = RESULTS / "inpainters.json"
    path.write_text(json.dumps(record, indent=1) + "\n")


if __name__ == "__main__":
    main()
