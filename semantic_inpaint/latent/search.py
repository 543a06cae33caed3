"""GAN inversion: search the codes whose images fit their targets."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable

import numpy as np

from semantic_inpaint.latent.engine import Watch, make_engine, start_searches
from semantic_inpaint.latent.objective import Objective, SearchTarget
from semantic_inpaint.latent.options import SearchOptions

__all__ = ["LatentSolution", "SearchOptions", "search_latent"]

# A search has converged if its best loss fell, and over the last tenth of the steps by
# less than this share of the whole fall. A falling learning rate ends this way too.
SETTLED = 1e-3

# Steps between two looks at a search; it is watched at this many points at least.
CHUNK = 25
LEAST_LOOKS = 24


@dataclasses.dataclass(frozen=True, eq=False)
class LatentSolution:
    """What a search found.

    Attributes:
        z: float32 `[B, latent_dim]`, the best code of each image.
        loss: float32 `[B]`, its loss.
        trace: float32 `[B, num_steps + 1]`, the loss before each step and at the end;
            after an image's last step its last loss again.
        status: `"converged"`, `"max_steps"` or `"nonfinite"` for each image.
        num_steps: int32 `[B]`, steps done for each image.
    """

    z: np.ndarray
    loss: np.ndarray
    trace: np.ndarray
    status: tuple[str, ...]
    num_steps: np.ndarray


def search_latent(
    objective: Objective,
    z: np.ndarray,
    target: SearchTarget,
    options: SearchOptions,
    *,
    slots: int | None = None,
    indices: np.ndarray | None = None,
    seed: int = 0,
    progress: Callable[[int], None] | None = None,
    watch: Watch | None = None,
    chunk: int | None = None,
) -> LatentSolution:
    """Minimise each image's loss over its code.

    The loop is one compiled call where all images have a slot and none may end early;
    with `progress`, `watch` or a tolerance it is one for every `chunk` steps. Between
    these, images whose search has ended leave, and waiting ones take their slots;
    nothing is compiled anew. No image's result depends on the others, nor on its slot.

    Args:
        objective: `(codes, target) -> [B]`; with `residuals` for `"gauss-newton"`.
        z: float32 `[B, latent_dim]`, where to start.
        target: What the images should fit: arrays with a row for each image.
        options: Of the search.
        slots: Images searched at once, which bound the memory of the device; default:
            all.
        indices: int `[B]`, numbers of the images, 0 or more, by which they draw what
            noise and stochastic clipping need; default: 0 to B - 1.
        seed: Of these draws.
        progress: Called with the number of steps just done. They add up to
            `options.num_steps` for each filling of the slots that it takes if no
            search ends early; one that does counts with the steps it was spared.
        watch: Called, at the start of each image's search, after every chunk of steps
            and at its end, with the rows of `z` that are in the slots, int `[n]`, the
            steps done of each, int `[n]`, and its codes, float32 `[n, latent_dim]`,
            which need not be its best; changes no result.
        chunk: Steps between two looks at who has ended; never more than the window
            that a tolerance is measured over. Default: 25, or fewer, so that a search
            that is watched is seen at 24 points.

    Returns:
        The best code of each image, with its loss and trace.

    Raises:
        ValueError: No slots, not one index for each image, or a method that cannot
            minimise the objective.
    """
    indices = np.arange(len(z)) if indices is None else np.asarray(indices)
    _check(len(z), slots, indices)
    if chunk is None:
        looks = 1 if watch is None else LEAST_LOOKS
        chunk = min(CHUNK, -(-options.num_steps // looks))
    support = objective.prior.support
    z = np.asarray(z, np.float32)
    if options.projection != "none":
        z = np.clip(z, -support, support)
    fillings = -(-len(z) // (slots or len(z)))
    if options.tolerance > 0:
        slots = min(slots or len(z), len(z))
        chunk = min(chunk, make_engine(objective, options).solver.window)
    else:
        # All leave together: equal fillings leave fewer slots empty in the last.
        slots = -(-len(z) // fillings)
        if progress is None and watch is None:
            chunk = options.num_steps
    searches = start_searches(
        objective, z, target, options, watch, slots=slots, indices=indices, seed=seed
    )
    told = 0
    while searches.running:
        searches.advance(chunk)
        if progress is not None:
            done = round(searches.share_done * fillings * options.num_steps)
            progress(done - told)
            told = done
    return LatentSolution(
        z=searches.best_z,
        loss=searches.best_loss,
        trace=searches.trace,
        status=_status(searches.trace, searches.count),
        num_steps=searches.count,
    )


def _check(count: int, slots: int | None, indices: np.ndarray) -> None:
    if count == 0:
        raise ValueError("`z` has no codes; give one for each image.")
    if slots is not None and slots < 1:
        raise ValueError(f"`slots` must be 1 or more, or None for all; got {slots}.")
    if indices.shape != (count,):
        raise ValueError(
            f"`indices` must number each of the {count} images; got shape "
            f"{indices.shape}."
        )


def _status(trace: np.ndarray, count: np.ndarray) -> tuple[str, ...]:
    """Say how each image's search ended, from its trace `[num_steps + 1]`."""
    num_steps = trace.shape[1] - 1
    finite = np.isfinite(trace).all(axis=1)
    best = np.minimum.accumulate(np.where(np.isfinite(trace), trace, np.inf), axis=1)
    tail = max(1, num_steps // 10)
    with np.errstate(invalid="ignore"):
        last_gain = best[:, -1 - tail] - best[:, -1]
        settled = last_gain <= SETTLED * (best[:, 0] - best[:, -1])
    # Only a tolerance ends a search before its last step.
    settled |= count < num_steps
    return tuple(
        "nonfinite" if not ok else "converged" if still else "max_steps"
        for ok, still in zip(finite, settled, strict=True)
    )
