"""Named arrays in one file, with words beside them; written whole or not at all."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path

import numpy as np
from safetensors import SafetensorError, safe_open
from safetensors.numpy import save_file


def save_tensors(
    path: Path, tensors: Mapping[str, np.ndarray], *, metadata: Mapping[str, str]
) -> None:
    """Write arrays as one safetensors file, under a temporary name until complete.

    Args:
        path: Where to; its folder is made where missing.
        tensors: The arrays by name.
        metadata: Words stored in the file's header.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f".{path.name}.{os.getpid()}.tmp")
    try:
        save_file(
            {name: np.asarray(array, order="C") for name, array in tensors.items()},
            temporary,
            metadata=dict(metadata),
        )
        with temporary.open("rb") as file:
            os.fsync(file.fileno())
        temporary.replace(path)
    finally:
        temporary.unlink(missing_ok=True)


def load_tensors(path: Path) -> tuple[dict[str, np.ndarray], dict[str, str]]:
    """Read what `save_tensors` wrote; nothing in the file is executed.

    Returns:
        The arrays by name, and the metadata.

    Raises:
        ValueError: The file is missing, or damaged.
    """
    if not path.is_file():
        raise ValueError(f"no file {path}: expected weights (.safetensors) there.")
    try:
        with safe_open(path, framework="numpy") as file:
            names = file.keys()
            tensors = {name: file.get_tensor(name) for name in names}
            return tensors, file.metadata() or {}
    except (SafetensorError, OSError) as error:
        raise ValueError(
            f"{path} is damaged or no safetensors file ({error}); fetch or make it "
            "again."
        ) from error
