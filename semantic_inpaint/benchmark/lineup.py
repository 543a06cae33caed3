"""The methods of a benchmark, made for each kind of hole, and what identifies them."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Mapping
from typing import Any

from semantic_inpaint.benchmark.cells import MethodIdentity
from semantic_inpaint.datasets.landmarks import NumberedLandmarks
from semantic_inpaint.inpainters import (
    FEED_FORWARD,
    ClassicalInpainter,
    EncoderInpainter,
    FeedForwardInpainter,
    Inpainter,
    SemanticInpainter,
    check_method,
    find_encoder,
    find_network,
    make_inpainter,
    needs_prior,
)
from semantic_inpaint.inpainters.halving import HalvingInpainter
from semantic_inpaint.latent.presets import InversionOptions
from semantic_inpaint.models.encoder import LatentEncoder
from semantic_inpaint.models.inpainting_networks import InpaintingNetwork
from semantic_inpaint.models.prior import GenerativePrior

COMPLETED = "completed"
# One search gives them all: G(z) as it is, known pixels and all; its blend; and the
# blend after the refinement.
_SEARCHED = {"unblended": "generated", "inpainted": "blended"}
_STAGES = {
    "semantic": _SEARCHED,
    "plain": _SEARCHED,
    "refined": {**_SEARCHED, "refined": COMPLETED},
}
_ONE_STAGE = {COMPLETED: COMPLETED}


def stages_of(method: str) -> dict[str, str]:
    """Map the stages in the records of a method to the pictures of its result.

    Args:
        method: A name of the registry.

    Returns:
        Of each stage, the name in `InpaintingResult.stages`, or `"completed"`.
    """
    return _STAGES.get(method, _ONE_STAGE)


@dataclasses.dataclass(frozen=True, eq=False)
class Lineup:
    """Methods that share a prior; its encoder is loaded once.

    Attributes:
        methods: Names of the registry.
        preset: Options of those that search or blend.
        prior: Of those that need one; None where none does.
        tell: Called with a sentence where memory ran out.
        networks: Of feed-forward methods by their names; default: those that ship.
        landmarks: Of the images, for those networks that take landmarks.

    Raises:
        ValueError: An unknown method, one that is named twice, one that lacks its
            prior, encoder or network, or that does not go with the preset.
        ImportError: The library of a method is not installed.
    """

    methods: tuple[str, ...]
    preset: InversionOptions
    prior: GenerativePrior | None = None
    tell: Callable[[str], None] = lambda sentence: None
    networks: Mapping[str, InpaintingNetwork] = dataclasses.field(default_factory=dict)
    landmarks: NumberedLandmarks | None = None
    encoders: dict[str, LatentEncoder | None] = dataclasses.field(init=False)

    def __post_init__(self) -> None:
        """Load what is needed, and make each method once to see whether it can be."""
        if not self.methods or len(set(self.methods)) < len(self.methods):
            raise ValueError(
                f"`methods` must be one name or more, each once; got {self.methods}."
            )
        encoder, encoders, networks = None, {}, dict(self.networks)
        for method in self.methods:
            check_method(method)
            encoders[method] = None
            if method in FEED_FORWARD:
                networks[method] = find_network(method, networks.get(method))
            if not needs_prior(method):
                continue
            if self.prior is None:
                raise ValueError(f"the method {method!r} needs a prior; pass `prior`.")
            if encoder is None:
                encoder = find_encoder(method, self.prior, self.preset)
            encoders[method] = encoder
        object.__setattr__(self, "encoders", encoders)
        object.__setattr__(self, "networks", networks)
        for method in self.methods:
            self.identify(method, None)

    def prior_of(self, method: str) -> GenerativePrior | None:
        """Return the prior of a method, None for those without."""
        return self.prior if needs_prior(method) else None

    def make(self, method: str, consensus_weight: float | None) -> Inpainter:
        """Make a method, ready to halve its batch where memory runs out."""
        return HalvingInpainter(
            lambda size: self._make(method, consensus_weight, size),
            self.preset.batch_size,
            self.tell,
        )

    def identify(self, method: str, consensus_weight: float | None) -> MethodIdentity:
        """Return what decides the answers of a method to one kind of hole."""
        made = self._make(method, consensus_weight, self.preset.batch_size)
        prior, encoder = self.prior_of(method), self.encoders[method]
        if not _uses_encoder(made):
            encoder = None
        return MethodIdentity(
            method,
            _settings(made),
            prior and prior.sha256,
            encoder and encoder.card["weights"]["sha256"],
        )

    def _make(
        self, method: str, consensus_weight: float | None, batch_size: int
    ) -> Inpainter:
        preset = dataclasses.replace(self.preset, batch_size=batch_size)
        if consensus_weight is not None:
            preset = dataclasses.replace(preset, consensus_weight=consensus_weight)
        if not needs_prior(method):
            network = self.networks.get(method)
            landmarks = self.landmarks if network and network.num_landmarks else None
            return make_inpainter(
                method, preset=preset, network=network, landmarks=landmarks
            )
        return make_inpainter(
            method, prior=self.prior, preset=preset, encoder=self.encoders[method]
        )


def _uses_encoder(inpainter: Inpainter) -> bool:
    searches = isinstance(inpainter, SemanticInpainter)
    starts_there = searches and inpainter.options.start == "encoder"
    return starts_there or isinstance(inpainter, EncoderInpainter)


def _settings(inpainter: Inpainter) -> dict[str, Any]:
    """Return the constants that decide a method's answers.

    Raises:
        TypeError: A kind of method that is not known here; without its constants the
            answers of two versions of it could not be told apart.
    """
    if isinstance(inpainter, SemanticInpainter):
        settings = inpainter.options.as_dict()
        del settings["batch_size"]  # Of no effect but on the speed.
        return settings
    if isinstance(inpainter, EncoderInpainter):
        return {"operator": inpainter.operator, "solver": inpainter.solver}
    if isinstance(inpainter, (ClassicalInpainter, FeedForwardInpainter)):
        return dict(inpainter.settings)
    raise TypeError(
        f"no settings are known of {type(inpainter).__name__}; add them to "
        "benchmark/lineup.py."
    )
