"""What `evaluate_prior` keeps on disk: its figures, and those of a prior's card."""

from __future__ import annotations

import json
import math
import os
from pathlib import Path
from typing import Any

from semantic_inpaint.models.checkpoints import CARD_FILE

RECORD_FILE = "evaluation.json"


def open_record(folder: Path, made_with: dict[str, Any]) -> dict[str, Any]:
    """Begin a record, or go on with the one that is there.

    Args:
        folder: With `evaluation.json`, or without.
        made_with: All that decides the figures.

    Returns:
        The record, with `"parts"` that are measured already.

    Raises:
        ValueError: The folder has figures of another prior or of other options, or
            the file is damaged.
    """
    path = folder / RECORD_FILE
    if not path.exists():
        return {**made_with, "parts": {}}
    record = read_json(path)
    # Through JSON, as what was read has been.
    expected = json.loads(json.dumps(made_with))
    differs = [key for key, value in expected.items() if record.get(key) != value]
    if differs or not isinstance(record.get("parts"), dict):
        raise ValueError(
            f"{path} has figures of another prior or other options "
            f"({', '.join(differs) or 'parts'}); name another folder with --out."
        )
    return record


def write_into_card(folder: Path, evaluation: dict[str, Any]) -> None:
    """Store figures in the card of the prior that they belong to.

    The weights are not touched, nor what else the card says; figures that it had are
    replaced.

    Args:
        folder: Of the prior.
        evaluation: As in `evaluation.json`.

    Raises:
        ValueError: The figures are of other weights, or the card cannot be read.
    """
    path = folder / CARD_FILE
    card = read_json(path)
    if card["weights"]["sha256"] != evaluation["prior_sha256"]:
        raise ValueError(
            f"{path} is the card of other weights than these figures were measured "
            "with; evaluate that prior anew."
        )
    write_json(path, card | {"figures": evaluation}, indent=2)


def read_json(path: Path) -> dict[str, Any]:
    """Read a file with an object in it.

    Raises:
        ValueError: It cannot be read, or holds something else.
    """
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise ValueError(f"{path} cannot be read ({error}); remove it.") from error
    if not isinstance(content, dict):
        raise ValueError(f"{path} holds no JSON object; remove it.")
    return content


def write_json(path: Path, content: dict[str, Any], *, indent: int = 1) -> None:
    """Write a file whole or not at all; what is not finite becomes null."""
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f".{path.name}.{os.getpid()}.tmp")
    text = json.dumps(_finite(content), indent=indent, allow_nan=False)
    try:
        temporary.write_text(text + "\n", encoding="utf-8")
        temporary.replace(path)
    finally:
        temporary.unlink(missing_ok=True)


def _finite(value: Any) -> Any:  # noqa: ANN401 - anything that goes into JSON
    if isinstance(value, dict):
        return {key: _finite(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [_finite(item) for item in value]
    if isinstance(value, float) and not math.isfinite(value):
        return None
    return value
