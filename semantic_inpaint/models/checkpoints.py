"""Priors on disk: half-precision weights beside a JSON card, bound by a hash."""

from __future__ import annotations

import dataclasses
import difflib
import hashlib
import json
import os
from pathlib import Path
from typing import Any

import keras
import numpy as np

from semantic_inpaint.models.inference import prepare_for_inference
from semantic_inpaint.models.prior import (
    GenerativePrior,
    PriorArchitecture,
    build_networks,
)
from semantic_inpaint.models.tensors import load_tensors, save_tensors

ASSETS = Path(__file__).resolve().parents[1] / "assets"
CARD_FILE = "card.json"
WEIGHTS_FILE = "weights.safetensors"
CARD_FORMAT = 1
DEFAULT_PRIOR = "slim"


def prior_names() -> list[str]:
    """Names of the priors that ship with the package."""
    return sorted(path.parent.name for path in ASSETS.glob(f"*/{WEIGHTS_FILE}"))


def load_prior(
    source: str | Path = DEFAULT_PRIOR,
    *,
    precision: str = "float32",
    as_trained: bool = False,
) -> GenerativePrior:
    """Load a prior whose card and weight file agree.

    Args:
        source: The name of a shipped prior, or a folder with a card and weights.
        precision: `"float32"`, `"bfloat16"` or `"auto"`, of the inner layers.
        as_trained: Give the networks of `build_networks`, whose variables are those of
            the file. Otherwise they are prepared for the search: they compute the
            same, faster, with other variables (`models.inference`).

    Returns:
        The prior.

    Raises:
        ValueError: No such prior; the card is damaged; the weight file is missing,
            damaged, not the card's, or of another architecture.
    """
    folder = _find(source)
    card = _read_card(folder / CARD_FILE)
    path = check_weights(folder / CARD_FILE, card)
    architecture = PriorArchitecture(**card["architecture"])
    generator, discriminator = build_networks(architecture, precision=precision)
    assign_tensors(path, generator, discriminator)
    if not as_trained:
        generator = prepare_for_inference(generator)
        discriminator = prepare_for_inference(discriminator)
    return GenerativePrior(
        generator=generator,
        discriminator=discriminator,
        latent_dim=architecture.latent_dim,
        image_size=architecture.image_size,
        name=card["name"],
        sha256=card["weights"]["sha256"],
        card=card,
        folder=folder,
    )


def save_prior(
    folder: Path,
    architecture: PriorArchitecture,
    variables: dict[str, np.ndarray],
    *,
    name: str,
    facts: dict[str, Any],
) -> Path:
    """Write weights in half precision, then the card that vouches for them.

    Args:
        folder: Where to; made where missing.
        architecture: Of the networks.
        variables: float32 arrays by `variable_name`.
        name: Of the prior.
        facts: What else the card says: recipe, data, steps, licence.

    Returns:
        `folder`.

    Raises:
        ValueError: A value is not finite, or too large for half precision.
    """
    path = folder / WEIGHTS_FILE
    save_tensors(path, to_half(variables, f"prior {name!r}"), metadata={"name": name})
    card = {
        "format": CARD_FORMAT,
        "name": name,
        "architecture": dataclasses.asdict(architecture),
        "weights": describe_weights(path, variables),
        **facts,
    }
    write_card(folder / CARD_FILE, card)
    return folder


def to_half(variables: dict[str, np.ndarray], owner: str) -> dict[str, np.ndarray]:
    """Round weights to half precision.

    Statistics of batch normalisation are few, and sensitive: they stay float32.

    Args:
        variables: float32 arrays by `variable_name`.
        owner: Whose they are, for the error.

    Raises:
        ValueError: A value is not finite, or too large for half precision.
    """
    with np.errstate(over="ignore"):
        halves = {
            key: value if "moving_" in key else value.astype(np.float16)
            for key, value in variables.items()
        }
    for key, value in halves.items():
        if not np.isfinite(value).all():
            raise ValueError(
                f"{key} of {owner} has values that are not finite in half precision; "
                "nothing was written. Train it anew."
            )
    return halves


def describe_weights(path: Path, variables: dict[str, np.ndarray]) -> dict[str, Any]:
    """Return what a card says of the weight file at `path`."""
    return {
        "file": path.name,
        "sha256": file_sha256(path),
        "bytes": path.stat().st_size,
        "parameters": int(sum(value.size for value in variables.values())),
        "precision": "float16",
    }


def check_weights(card_path: Path, card: dict[str, Any]) -> Path:
    """Find the weight file of a card.

    Returns:
        Its path, beside the card.

    Raises:
        ValueError: The file is missing, or not the one that the card describes.
    """
    path = card_path.parent / card["weights"]["file"]
    if not path.is_file():
        raise ValueError(
            f"{card_path} names weights {path.name!r}, but the folder has none; fetch "
            "or make them again."
        )
    digest = file_sha256(path)
    if digest != card["weights"]["sha256"]:
        raise ValueError(
            f"{path} is not the file of its card (sha256 {digest[:12]}..., the card "
            f"says {card['weights']['sha256'][:12]}...); it is damaged or belongs to "
            "another one."
        )
    return path


def write_card(path: Path, card: dict[str, Any]) -> None:
    """Write a card, under a temporary name until complete."""
    temporary = path.with_name(f".{path.name}.{os.getpid()}.tmp")
    temporary.write_text(json.dumps(card, indent=2) + "\n", encoding="utf-8")
    temporary.replace(path)


def variable_name(network: keras.Model, variable: keras.Variable) -> str:
    """Return the name of a variable in a weight file, e.g. `generator/conv_8/bias`."""
    return f"{network.name}/{variable.path}"


def file_sha256(path: Path) -> str:
    """Return the hash of a file, as hexadecimal digits."""
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while block := file.read(1 << 20):
            digest.update(block)
    return digest.hexdigest()


def _find(source: str | Path) -> Path:
    folder = Path(source)
    if (folder / CARD_FILE).is_file():
        return folder
    if (ASSETS / str(source) / CARD_FILE).is_file():
        return ASSETS / str(source)
    names = prior_names()
    near = difflib.get_close_matches(str(source), names, n=1)
    hint = f" Did you mean {near[0]!r}?" if near else ""
    raise ValueError(
        f"no prior {str(source)!r}: neither a folder with a {CARD_FILE} nor one of "
        f"{', '.join(names) or '(none shipped)'}.{hint}"
    )


def _read_card(path: Path) -> dict[str, Any]:
    try:
        card = json.loads(path.read_text(encoding="utf-8"))
        if card["format"] == CARD_FORMAT:
            _ = card["name"], card["weights"]["sha256"], card["weights"]["file"]
            PriorArchitecture(**card["architecture"])
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise ValueError(
            f"{path} is no card of a prior ({error}); fetch or make it again."
        ) from error
    if card["format"] != CARD_FORMAT:
        raise ValueError(
            f"{path} has card format {card['format']}, this version reads "
            f"{CARD_FORMAT}. Use the version that wrote it, or fetch another prior."
        )
    return card


def assign_tensors(path: Path, *networks: keras.Model) -> None:
    """Copy the arrays of a weight file into networks, each to the variable of its name.

    Raises:
        ValueError: The file is damaged, has other arrays than the networks, or values
            that are not finite.
    """
    tensors, _ = load_tensors(path)
    variables = {
        variable_name(network, variable): variable
        for network in networks
        for variable in network.variables
    }
    shapes = {name: tuple(array.shape) for name, array in tensors.items()}
    expected = {name: tuple(v.shape) for name, v in variables.items()}
    if shapes != expected:
        wrong = sorted(
            name
            for name in shapes.keys() | expected.keys()
            if shapes.get(name) != expected.get(name)
        )
        raise ValueError(
            f"{path} belongs to another architecture than its card states: "
            f"{len(wrong)} arrays differ, e.g. {wrong[0]} is "
            f"{shapes.get(wrong[0], 'absent')}, expected "
            f"{expected.get(wrong[0], 'absent')}."
        )
    for name, variable in variables.items():
        array = np.asarray(tensors[name], np.float32)
        if not np.isfinite(array).all():
            raise ValueError(f"{path}: {name} has values that are not finite.")
        variable.assign(array)
