"""The state of a training run on disk: everything that the next step depends on."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from keras import ops

from semantic_inpaint.backend import Tensor
from semantic_inpaint.models.tensors import load_tensors, save_tensors
from semantic_inpaint.training.gan import State
from semantic_inpaint.training.recipes import PriorRecipe

STATE_FILE = "state.safetensors"
PREVIOUS_FILE = "state.previous.safetensors"

# What may change between a run and its continuation.
FREE_FIELDS = ("num_images", "num_epochs")


class SavedRun(NamedTuple):
    """What a run goes on from.

    Attributes:
        state: Everything that is trained.
        step: Steps done.
        seconds: Time that they took, over all resumptions.
    """

    state: State
    step: int
    seconds: float


def save_state(
    folder: Path,
    run: SavedRun,
    *,
    recipe: PriorRecipe,
    data_sha256: str,
    rows_sha256: str,
) -> None:
    """Write the state of a run; the one before it is kept as well.

    The order of the data, the flips and the codes are functions of the recipe's seed
    and the step, so that the step is all their state.

    Args:
        folder: Of the run.
        run: The state, and how far it came.
        recipe: What it is trained with.
        data_sha256: Hash of the packed set.
        rows_sha256: Hash of the rows of it that are used.
    """
    tensors = {
        f"{group}/{index:03d}": ops.convert_to_numpy(value)
        for group, values in run.state.items()
        for index, value in enumerate(values)
    }
    path = folder / STATE_FILE
    if path.exists():
        path.replace(folder / PREVIOUS_FILE)
    metadata = {
        "step": str(run.step),
        "seconds": str(run.seconds),
        "recipe": json.dumps(recipe.as_dict()),
        "data_sha256": data_sha256,
        "rows_sha256": rows_sha256,
    }
    save_tensors(path, tensors, metadata=metadata)


def load_state(
    folder: Path,
    template: State,
    *,
    recipe: PriorRecipe,
    data_sha256: str,
    rows_sha256: str,
) -> SavedRun | None:
    """Read the newest state in `folder`.

    Args:
        folder: Of the run.
        template: A state of the same recipe, for its shapes.
        recipe: What the run is to go on with; only its length may differ.
        data_sha256: Hash of the packed set to go on with.
        rows_sha256: Hash of the rows of it to go on with.

    Returns:
        The run so far, or None where there is none yet.

    Raises:
        ValueError: The file is damaged or no state, or the state belongs to another
            recipe, other data or other rows of it.
    """
    paths = [folder / name for name in (STATE_FILE, PREVIOUS_FILE)]
    path = next((path for path in paths if path.is_file()), None)
    if path is None:
        return None
    tensors, metadata = load_tensors(path)
    try:
        stored, step = json.loads(metadata["recipe"]), int(metadata["step"])
        seconds = float(metadata.get("seconds", 0.0))
        found_data, found_rows = metadata["data_sha256"], metadata["rows_sha256"]
    except (KeyError, ValueError) as error:
        raise ValueError(
            f"{path} is no state of a training run ({error}); use another folder."
        ) from error
    _check_recipe(folder, stored, recipe.as_dict())
    if found_data != data_sha256:
        raise ValueError(
            f"{folder} holds a run on other data; use the same packed set, or another "
            "folder."
        )
    if found_rows != rows_sha256:
        raise ValueError(
            f"{folder} holds a run on other rows of the packed set; use the same "
            "partitions, or another folder."
        )
    state = {
        group: [
            _as_tensor(path, tensors, f"{group}/{index:03d}", value.shape)
            for index, value in enumerate(values)
        ]
        for group, values in template.items()
    }
    return SavedRun(state, step, seconds)


def _check_recipe(folder: Path, stored: dict[str, Any], wanted: dict[str, Any]) -> None:
    changed = [
        f"{key} {stored.get(key)!r} -> {wanted[key]!r}"
        for key in wanted
        if key not in FREE_FIELDS and stored.get(key) != wanted[key]
    ]
    if changed:
        raise ValueError(
            f"{folder} holds a run of another recipe ({', '.join(changed)}); use the "
            "same options, or another folder."
        )


def _as_tensor(
    path: Path, tensors: dict[str, np.ndarray], name: str, shape: tuple
) -> Tensor:
    found = tuple(tensors[name].shape) if name in tensors else "absent"
    if found != tuple(shape):
        raise ValueError(
            f"{path}: {name} is {found}, expected {tuple(shape)}; the state was "
            "written by another version. Use another folder."
        )
    return ops.convert_to_tensor(tensors[name])
