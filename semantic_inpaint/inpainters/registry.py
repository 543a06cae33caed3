"""Methods by name, and the short way to use them."""

from __future__ import annotations

import dataclasses
import difflib
from collections.abc import Callable
from pathlib import Path
from typing import Protocol

from semantic_inpaint.inpainters.semantic import SemanticInpainter
from semantic_inpaint.latent.presets import (
    DEFAULT_PRESET,
    InversionOptions,
    get_preset,
)
from semantic_inpaint.models.checkpoints import DEFAULT_PRIOR, load_prior
from semantic_inpaint.models.prior import GenerativePrior
from semantic_inpaint.problem import InpaintingProblem, InpaintingResult


class Inpainter(Protocol):
    """What every method offers."""

    def inpaint(
        self,
        problem: InpaintingProblem,
        *,
        seed: int = 0,
        progress: Callable[[str, int], None] | None = None,
    ) -> InpaintingResult:
        """Fill the holes of a problem."""
        ...


def _semantic(prior: GenerativePrior, options: InversionOptions) -> Inpainter:
    return SemanticInpainter(prior, dataclasses.replace(options, second=None))


def _refined(prior: GenerativePrior, options: InversionOptions) -> Inpainter:
    if options.second is None:
        raise ValueError(
            "the method 'refined' needs a second stage, which this preset has not; "
            "use the method 'semantic', or another preset."
        )
    return SemanticInpainter(prior, options)


METHODS: dict[str, Callable[[GenerativePrior, InversionOptions], Inpainter]] = {
    "semantic": _semantic,
    "refined": _refined,
}


def make_inpainter(
    method: str | None = None,
    *,
    prior: GenerativePrior | str | Path = DEFAULT_PRIOR,
    preset: InversionOptions | str = DEFAULT_PRESET,
) -> Inpainter:
    """Make a method ready to use.

    Args:
        method: `"semantic"` (Yeh et al.: invert, blend) or `"refined"` (Malesevic et
            al.: invert, blend, refine, blend); None: whichever the preset is for.
        prior: A prior, the name of a shipped one, or its folder.
        preset: Options, or the name of a preset.

    Raises:
        ValueError: An unknown method, prior or preset, or two that do not go together.
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
    return METHODS[method](prior, options)


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
