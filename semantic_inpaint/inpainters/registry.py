"""Methods by name, and the short way to use them."""

from __future__ import annotations

import dataclasses
import difflib
from collections.abc import Callable
from pathlib import Path
from typing import Protocol

from semantic_inpaint.datasets.landmarks import NumberedLandmarks
from semantic_inpaint.inpainters.classical import CLASSICAL
from semantic_inpaint.inpainters.encoded import EncoderInpainter
from semantic_inpaint.inpainters.feedforward import FeedForwardInpainter
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
from semantic_inpaint.models.inpainting_files import load_network
from semantic_inpaint.models.inpainting_networks import NETWORKS, InpaintingNetwork
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
    _require_second("refined", options)
    return SemanticInpainter(prior, options, encoder)


def _plain(
    prior: GenerativePrior, options: InversionOptions, encoder: LatentEncoder | None
) -> Inpainter:
    """As many steps as both stages have, all of them of stage 1 (table 2's control)."""
    _require_second("plain", options)
    first = dataclasses.replace(options.first, num_steps=options.num_steps())
    options = dataclasses.replace(options, first=first, second=None)
    return SemanticInpainter(prior, options, encoder)


def _require_second(method: str, options: InversionOptions) -> None:
    if options.second is None:
        raise ValueError(
            f"the method {method!r} needs a second stage, which this preset has not; "
            "use the method 'semantic', or another preset."
        )


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


WITH_PRIOR: dict[str, Maker] = {
    "semantic": _semantic,
    "refined": _refined,
    "plain": _plain,
    "encoder": _encoder,
}
"""Methods that draw on a prior."""

FEED_FORWARD = tuple(NETWORKS)
"""Methods that are one pass of a network of their own."""

METHODS = (*WITH_PRIOR, *FEED_FORWARD, *CLASSICAL)
"""Every method by its name."""


def check_method(method: str) -> None:
    """Check that a method is registered.

    Raises:
        ValueError: It is not; the message has the nearest right name.
    """
    if method not in METHODS:
        near = difflib.get_close_matches(method, METHODS, n=1)
        hint = f" Did you mean {near[0]!r}?" if near else ""
        raise ValueError(f"no method {method!r}; there are {', '.join(METHODS)}.{hint}")


def needs_prior(method: str) -> bool:
    """Say whether a registered method draws on a prior.

    The classical ones do not, nor those with a network of their own.
    """
    return method in WITH_PRIOR


def find_network(
    method: str, network: InpaintingNetwork | str | Path | None = None
) -> InpaintingNetwork:
    """Load the network of a feed-forward method.

    Args:
        method: One of `FEED_FORWARD`.
        network: A network or its folder; None: the one that ships.

    Raises:
        ValueError: There is none, or it is that of another method.
    """
    if not isinstance(network, InpaintingNetwork):
        network = load_network(method if network is None else network)
    if network.kind != method:
        raise ValueError(
            f"the method {method!r} has another network than {network.kind!r}; use "
            f"the method {network.kind!r}, or name another folder."
        )
    return network


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
    network: InpaintingNetwork | str | Path | None = None,
    blend: str | None = None,
    landmarks: NumberedLandmarks | None = None,
) -> Inpainter:
    """Make a method ready to use.

    Args:
        method: `"semantic"` (Yeh et al.: invert, blend), `"refined"` (Malesevic et
            al.: invert, blend, refine, blend), `"plain"` (the paper's control: as
            many steps as `"refined"`, all of the first stage), `"encoder"` (encode,
            generate, blend: no search); one pass of a network trained for it:
            `"pconv"`, `"conv"`, `"iconv"`, `"pconv-gan"`, `"gated"`; or a classical
            one, without a network: `"mean"`, `"biharmonic"`, `"telea"`,
            `"navier-stokes"`, `"patchmatch"`. None: `"semantic"` or `"refined"`,
            whichever the preset is for.
        prior: A prior, the name of a shipped one, or its folder; only those that draw
            on one load it.
        preset: Options, or the name of a preset; of these, `"encoder"` takes how to
            blend, and the size of a batch, a network of its own the solver and the
            size of a batch, and a classical method nothing.
        encoder: Of the prior; default: the one beside it, where one is needed.
        network: Of a feed-forward method, or its folder; default: the one that ships.
        blend: Of a feed-forward method: `"gradient"`, `"log"` or `"log-printed"`;
            default: none, the network's pixels as they are.
        landmarks: Of the images, for a feed-forward method that takes them; default:
            where they lie on average.

    Raises:
        ValueError: An unknown method, prior, preset or network, or two that do not go
            together; or the prior has no encoder where one is needed.
        ImportError: The library of a classical method is not installed.
    """
    options = get_preset(preset) if isinstance(preset, str) else preset
    if method is None:
        method = "semantic" if options.second is None else "refined"
    check_method(method)
    if method in CLASSICAL:
        return CLASSICAL[method]()
    if method in FEED_FORWARD:
        return FeedForwardInpainter(
            find_network(method, network),
            operator=blend or "paste",
            solver=options.solver,
            batch_size=options.batch_size,
            landmarks=landmarks,
        )
    if not isinstance(prior, GenerativePrior):
        prior = load_prior(prior)
    if encoder is None:
        encoder = find_encoder(method, prior, options)
    return WITH_PRIOR[method](prior, options, encoder)


def inpaint(
    problem: InpaintingProblem,
    *,
    method: str | None = None,
    prior: GenerativePrior | str | Path = DEFAULT_PRIOR,
    preset: InversionOptions | str = DEFAULT_PRESET,
    network: InpaintingNetwork | str | Path | None = None,
    blend: str | None = None,
    seed: int = 0,
) -> InpaintingResult:
    """Fill the holes of a problem; see `make_inpainter` for the arguments."""
    inpainter = make_inpainter(
        method, prior=prior, preset=preset, network=network, blend=blend
    )
    return inpainter.inpaint(problem, seed=seed)
