"""What `run` leaves behind: figures, stages, metrics, options."""

from __future__ import annotations

import collections
import dataclasses
import hashlib
import importlib.metadata
import json
import math
import platform
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import numpy as np
from rich import box
from rich.table import Table

from semantic_inpaint import __version__, backend
from semantic_inpaint.app.diagnostics_figure import save_diagnostics_figure
from semantic_inpaint.app.figure import save_stage_figure
from semantic_inpaint.app.inputs import Images
from semantic_inpaint.app.methods import Methods
from semantic_inpaint.app.parts import Part
from semantic_inpaint.app.several import SeveralRecord
from semantic_inpaint.images import save_image
from semantic_inpaint.metrics import aggregate, evaluate
from semantic_inpaint.problem import InpaintingResult

FIGURE_ROWS = 8
PACKAGES = ("keras", "tensorflow", "jax", "numpy", "scipy", "cvxpy", "scikit-image")
COLUMNS = (
    ("MAE", "mae", 2),
    ("MSE", "mse", 1),
    ("PSNR", "psnr_pooled", 2),
    ("MSSIM", "mssim", 4),
)


@dataclasses.dataclass(eq=False)
class MaskRecord:
    """What is known of one kind of hole, batch after batch; pictures go to disk.

    Attributes:
        name: Of the mask.
        evaluations: For each stage (`"inpainted"`, `"refined"`) one result of
            `metrics.evaluate` a batch.
        images: For each image: name, status, losses and so on.
        rows: Of the figure, the first few images: name and stages.
    """

    name: str
    evaluations: dict[str, list] = dataclasses.field(default_factory=dict)
    images: list[dict[str, Any]] = dataclasses.field(default_factory=list)
    rows: list[tuple[str, dict]] = dataclasses.field(default_factory=list)

    def add(
        self,
        folder: Path,
        result: InpaintingResult,
        images: Images,
        known: np.ndarray,
        diagnoses: list[dict[str, Any]],
        several: SeveralRecord | None = None,
    ) -> None:
        """Measure a batch and write its pictures."""
        for stage, pictures in _completed(result).items():
            found = evaluate(pictures, images.pixels, known)
            self.evaluations.setdefault(stage, []).append(found)
        stages = {**result.stages, "completed": result.completed}
        stages["original"] = images.pixels
        for i, name in enumerate(images.names):
            pictures = {stage: array[i] for stage, array in stages.items()}
            for stage, picture in pictures.items():
                file = folder / "images" / name / f"{self.name}-{stage}.png"
                save_image(file, picture)
            if len(self.rows) < FIGURE_ROWS:
                self.rows.append((name, pictures))
            self.images.append(
                {
                    "name": name,
                    "status": result.status[i],
                    "hole_share": float((~known[i]).mean()),
                    **(
                        {"discriminator_score": float(result.stats["score"][i])}
                        if "score" in result.stats
                        else {}
                    ),
                    **{
                        key: value[i].tolist()
                        for key, value in result.stats.items()
                        if key.endswith(("_loss", "_trace"))
                    },
                    **{
                        stage: {
                            region: {m: values[i] for m, values in of_region.items()}
                            for region, of_region in found[-1].items()
                        }
                        for stage, found in self.evaluations.items()
                    },
                    "diagnosis": diagnoses[i],
                    **({"answers": several.figures(i)} if several else {}),
                }
            )
            if several is not None:
                several.save(folder / "images" / name, self.name, i)

    def means(self) -> dict[str, dict]:
        """Return the means over all images, for each stage and region."""
        return {s: aggregate(*found) for s, found in self.evaluations.items()}


def _completed(result: InpaintingResult) -> dict[str, np.ndarray]:
    """Return the images that are measured, by the stage that completed them."""
    completed = {"inpainted": result.stages.get("blended", result.completed)}
    if "refined" in result.stages:
        completed["refined"] = result.stages.get("reblended", result.completed)
    if "beyond" in result.stages:
        completed["beyond"] = result.completed
    return completed


def save(
    folder: Path,
    records: list[MaskRecord],
    *,
    seconds: float,
    provenance: dict[str, Any],
) -> None:
    """Write the figures, `metrics.json` and `options.json`."""
    _save_figures(folder, records)
    _save_diagnostics(folder, records)
    metrics = {
        "seconds": seconds,
        "note": "MAE and MSE on the scale to 255; residuals and seams on that to 1; "
        "null stands for infinite or undefined",
        "masks": {r.name: {"means": r.means(), "images": r.images} for r in records},
    }
    _save_json(folder / "metrics.json", metrics)
    _save_json(folder / "options.json", provenance)


def provenance(
    command: dict[str, Any], *, methods: Methods, parts: list[Part]
) -> dict[str, Any]:
    """Everything that decides the result, and the versions that made it."""
    prior, encoder, network = methods.prior, methods.encoder, methods.network
    landmarks = methods.landmarks
    return {
        "command": command,
        "search": methods.search_record,
        "prior": prior and {"name": prior.name, "sha256": prior.sha256},
        "encoder": encoder and {"sha256": encoder.card["weights"]["sha256"]},
        "network": network and {"name": network.kind, "sha256": network.sha256},
        "landmarks": landmarks and {"sha256": landmarks.sha256},
        "images": [
            {"name": name, "source": source, "fitted": note, "number": int(number)}
            for images in (part.images for part in parts)
            for name, source, note, number in zip(
                images.names, images.sources, images.notes, images.indices, strict=True
            )
        ],
        "images_sha256": _digest(part.images.pixels for part in parts),
        "masks": {
            holes.name: {
                # Weighs a term of the search.
                "consensus_weight": holes.consensus_weight if prior else None,
                "fitted": holes.note,
                "known_sha256": _digest(part.kinds[kind].known for part in parts),
            }
            for kind, holes in enumerate(parts[0].kinds)
        },
        "versions": {
            "semantic_inpaint": __version__,
            "python": platform.python_version(),
            **_package_versions(),
        },
        "backend": backend.name(),
        "device": command["device"] or backend.device_names()[0],
        "machine": platform.machine(),
    }


def table(records: list[MaskRecord]) -> Table:
    """Return means over all images (PSNR: of the mean MSE), in the hole and overall."""
    shown = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    for heading in ("mask", "stage", "over"):
        shown.add_column(heading, no_wrap=True)
    for heading, *_ in COLUMNS:
        shown.add_column(heading, justify="right")
    for record in records:
        for region in ("hole", "image"):
            for stage, means in record.means().items():
                cells = [
                    f"{means[region][key]:.{digits}f}" for _, key, digits in COLUMNS
                ]
                shown.add_row(record.name, stage, region, *cells)
    return shown


def verdicts(records: list[MaskRecord]) -> str:
    """Count the verdicts over all masks and images, the most frequent first."""
    found = collections.Counter(
        image["diagnosis"]["verdict"] for record in records for image in record.images
    )
    return ", ".join(f"{count} {verdict}" for verdict, count in found.most_common())


def _save_figures(folder: Path, records: list[MaskRecord]) -> None:
    """One figure with a row an image, or a row a mask where there are several."""
    if len(records) == 1:
        _save_figure(folder / "figure.png", records[0].rows)
        return
    for number, (name, _) in enumerate(records[0].rows):
        rows = [(record.name, record.rows[number][1]) for record in records]
        single = len(records[0].images) == 1
        _save_figure(folder / ("figure.png" if single else f"figure-{name}.png"), rows)


def _save_diagnostics(folder: Path, records: list[MaskRecord]) -> None:
    """One figure a mask, of the first few images; none where nothing was searched."""
    for record in records:
        shown = record.images[:FIGURE_ROWS]
        diagnoses = [image["diagnosis"] for image in shown]
        if not all(diagnosis["curves"] for diagnosis in diagnoses):
            continue
        save_diagnostics_figure(
            folder / mask_file("diagnostics.png", record.name, len(records)),
            [image["name"] for image in shown],
            diagnoses,
        )


def mask_file(name: str, mask: str, num_masks: int) -> str:
    """Name a file after its mask too, where there are several."""
    stem, suffix = name.split(".")
    return name if num_masks == 1 else f"{stem}-{mask}.{suffix}"


def _save_figure(path: Path, rows: list[tuple[str, dict]]) -> None:
    save_stage_figure(
        path,
        [list(pictures.values()) for _, pictures in rows],
        row_names=[name for name, _ in rows],
        column_names=list(rows[0][1]),
    )


def _package_versions() -> dict[str, str]:
    versions = {}
    for name in PACKAGES:
        try:
            versions[name] = importlib.metadata.version(name)
        except importlib.metadata.PackageNotFoundError:
            continue
    return versions


def _digest(arrays: Iterable[np.ndarray]) -> str:
    digest = hashlib.sha256()
    for array in arrays:
        digest.update(np.ascontiguousarray(array).data)
    return digest.hexdigest()


def _save_json(path: Path, content: dict[str, Any]) -> None:
    path.write_text(
        json.dumps(_plain(content), indent=1, allow_nan=False) + "\n", encoding="utf-8"
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
