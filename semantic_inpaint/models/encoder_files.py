"""Encoders on disk, beside their prior: half-precision weights and a JSON card."""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path
from typing import Any

import numpy as np

from semantic_inpaint import backend
from semantic_inpaint.models.checkpoints import (
    assign_tensors,
    check_weights,
    describe_weights,
    to_half,
    write_card,
)
from semantic_inpaint.models.encoder import LatentEncoder, build_encoder
from semantic_inpaint.models.prior import GenerativePrior
from semantic_inpaint.models.tensors import save_tensors

ENCODER_CARD = "encoder.json"
ENCODER_WEIGHTS = "encoder.safetensors"
ENCODER_FORMAT = 1


@dataclasses.dataclass(frozen=True)
class EncoderArchitecture:
    """What an encoder looks like; the fields are those of `build_encoder`."""

    image_size: int
    latent_dim: int
    width: int
    hidden: int


def save_encoder(
    folder: Path,
    architecture: EncoderArchitecture,
    variables: dict[str, np.ndarray],
    *,
    prior: GenerativePrior,
    facts: dict[str, Any],
) -> Path:
    """Write weights in half precision, then the card that vouches for them.

    Args:
        folder: Where to; made where missing. Where it is the prior's, `load_encoder`
            finds the encoder by itself.
        architecture: Of the network.
        variables: float32 arrays by `variable_name`.
        prior: Whose codes the encoder gives.
        facts: What else the card says: recipe, data, steps, licence.

    Returns:
        `folder`.

    Raises:
        ValueError: A value is not finite, or too large for half precision.
    """
    path = folder / ENCODER_WEIGHTS
    halves = to_half(variables, f"the encoder of prior {prior.name!r}")
    save_tensors(path, halves, metadata={"prior": prior.name})
    card = {
        "format": ENCODER_FORMAT,
        "prior": {"name": prior.name, "sha256": prior.sha256},
        "architecture": dataclasses.asdict(architecture),
        "weights": describe_weights(path, variables),
        **facts,
    }
    write_card(folder / ENCODER_CARD, card)
    return folder


def has_encoder(prior: GenerativePrior) -> bool:
    """Say whether there is an encoder beside a prior."""
    return prior.folder is not None and (prior.folder / ENCODER_CARD).is_file()


def load_encoder(
    prior: GenerativePrior,
    *,
    folder: Path | None = None,
    precision: str = "float32",
) -> LatentEncoder:
    """Load the encoder of a prior.

    Args:
        prior: Whose codes it is to give.
        folder: With the encoder's card and weights; default: the prior's.
        precision: `"float32"`, `"bfloat16"` or `"auto"`, of the inner layers.

    Returns:
        The encoder.

    Raises:
        ValueError: There is none; it was trained for other weights than the prior's;
            a file is damaged, or does not fit the other.
    """
    folder = prior.folder if folder is None else folder
    if folder is None:
        raise ValueError(
            f"the prior {prior.name!r} was made in memory and has no folder with an "
            "encoder; pass the encoder, or a folder."
        )
    path = folder / ENCODER_CARD
    if not path.is_file():
        raise ValueError(
            f"the prior {prior.name!r} has no encoder yet (no {ENCODER_CARD} in "
            f"{folder}). Train one with pipelines/train_encoder.py, or use a method "
            "and a start that need none."
        )
    card = _read_card(path)
    architecture = EncoderArchitecture(**card["architecture"])
    network = build_encoder(
        **card["architecture"], dtype=backend.compute_policy(precision)
    )
    encoder = LatentEncoder(network, card["prior"]["sha256"], card)
    encoder.require_prior(prior)
    expected = (prior.image_size, prior.latent_dim)
    if (architecture.image_size, architecture.latent_dim) != expected:
        raise ValueError(
            f"{path} does not fit its prior: image size and length of the code are "
            f"{architecture.image_size} and {architecture.latent_dim}, expected "
            f"{expected[0]} and {expected[1]}. Fetch or make it again."
        )
    assign_tensors(check_weights(path, card), network)
    return encoder


def _read_card(path: Path) -> dict[str, Any]:
    try:
        card = json.loads(path.read_text(encoding="utf-8"))
        if card["format"] == ENCODER_FORMAT:
            _ = card["prior"]["sha256"], card["weights"]["sha256"]
            _ = card["weights"]["file"], EncoderArchitecture(**card["architecture"])
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise ValueError(
            f"{path} is no card of an encoder ({error}); fetch or make it again."
        ) from error
    if card["format"] != ENCODER_FORMAT:
        raise ValueError(
            f"{path} has card format {card['format']}, this version reads "
            f"{ENCODER_FORMAT}. Use the version that wrote it, or train another."
        )
    return card
