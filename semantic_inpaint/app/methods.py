"""The methods that `run` runs, on the devices and in the memory that there are."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from typing import TYPE_CHECKING

from semantic_inpaint.inpainters import find_encoder, make_inpainter
from semantic_inpaint.inpainters.halving import HalvingInpainter
from semantic_inpaint.inpainters.spread import SpreadInpainter
from semantic_inpaint.models.checkpoints import load_prior

if TYPE_CHECKING:
    from semantic_inpaint.inpainters import Inpainter
    from semantic_inpaint.latent.presets import InversionOptions
    from semantic_inpaint.models.encoder import LatentEncoder
    from semantic_inpaint.models.prior import GenerativePrior


@dataclasses.dataclass(eq=False)
class Methods:
    """One method for any mask; its networks are loaded once on each device.

    Attributes:
        method: A name of the registry, or None for what the options are for.
        search: Options of the search.
        prior: On the first device.
        devices: Names of devices; empty: the backend's own choice.
        tell: Called with a sentence where memory ran out.
        encoder: Of the prior, where the method needs it.

    Raises:
        ValueError: The method needs an encoder, and the prior has none.
    """

    method: str | None
    search: InversionOptions
    prior: GenerativePrior
    devices: tuple[str, ...]
    tell: Callable[[str], None]
    encoder: LatentEncoder | None = dataclasses.field(init=False)

    def __post_init__(self) -> None:
        """Load the encoder of the first device."""
        self.encoder = find_encoder(self.method, self.prior, self.search)
        first = self.devices[0] if self.devices else None
        self._loaded = {first: (self.prior, self.encoder)}

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
            prior = load_prior(self.prior.folder)
            encoder = find_encoder(self.method, prior, self.search)
            self._loaded[device] = prior, encoder
        prior, encoder = self._loaded[device]
        options = dataclasses.replace(
            self.search, consensus_weight=consensus_weight, batch_size=batch_size
        )
        return make_inpainter(self.method, prior=prior, preset=options, encoder=encoder)
