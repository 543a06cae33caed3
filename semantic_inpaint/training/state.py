"""The state of a training run on disk: everything that the next step depends on."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple, Protocol

import numpy as np
from keras import ops

from semantic_inpaint.backend import Tensor
from semantic_inpaint.models.tensors import load_tensors, save_tensors
from semantic_inpaint.training.gan import State

STATE_FILE = "state.safetensors"
PREVIOUS_FILE = "state.previous.safetensors"

# What may change between a run and its continuation.
FREE_FIELDS = ("num_images", "num_epochs")


class Recipe(Protocol):
    """What a state keeps of a recipe."""

    def as_dict(self) -> dict[str, Any]:
        """Return the fields."""
        ...


class SavedRun(NamedTuple):
    """What a run goes on from.

    Attributes:
        state: Everything that is trained.
        step: Steps done.
        seconds: Time that they took, over all resumptions.
        history: Earlier legs with other recipes, or other lengths of this one, each as
            `{"recipe", "steps"}`: the steps done when it was left.
    """

    state: State
    step: int
    seconds: float
    history: tuple[dict[str, Any], ...] = ()


def save_state(
    folder: Path,
    run: SavedRun,
    *,
    recipe: Recipe,
    data_sha256: str,
    rows_sha256: str,
    prior_sha256: str | None = None,
    bound: Mapping[str, str] | None = None,
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
        prior_sha256: Hash of the weights of the prior that is trained for, if any.
        bound: What else the run is bound to, by name: what words of the recipe come to
            here, under the names of their fields, and the like.
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
        "history": json.dumps(run.history),
        "data_sha256": data_sha256,
        "rows_sha256": rows_sha256,
    }
    if prior_sha256 is not None:
        metadata["prior_sha256"] = prior_sha256
    if bound is not None:
        metadata["bound"] = json.dumps(dict(bound))
    save_tensors(path, tensors, metadata=metadata)


def load_state(
    folder: Path,
    template: State,
    *,
    recipe: Recipe,
    data_sha256: str,
    rows_sha256: str,
    prior_sha256: str | None = None,
    bound: Mapping[str, str] | None = None,
) -> SavedRun | None:
    """Read the newest state in `folder`.

    Args:
        folder: Of the run.
        template: A state of the same recipe, for its shapes.
        recipe: What the run is to go on with; only its length may differ, and words
            that come to the same (see `bound`).
        data_sha256: Hash of the packed set to go on with.
        rows_sha256: Hash of the rows of it to go on with.
        prior_sha256: Hash of the weights of the prior to go on with, if any.
        bound: What else the run is bound to, as `save_state` takes it; what the file
            does not know of counts as the same.

    Returns:
        The run so far, with the length that it was meant to have in its history where
        that differs, or None where there is none yet.

    Raises:
        ValueError: The file is damaged or no state, or the state belongs to another
            recipe, other data, other rows of it or another prior, or is bound to
            something else.
    """
    path = _newest(folder)
    if path is None:
        return None
    tensors, metadata = load_tensors(path)
    stored, run = _read_metadata(path, metadata)
    found_data, found_rows = metadata["data_sha256"], metadata["rows_sha256"]
    known = json.loads(metadata.get("bound", "{}"))
    wanted = {name: word for name, word in (bound or {}).items() if name in known}
    _check_recipe(folder, stored, recipe, free=(*FREE_FIELDS, *wanted))
    _check_bound(folder, known, wanted)
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
    if metadata.get("prior_sha256") != prior_sha256:
        raise ValueError(
            f"{folder} holds a run for another prior; name the same one, or another "
            "folder."
        )
    state = {
        group: [
            _as_tensor(path, tensors, f"{group}/{index:03d}", value.shape)
            for index, value in enumerate(values)
        ]
        for group, values in template.items()
    }
    length = recipe.as_dict()
    if any(stored.get(name) != length.get(name) for name in FREE_FIELDS):
        run = _with_leg(run, stored)
    return run._replace(state=state)


def adopt_state(folder: Path, template: State) -> SavedRun:
    """Take over the run in `folder`, to go on with another recipe.

    Args:
        folder: Of the run that is left; it is only read.
        template: The state before the first step of the new recipe. What the run has
            of it, in the same shapes, is taken from there; the rest starts afresh.

    Returns:
        The run so far, with what it was trained with in its history.

    Raises:
        ValueError: There is no run, its file is damaged, or its networks are others.
    """
    path = _newest(folder)
    if path is None:
        raise ValueError(f"{folder} holds no training run ({STATE_FILE}).")
    tensors, metadata = load_tensors(path)
    stored, run = _read_metadata(path, metadata)
    groups = {name.split("/")[0] for name in tensors}
    state = {
        group: [
            _as_tensor(path, tensors, f"{group}/{index:03d}", value.shape)
            for index, value in enumerate(values)
        ]
        if group in groups
        else values
        for group, values in template.items()
    }
    return _with_leg(run, stored)._replace(state=state)


def has_state(folder: Path) -> bool:
    """Whether `folder` holds a training run."""
    return _newest(folder) is not None


def _with_leg(run: SavedRun, recipe: dict[str, Any]) -> SavedRun:
    leg = {"recipe": recipe, "steps": run.step}
    return run._replace(history=(*run.history, leg))


def load_group(folder: Path, group: str, template: list) -> list:
    """Read one group of tensors of the newest state in `folder`, of any recipe.

    Raises:
        ValueError: There is no state, it is damaged, or has no such group of the
            shapes of `template`.
    """
    path = _newest(folder)
    if path is None:
        raise ValueError(f"{folder} holds no training run ({STATE_FILE}).")
    tensors, _ = load_tensors(path)
    return [
        _as_tensor(path, tensors, f"{group}/{index:03d}", value.shape)
        for index, value in enumerate(template)
    ]


def _newest(folder: Path) -> Path | None:
    paths = (folder / name for name in (STATE_FILE, PREVIOUS_FILE))
    return next((path for path in paths if path.is_file()), None)


def _read_metadata(
    path: Path, metadata: dict[str, str]
) -> tuple[dict[str, Any], SavedRun]:
    """Read the recipe of a run, and the run but for its tensors."""
    try:
        stored = json.loads(metadata["recipe"])
        _ = metadata["data_sha256"], metadata["rows_sha256"]
        run = SavedRun(
            {},
            int(metadata["step"]),
            float(metadata.get("seconds", 0.0)),
            tuple(json.loads(metadata.get("history", "[]"))),
        )
    except (KeyError, ValueError) as error:
        raise ValueError(
            f"{path} is no state of a training run ({error}); use another folder."
        ) from error
    return stored, run


def _check_recipe(
    folder: Path, stored: dict[str, Any], recipe: Recipe, *, free: Sequence[str]
) -> None:
    wanted = recipe.as_dict()
    # A run of an earlier version did what the defaults of newer fields do.
    defaults = {field.name: field.default for field in dataclasses.fields(recipe)}
    stored = {**{key: defaults[key] for key in wanted if key in defaults}, **stored}
    changed = [
        f"{key} {stored.get(key)!r} -> {wanted[key]!r}"
        for key in wanted
        if key not in free and stored.get(key) != wanted[key]
    ]
    if changed:
        raise ValueError(
            f"{folder} holds a run of another recipe ({', '.join(changed)}); use the "
            "same options, or another folder."
        )


def _check_bound(
    folder: Path, known: Mapping[str, str], wanted: Mapping[str, str]
) -> None:
    """Refuse a run that the same words would carry on otherwise than it began."""
    changed = [
        f"{name} {known[name]} -> {word}"
        for name, word in wanted.items()
        if known[name] != word
    ]
    if changed:
        raise ValueError(
            f"{folder} holds a run that would not go on here as it began "
            f"({', '.join(changed)}); ask for what it began with, or use another "
            "folder."
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
