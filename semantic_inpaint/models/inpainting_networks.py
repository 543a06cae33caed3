"""Networks that fill holes in one pass: by name, and ready to use."""

from __future__ import annotations

import dataclasses
import difflib
from collections.abc import Callable, Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Any

import keras
import numpy as np
from keras import ops

from semantic_inpaint import backend
from semantic_inpaint.images import from_network, to_network
from semantic_inpaint.models.iconv_generator import build_iconv_generator
from semantic_inpaint.models.inpainting_cards import card_facts
from semantic_inpaint.models.pconv_gan import build_pconv_gan, count_levels
from semantic_inpaint.models.pconv_inference import prepare_pconv_unet
from semantic_inpaint.models.pconv_unet import DEEPEST_SIDE, UNETS


@dataclasses.dataclass(frozen=True)
class NetworkKind:
    """How a network is built, and what it is called with.

    Attributes:
        build: Takes an architecture, `dtype` and `seed`; gives the model.
        multiple: From an architecture, what sides have to be multiples of.
        prepare: Copies a model into a form that infers faster; None: there is none.
    """

    build: Callable[..., keras.Model]
    multiple: Callable[[Mapping[str, Any]], int]
    prepare: Callable[[keras.Model], keras.Model] | None = None


def _unet(layer: str) -> NetworkKind:
    # At the size that it is meant for the deepest map has this side.
    return NetworkKind(
        UNETS[layer],
        lambda architecture: architecture["image_size"] // DEEPEST_SIDE,
        prepare_pconv_unet if layer == "pconv" else None,
    )


NETWORKS: Mapping[str, NetworkKind] = MappingProxyType(
    {
        "pconv": _unet("pconv"),
        "conv": _unet("conv"),
        "iconv": NetworkKind(build_iconv_generator, lambda architecture: 1),
        "pconv-gan": NetworkKind(
            build_pconv_gan,
            lambda architecture: 2 ** count_levels(architecture["image_size"]),
        ),
        "gated": _unet("gated"),
    }
)
"""Every feed-forward network by its name."""


@dataclasses.dataclass(frozen=True, eq=False)
class InpaintingNetwork:
    """A network that fills holes in one pass.

    The weights of one that was loaded are fixed: `faster` has copies of them, and sees
    no change of those of `model`; with another model it is dropped.

    Attributes:
        model: Called with a list: images `[B, H, W, 3]` in [-1, 1] and known
            `[B, H, W, 1]`, both float32; then the code `[B, latent_dim]` and the
            landmarks `[B, 2 L]`, where it has such.
        kind: Which network it is, a key of `NETWORKS`.
        image_size: Side of the images that it was trained on.
        multiple: Sides of what it is called with are multiples of this.
        latent_dim: Length of its code; 0: it has none.
        num_landmarks: L; 0: it takes none.
        typical_landmarks: Where they lie on average, for images of which nothing is
            known: x and y of each, as shares of the side.
        sha256: Of its weight file; empty for one made in memory.
        card: The card's whole content.
        folder: It was loaded from; None for one made in memory.
        faster: Computes what `faster_of` does, to rounding, in less time; None: there
            is no such form, or `model` is another, or may still change.
        faster_of: The model that `faster` was made from.
    """

    model: keras.Model
    kind: str
    image_size: int
    multiple: int = 1
    latent_dim: int = 0
    num_landmarks: int = 0
    typical_landmarks: tuple[float, ...] = ()
    sha256: str = ""
    card: dict[str, Any] = dataclasses.field(default_factory=dict)
    folder: Path | None = None
    faster: keras.Model | None = None
    faster_of: keras.Model | None = None
    _compiled: dict[tuple[int, int], Callable] = dataclasses.field(
        default_factory=dict, init=False, repr=False
    )

    def __post_init__(self) -> None:
        """Drop the faster form of another model."""
        if self.faster_of is not self.model:
            for field in ("faster", "faster_of"):
                object.__setattr__(self, field, None)

    @property
    def any_size(self) -> bool:
        """Whether it takes images of any size, and not of its own alone."""
        return self.model.inputs[0].shape[1] is None

    def generate(
        self,
        images: np.ndarray,
        known: np.ndarray,
        *,
        codes: np.ndarray | None = None,
        landmarks: np.ndarray | None = None,
    ) -> np.ndarray:
        """Let the network make whole images.

        Args:
            images: float `[B, H, W, 3]` in [0, 1]; the hole is never read, and may
                hold anything.
            known: bool `[B, H, W]`.
            codes: float32 `[B, latent_dim]`; default: zeros, the mean of what it was
                trained with.
            landmarks: float32 `[B, 2 L]` in [0, 1]; default: the typical ones.

        Returns:
            float32 `[B, H, W, 3]` in [0, 1], or not finite where it overflowed. Known
            pixels are the network's own too, unless it puts the given ones back (eq. 12
            of IConv); then they are those, to rounding.

        Raises:
            TypeError: Images that are not float, or `known` that is not bool.
            ValueError: Images of a size that it does not take; `known`, codes or
                landmarks that do not go with them; codes or landmarks for a network
                that takes none.
        """
        self._check(images, known)
        inputs = network_inputs(self, to_network(images), known, codes, landmarks)
        # Handed in with each call, so that a change of them is seen on every backend.
        model = self._inferring
        weights = [v.value for v in model.trainable_variables]
        stats = [v.value for v in model.non_trainable_variables]
        outputs = self._function(images.shape[1:3])(weights, stats, inputs)
        made = ops.convert_to_numpy(outputs)
        # Cut off to the range, what is infinite would pass for white or black.
        return from_network(np.where(np.isfinite(made), made, np.float32(np.nan)))

    @property
    def _inferring(self) -> keras.Model:
        return self.model if self.faster is None else self.faster

    def _function(self, sides: tuple[int, int]) -> Callable:
        # One for each size: a graph of sides unknown would be a slower one.
        if sides not in self._compiled:

            def generate(weights: list, stats: list, inputs: list) -> backend.Tensor:
                model = self._inferring
                return model.stateless_call(weights, stats, inputs, training=False)[0]

            self._compiled[sides] = backend.compile_function(generate)
        return self._compiled[sides]

    def _check(self, images: np.ndarray, known: np.ndarray) -> None:
        if not np.issubdtype(images.dtype, np.floating) or known.dtype != bool:
            raise TypeError(
                "expected float images in [0, 1], bytes divided by 255, and `known` as "
                f"bool; got {images.dtype} and {known.dtype}."
            )
        if images.ndim != 4 or images.shape[-1] != 3 or known.shape != images.shape[:3]:
            raise ValueError(
                "expected images [B, H, W, 3] and known [B, H, W]; got "
                f"{list(images.shape)} and {list(known.shape)}."
            )
        own = self.model.inputs[0].shape[1:3]
        if not self.any_size and tuple(images.shape[1:3]) != tuple(own):
            raise ValueError(
                f"the network {self.kind!r} takes {own[0]}x{own[1]} images; got "
                f"{images.shape[1]}x{images.shape[2]}. Use `FeedForwardInpainter`, "
                "which pads and tiles."
            )
        if any(side % self.multiple for side in images.shape[1:3]):
            raise ValueError(
                f"the network {self.kind!r} takes sides that are multiples of "
                f"{self.multiple}; got {images.shape[1]}x{images.shape[2]}. Use "
                "`FeedForwardInpainter`, which pads."
            )


def network_inputs(
    network: InpaintingNetwork,
    images: np.ndarray,
    known: np.ndarray,
    codes: np.ndarray | None,
    landmarks: np.ndarray | None,
) -> list[np.ndarray]:
    """Put together what a network is called with.

    Args:
        network: Whose.
        images: float32 `[B, H, W, 3]` in [-1, 1].
        known: bool `[B, H, W]`.
        codes: float32 `[B, latent_dim]`, or None.
        landmarks: float32 `[B, 2 L]`, or None.

    Raises:
        ValueError: Codes or landmarks of another shape; `[B, 0]` is theirs for a
            network that takes none.
    """
    count = len(images)
    # Nothing of the hole goes in at all, whatever the network does with it.
    images = np.where(known[..., None], images, np.float32(0.0))
    inputs = [images, known[..., None].astype(np.float32)]
    given = (
        ("codes", codes, np.zeros(network.latent_dim)),
        ("landmarks", landmarks, network.typical_landmarks),
    )
    for name, values, default in given:
        if values is None:
            values = np.tile(np.asarray(default, np.float32), (count, 1))
        if values.shape != (count, len(default)):
            none = "" if len(default) else f" The network {network.kind!r} takes none."
            raise ValueError(
                f"`{name}` must be {[count, len(default)]}; got {list(values.shape)}."
                f"{none}"
            )
        if len(default):
            inputs.append(values.astype(np.float32))
    return inputs


def build_network(
    kind: str, architecture: dict[str, Any], *, dtype: str = "float32", seed: int = 0
) -> keras.Model:
    """Build a network that a card describes.

    Args:
        kind: A key of `NETWORKS`.
        architecture: Keywords of its builder.
        dtype: Keras dtype policy of the inner layers.
        seed: Of the initial weights.

    Raises:
        ValueError: An unknown kind, or keywords that its builder does not take.
    """
    if kind not in NETWORKS:
        near = difflib.get_close_matches(kind, NETWORKS, n=1)
        hint = f" Did you mean {near[0]!r}?" if near else ""
        raise ValueError(f"no network {kind!r}; there are {', '.join(NETWORKS)}.{hint}")
    try:
        return NETWORKS[kind].build(**architecture, dtype=dtype, seed=seed)
    except TypeError as error:
        raise ValueError(
            f"the network {kind!r} cannot be built so ({error}). Use the version that "
            "wrote its card, or train it anew."
        ) from error


def describe_network(
    model: keras.Model,
    card: dict[str, Any],
    *,
    sha256: str = "",
    folder: Path | None = None,
    frozen: bool = False,
) -> InpaintingNetwork:
    """Join a model with what its card says of it; see `save_network`.

    Args:
        model: Of the kind that the card names.
        card: The card's whole content.
        sha256: Of the weight file, if there is one.
        folder: Where it came from, if from a folder.
        frozen: The weights will not change any more, so that a faster form may hold
            copies of them.

    Raises:
        ValueError: The card says something else than the model; see `card_facts`.
    """
    kind = card["network"]
    prepare = NETWORKS[kind].prepare if frozen else None
    return InpaintingNetwork(
        model,
        kind=kind,
        multiple=NETWORKS[kind].multiple(card["architecture"]),
        sha256=sha256,
        card=card,
        folder=folder,
        faster=None if prepare is None else prepare(model),
        faster_of=None if prepare is None else model,
        **card_facts(model, card)._asdict(),
    )
