"""The methods that `run` runs, on the devices and in the memory that there are."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from semantic_inpaint.inpainters import (
    FEED_FORWARD,
    check_method,
    find_encoder,
    find_network,
    make_inpainter,
)
from semantic_inpaint.inpainters.feedforward import require_code
from semantic_inpaint.inpainters.halving import HalvingInpainter
from semantic_inpaint.inpainters.spread import SpreadInpainter
from semantic_inpaint.models.checkpoints import load_prior
from semantic_inpaint.models.inpainting_files import load_network

if TYPE_CHECKING:
    from semantic_inpaint.app.options import RunOptions
    from semantic_inpaint.datasets.landmarks import NumberedLandmarks
    from semantic_inpaint.inpainters import Inpainter
    from semantic_inpaint.latent.presets import InversionOptions
    from semantic_inpaint.models.encoder import LatentEncoder
    from semantic_inpaint.models.inpainting_networks import InpaintingNetwork
    from semantic_inpaint.models.prior import GenerativePrior

    Loaded = tuple[
        GenerativePrior | None, LatentEncoder | None, InpaintingNetwork | None
    ]


@dataclasses.dataclass(eq=False)
class Methods:
    """One method for any mask; its networks are loaded once on each device.

    Attributes:
        method: A name of the registry, or None for what the options are for.
        search: Options of the search.
        prior: On the first device; None for a method with a network of its own.
        devices: Names of devices; empty: the backend's own choice.
        tell: Called with a sentence where memory ran out.
        network: Of a method without a prior, on the first device.
        blend: Of that method; None: none.
        landmarks: Of the images that are to be filled, for a network that takes them.
        encoder: Of the prior, where the method needs it.

    Raises:
        ValueError: The method needs an encoder, and the prior has none.
    """

    method: str | None
    search: InversionOptions
    prior: GenerativePrior | None
    devices: tuple[str, ...]
    tell: Callable[[str], None]
    network: InpaintingNetwork | None = None
    blend: str | None = None
    landmarks: NumberedLandmarks | None = None
    encoder: LatentEncoder | None = dataclasses.field(init=False)

    def __post_init__(self) -> None:
        """Load the encoder of the first device."""
        self.encoder = None
        if self.prior is not None:
            self.encoder = find_encoder(self.method, self.prior, self.search)
        first = self.devices[0] if self.devices else None
        self._loaded = {first: (self.prior, self.encoder, self.network)}

    @classmethod
    def named(
        cls, options: RunOptions, devices: tuple[str, ...], tell: Callable[[str], None]
    ) -> Methods:
        """Load what the words of the command name.

        Raises:
            ValueError: There is no such method, prior, encoder or network, or one does
                not go with the other.
        """
        search, method, network = options.inversion(), options.method, None
        if method is None and options.network is not None:
            network = load_network(options.network)
            method = network.kind
        if method is not None:
            check_method(method)
        if method not in FEED_FORWARD:
            return cls(method, search, load_prior(options.prior), devices, tell)
        network = find_network(method, network or options.network)
        if options.num_samples > 1:
            require_code(network)
        return cls(method, search, None, devices, tell, network, options.blend)

    @property
    def image_size(self) -> int:
        """Side of the images that the networks were trained on."""
        return (self.prior or self.network).image_size

    @property
    def search_record(self) -> dict[str, Any] | None:
        """What decides the search, fit for JSON; None where nothing is searched."""
        if self.prior is None:
            return None
        resolved = self.search.resolved(has_encoder=self.encoder is not None)
        return resolved.as_dict()

    @property
    def batch_size(self) -> int:
        """Images filled together, on all devices."""
        return self.search.batch_size * max(1, len(self.devices))

    def make(self, consensus_weight: float | None) -> Inpainter:
        """Make the method for a mask, ready to halve its batch where it must."""

        def with_batch(size: int) -> Inpainter:
            if len(self.devices) < 2:
                return self._make_on(None, consensus_weight, size)
            share = max(1, size // len(self.devices))
            return SpreadInpainter(
                lambda device: self._make_on(device, consensus_weight, share),
                self.devices,
            )

        return HalvingInpainter(with_batch, self.batch_size, self.tell)

    def make_plain(self, consensus_weight: float | None) -> Inpainter:
        """Make the method itself, on the first device."""
        return self._make_on(None, consensus_weight, self.search.batch_size)

    def _make_on(
        self, device: str | None, consensus_weight: float | None, batch_size: int
    ) -> Inpainter:
        if device is None and self.devices:
            device = self.devices[0]
        if device not in self._loaded:
            self._loaded[device] = self._load_again()
        prior, encoder, network = self._loaded[device]
        options = dataclasses.replace(
            self.search, consensus_weight=consensus_weight, batch_size=batch_size
        )
        if network is not None:
            return make_inpainter(
                self.method,
                preset=options,
                network=network,
                blend=self.blend,
                landmarks=self.landmarks,
            )
        return make_inpainter(self.method, prior=prior, preset=options, encoder=encoder)

    def _load_again(self) -> Loaded:
        if self.network is not None:
            return None, None, load_network(self.network.folder)
        prior = load_prior(self.prior.folder)
        return prior, find_encoder(self.method, prior, self.search), None
