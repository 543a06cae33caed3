"""Methods by name, and the short way to use them."""

from __future__ import annotations

import dataclasses
import difflib
from collections.abc import Callable
from pathlib import Path
from typing import Protocol

from semantic_inpaint.inpainters.encoded import EncoderInpainter
from semantic_inpaint.inpainters.semantic import SemanticInpainter
from semantic_inpaint.inpainters.stages import Watcher
from semantic_inpaint.latent.presets import (
    DEFAULT_PRESET,
    InversionOptions,
    get_preset,
)
from semantic_inpaint.models.checkpoints import DEFAULT_PRIOR, load_prior
from semantic_inpaint.models.encoder import LatentEncoder
from semantic_inpaint.models.encoder_files import has_encoder, load_encoder
from semantic_inpaint.models.prior import GenerativePrior
from semantic_inpaint.problem import InpaintingProblem, InpaintingResult


class Inpainter(Protocol):
    """What every method offers."""

    @property
    def num_steps(self) -> int:
        """What `progress` counts up to for each batch."""
        ...

    def inpaint(
        self,
        problem: InpaintingProblem,
        *,
        seed: int = 0,
        progress: Callable[[str, int], None] | None = None,
        watch: Watcher | None = None,
    ) -> InpaintingResult:
        """Fill the holes of a problem; `watch` looks on at searches, if any."""
        ...


Maker = Callable[[GenerativePrior, InversionOptions, LatentEncoder | None], Inpainter]


def _semantic(
    prior: GenerativePrior, options: InversionOptions, encoder: LatentEncoder | None
) -> Inpainter:
    return SemanticInpainter(prior, dataclasses.replace(options, second=None), encoder)


def _refined(
    prior: GenerativePrior, options: InversionOptions, encoder: LatentEncoder | None
) -> Inpainter:
    if options.second is None:
        raise ValueError(
            "the method 'refined' needs a second stage, which this preset has not; "
            "use the method 'semantic', or another preset."
        )
    return SemanticInpainter(prior, options, encoder)


def _encoder(
    prior: GenerativePrior, options: InversionOptions, encoder: LatentEncoder
) -> Inpainter:
    return EncoderInpainter(
        prior,
        encoder,
        operator=options.operator,
        solver=options.solver,
        batch_size=options.batch_size,
    )


METHODS: dict[str, Maker] = {
    "semantic": _semantic,
    "refined": _refined,
    "encoder": _encoder,
}


def find_encoder(
    method: str | None, prior: GenerativePrior, options: InversionOptions
) -> LatentEncoder | None:
    """Load the encoder beside a prior where a method has a use for it.

    Raises:
        ValueError: The method cannot do without, and there is none.
    """
    if method == "encoder" or options.start == "encoder":
        return load_encoder(prior)
    if options.start == "auto" and has_encoder(prior):
        return load_encoder(prior)
    return None


def make_inpainter(
    method: str | None = None,
    *,
    prior: GenerativePrior | str | Path = DEFAULT_PRIOR,
    preset: InversionOptions | str = DEFAULT_PRESET,
    encoder: LatentEncoder | None = None,
) -> Inpainter:
    """Make a method ready to use.

    Args:
        method: `"semantic"` (Yeh et al.: invert, blend), `"refined"` (Malesevic et
            al.: invert, blend, refine, blend) or `"encoder"` (encode, generate,
            blend: no search); None: whichever of the first two the preset is for.
        prior: A prior, the name of a shipped one, or its folder.
        preset: Options, or the name of a preset; of these, `"encoder"` takes how to
            blend, and the size of a batch.
        encoder: Of the prior; default: the one beside it, where one is needed.

    Raises:
        ValueError: An unknown method, prior or preset, or two that do not go together;
            or the prior has no encoder where one is needed.
    """
    options = get_preset(preset) if isinstance(preset, str) else preset
    if method is None:
        method = "semantic" if options.second is None else "refined"
    if method not in METHODS:
        near = difflib.get_close_matches(method, METHODS, n=1)
        hint = f" Did you mean {near[0]!r}?" if near else ""
        raise ValueError(f"no method {method!r}; there are {', '.join(METHODS)}.{hint}")
    if not isinstance(prior, GenerativePrior):
        prior = load_prior(prior)
    if encoder is None:
        encoder = find_encoder(method, prior, options)
    return METHODS[method](prior, options, encoder)


def inpaint(
    problem: InpaintingProblem,
    *,
    method: str | None = None,
    prior: GenerativePrior | str | Path = DEFAULT_PRIOR,
    preset: InversionOptions | str = DEFAULT_PRESET,
    seed: int = 0,
) -> InpaintingResult:
    """Fill the holes of a problem; see `make_inpainter` for the arguments."""
    return make_inpainter(method, prior=prior, preset=preset).inpaint(
        problem, seed=seed
    )
