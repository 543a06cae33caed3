"""Inpainting networks on disk: half-precision weights and a JSON card."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import keras
import numpy as np
from keras import ops

from semantic_inpaint import backend
from semantic_inpaint.models.checkpoints import (
    ASSETS,
    check_weights,
    describe_weights,
    to_half,
    write_card,
)
from semantic_inpaint.models.inpainting_cards import card_facts
from semantic_inpaint.models.inpainting_networks import (
    NETWORKS,
    InpaintingNetwork,
    build_network,
    describe_network,
)
from semantic_inpaint.models.tensors import load_tensors, save_tensors

NETWORK_CARD = "network.json"
NETWORK_WEIGHTS = "network.safetensors"
NETWORK_FORMAT = 1
SHIPPED = ASSETS / "inpainters"


def save_network(
    folder: Path,
    model: keras.Model,
    *,
    kind: str,
    architecture: dict[str, Any],
    facts: dict[str, Any],
) -> Path:
    """Write weights in half precision, then the card that vouches for them.

    Args:
        folder: Where to; made where missing.
        model: Built by `build_network` of `kind` and `architecture`.
        kind: Which network it is.
        architecture: Keywords of its builder.
        facts: What else the card says: `image_size`, always; where the network has
            landmarks, `typical_landmarks`; recipe, data, steps, licence. What it says
            of `latent_dim` and `num_landmarks`, which are taken from the network's
            inputs, has to agree with them.

    Returns:
        `folder`.

    Raises:
        ValueError: A value is not finite, or too large for half precision; the facts
            lack `image_size`, or do not agree with the model.
    """
    inputs = card_facts(model, {"architecture": architecture, **facts})
    variables = {
        name: ops.convert_to_numpy(variable)
        for name, variable in _named_variables(model).items()
    }
    path = folder / NETWORK_WEIGHTS
    halves = to_half(variables, f"the network {kind!r}")
    save_tensors(path, halves, metadata={"network": kind})
    card = {
        "format": NETWORK_FORMAT,
        "network": kind,
        "architecture": architecture,
        "weights": describe_weights(path, variables),
        **facts,
        "latent_dim": inputs.latent_dim,
        "num_landmarks": inputs.num_landmarks,
    }
    write_card(folder / NETWORK_CARD, card)
    return folder


def network_names() -> list[str]:
    """Names of the networks that ship with the package."""
    return sorted(path.parent.name for path in SHIPPED.glob(f"*/{NETWORK_CARD}"))


def load_network(
    source: str | Path, *, precision: str = "float32"
) -> InpaintingNetwork:
    """Load a network whose card and weight file agree.

    Args:
        source: A folder with a card and weights, or the name of a shipped network.
        precision: `"float32"`, `"bfloat16"` or `"auto"`, of the inner layers.

    Raises:
        ValueError: No such network; the card is damaged; the weight file is missing,
            damaged, not the card's, or of another architecture; the card disagrees
            with the network.
    """
    folder = _find(source)
    card = _read_card(folder / NETWORK_CARD)
    path = check_weights(folder / NETWORK_CARD, card)
    kind, architecture = card["network"], card["architecture"]
    policy = backend.compute_policy(precision)
    model = build_network(kind, architecture, dtype=policy)
    _assign(path, model)
    sha256 = card["weights"]["sha256"]
    return describe_network(model, card, sha256=sha256, folder=folder, frozen=True)


def _named_variables(model: keras.Model) -> dict[str, keras.Variable]:
    """Name variables by their order; layers' own names may differ between builds."""
    return {f"{i:03d}/{v.name}": v for i, v in enumerate(model.variables)}


def _find(source: str | Path) -> Path:
    for folder in (Path(source), SHIPPED / str(source)):
        if (folder / NETWORK_CARD).is_file():
            return folder
    names = network_names()
    recipe = source if source in NETWORKS else "RECIPE"
    raise ValueError(
        f"no network {str(source)!r}: neither a folder with a {NETWORK_CARD} nor one "
        f"that ships ({', '.join(names)}). Train one with `python "
        f"pipelines/train_inpainter.py {recipe} --data DATA --out OUT`, and name the "
        "folder OUT/network."
    )


def _read_card(path: Path) -> dict[str, Any]:
    try:
        card = json.loads(path.read_text(encoding="utf-8"))
        if card["format"] == NETWORK_FORMAT:
            _ = card["weights"]["sha256"], card["weights"]["file"]
            _ = card["network"], card["image_size"]
            _ = card["architecture"]["image_size"]
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise ValueError(
            f"{path} is no card of an inpainting network ({error}); fetch or make it "
            "again."
        ) from error
    if card["format"] != NETWORK_FORMAT:
        raise ValueError(
            f"{path} has card format {card['format']}, this version reads "
            f"{NETWORK_FORMAT}. Use the version that wrote it, or train another."
        )
    return card


def _assign(path: Path, model: keras.Model) -> None:
    tensors, _ = load_tensors(path)
    variables = _named_variables(model)
    found = {name: tuple(array.shape) for name, array in tensors.items()}
    expected = {name: tuple(v.shape) for name, v in variables.items()}
    if found != expected:
        wrong = min(
            name
            for name in found.keys() | expected.keys()
            if found.get(name) != expected.get(name)
        )
        raise ValueError(
            f"{path} belongs to another architecture than its card states: {wrong} is "
            f"{found.get(wrong, 'absent')}, expected {expected.get(wrong, 'absent')}."
        )
    for name, variable in variables.items():
        array = np.asarray(tensors[name], np.float32)
        if not np.isfinite(array).all():
            raise ValueError(f"{path}: {name} has values that are not finite.")
        variable.assign(array)
