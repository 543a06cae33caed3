"""What `run` leaves behind: figure, stages, metrics, options."""

from __future__ import annotations

import dataclasses
import datetime
import hashlib
import importlib.metadata
import json
import math
import os
import platform
import shutil
from pathlib import Path
from typing import Any

import numpy as np
from rich.table import Table

from semantic_inpaint import __version__, backend
from semantic_inpaint.app.figure import save_stage_figure
from semantic_inpaint.app.inputs import Holes
from semantic_inpaint.images import save_image
from semantic_inpaint.metrics import aggregate, evaluate
from semantic_inpaint.models.prior import GenerativePrior
from semantic_inpaint.problem import InpaintingResult

FIGURE_ROWS = 8
PACKAGES = ("keras", "tensorflow", "jax", "numpy", "scipy", "cvxpy", "scikit-image")


@dataclasses.dataclass(frozen=True, eq=False)
class MeasuredRun:
    """The result for one kind of hole, and how good it is.

    Attributes:
        holes: What was missing.
        result: What was made of it.
        evaluations: By stage (`"inpainted"`, `"refined"`), from `metrics.evaluate`.
    """

    holes: Holes
    result: InpaintingResult
    evaluations: dict[str, dict]


def measure(holes: Holes, result: InpaintingResult, images: np.ndarray) -> MeasuredRun:
    """Compare every completed stage with the originals."""
    pictures = {"inpainted": result.stages["blended"]}
    if "refined" in result.stages:
        pictures["refined"] = result.completed
    evaluations = {
        stage: evaluate(picture, images, holes.known)
        for stage, picture in pictures.items()
    }
    return MeasuredRun(holes, result, evaluations)


def prepare_folder(out: Path | None, mask: str) -> Path:
    """Choose the folder of the results and see that it can be written.

    Raises:
        ValueError: It exists and is not empty, or cannot be written.
    """
    if out is None:
        now = datetime.datetime.now().astimezone()
        name = f"{Path(mask).stem}-{now:%Y%m%d-%H%M%S}"
        out = Path("outputs") / name
    out = Path(os.path.abspath(out))  # noqa: PTH100 - no link is to be followed
    try:
        if out.exists() and (not out.is_dir() or any(out.iterdir())):
            raise ValueError(
                f"{out} exists and is not an empty folder; name another with --out, so "
                "that no result is overwritten."
            )
        out.parent.mkdir(parents=True, exist_ok=True)
        work = _work_folder(out)
        work.mkdir()
        work.rmdir()
    except OSError as error:
        raise ValueError(
            f"cannot write to {out} ({error.strerror}); name another folder with --out."
        ) from error
    return out


def save(
    out: Path,
    runs: list[MeasuredRun],
    *,
    images: np.ndarray,
    names: list[str],
    options: dict[str, Any],
    prior: GenerativePrior,
    seconds: float,
) -> None:
    """Write everything beside the folder, then move it there whole."""
    work = _work_folder(out)
    work.mkdir(parents=True)
    try:
        _save_pictures(work, runs, images, names)
        _save_json(work / "metrics.json", _metrics(runs, names, seconds))
        _save_json(work / "options.json", _provenance(options, runs, prior, images))
        if out.exists():
            out.rmdir()
        work.replace(out)
    finally:
        shutil.rmtree(work, ignore_errors=True)


def table(runs: list[MeasuredRun]) -> Table:
    """Return the means over all images, in the hole and over the whole image."""
    shown = Table()
    for heading in ("mask", "stage", "over"):
        shown.add_column(heading)
    for heading in ("MAE", "MSE", "PSNR", "MSSIM"):
        shown.add_column(heading, justify="right")
    for run in runs:
        for region in ("hole", "image"):
            for stage, evaluation in run.evaluations.items():
                means = aggregate(evaluation)[region]
                shown.add_row(
                    run.holes.name,
                    stage,
                    region,
                    f"{means['mae']:.2f}",
                    f"{means['mse']:.1f}",
                    f"{means['psnr_mean']:.2f}",
                    f"{means['mssim']:.4f}",
                )
    return shown


def _save_pictures(
    folder: Path, runs: list[MeasuredRun], images: np.ndarray, names: list[str]
) -> None:
    rows, row_names = [], []
    for run in runs:
        stages = {**run.result.stages, "completed": run.result.completed}
        stages["original"] = images
        for index, name in enumerate(names):
            for stage, pictures in stages.items():
                file = f"{run.holes.name}-{stage}.png"
                save_image(folder / "images" / name / file, pictures[index])
            rows.append([pictures[index] for pictures in stages.values()])
            row_names.append(run.holes.name if len(names) == 1 else name)
    columns = list(stages)
    if len(runs) > 1 and len(names) > 1:
        # One figure for each image, with the patterns as rows.
        for index, name in enumerate(names[:FIGURE_ROWS]):
            picked = rows[index :: len(names)]
            save_stage_figure(
                folder / f"figure-{name}.png",
                picked,
                row_names=[run.holes.name for run in runs],
                column_names=columns,
            )
        return
    save_stage_figure(
        folder / "figure.png",
        rows[:FIGURE_ROWS],
        row_names=row_names[:FIGURE_ROWS],
        column_names=columns,
    )


def _metrics(
    runs: list[MeasuredRun], names: list[str], seconds: float
) -> dict[str, Any]:
    return {
        "images": names,
        "seconds": seconds,
        "masks": {
            run.holes.name: {
                "status": run.result.status,
                "hole_share": (~run.holes.known).mean(axis=(1, 2)).tolist(),
                "discriminator_score": run.result.stats["score"].tolist(),
                "search_loss": run.result.stats["search_loss"].tolist(),
                "stages": {
                    stage: {"means": aggregate(evaluation), "images": evaluation}
                    for stage, evaluation in run.evaluations.items()
                },
            }
            for run in runs
        },
    }


def _provenance(
    options: dict[str, Any],
    runs: list[MeasuredRun],
    prior: GenerativePrior,
    images: np.ndarray,
) -> dict[str, Any]:
    return {
        **options,
        "consensus_weights": {
            run.holes.name: run.holes.consensus_weight for run in runs
        },
        "prior": {"name": prior.name, "sha256": prior.sha256},
        "images_sha256": _digest(images),
        "known_sha256": {run.holes.name: _digest(run.holes.known) for run in runs},
        "versions": {
            "semantic_inpaint": __version__,
            "python": platform.python_version(),
            **_package_versions(),
        },
        "backend": backend.name(),
        "devices": backend.device_names(),
        "machine": platform.machine(),
    }


def _package_versions() -> dict[str, str]:
    versions = {}
    for name in PACKAGES:
        try:
            versions[name] = importlib.metadata.version(name)
        except importlib.metadata.PackageNotFoundError:
            continue
    return versions


def _digest(array: np.ndarray) -> str:
    return hashlib.sha256(np.ascontiguousarray(array).tobytes()).hexdigest()


def _work_folder(out: Path) -> Path:
    return out.with_name(f".{out.name}.{os.getpid()}.tmp")


def _save_json(path: Path, content: dict[str, Any]) -> None:
    path.write_text(
        json.dumps(_plain(content), indent=2, allow_nan=False) + "\n", encoding="utf-8"
    )


def _plain(value: Any) -> Any:  # noqa: ANN401 - anything that goes into JSON
    """Make a value fit for JSON: paths as text, infinite or undefined as null."""
    if isinstance(value, dict):
        return {str(key): _plain(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [_plain(item) for item in value]
    if isinstance(value, Path):
        return str(value)
    if isinstance(value, float) and not math.isfinite(value):
        return None
    return value
