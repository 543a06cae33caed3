"""What the card of an inpainting network says, held against the network itself."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

import keras

MIDDLE = 0.5


class CardFacts(NamedTuple):
    """What a network is called with, on which its card and its inputs agree.

    Attributes:
        image_size: Side of the images that it was trained on.
        latent_dim: Length of its code; 0: it has none.
        num_landmarks: L; 0: it takes none.
        typical_landmarks: x and y of each, as shares of the side: `2 L` numbers, the
            middle of the image where the card has none.
    """

    image_size: int
    latent_dim: int
    num_landmarks: int
    typical_landmarks: tuple[float, ...]


def card_facts(model: keras.Model, card: Mapping[str, Any]) -> CardFacts:
    """Read what a card says of the inputs of its network.

    Args:
        model: The network; its inputs "latent" and "landmarks", where it has such,
            give the length of the code and the number of landmarks.
        card: With `image_size` and `architecture`; `latent_dim`, `num_landmarks` and
            `typical_landmarks` may be left out.

    Raises:
        ValueError: The card lacks a size, or says something else than the network.
    """
    architecture = card.get("architecture", {})
    for name, part in (("the card", card), ("its architecture", architecture)):
        if "image_size" not in part:
            raise ValueError(
                f"{name} has no `image_size`: add the side of the images that the "
                "network was trained on."
            )
    of_inputs = {
        "image_size": architecture["image_size"],
        "latent_dim": _columns(model, "latent"),
        "num_landmarks": _columns(model, "landmarks") // 2,
    }
    for name, own in of_inputs.items():
        if card.get(name, own) != own:
            raise ValueError(
                f"the card has {name}={card[name]!r}, its network {own}: they do not "
                "belong together, or the card was changed."
            )
    places = 2 * of_inputs["num_landmarks"]
    typical = tuple(card.get("typical_landmarks") or [MIDDLE] * places)
    if len(typical) != places:
        raise ValueError(
            f"`typical_landmarks` must be {places} numbers, x and y of each landmark "
            f"of the network; got {len(typical)}."
        )
    return CardFacts(**of_inputs, typical_landmarks=typical)


def _columns(model: keras.Model, name: str) -> int:
    """Columns of the input `[B, n]` of a name; 0: there is none."""
    return sum(tensor.shape[-1] for tensor in model.inputs if tensor.name == name)
