"""Where the searches of an image begin: random codes, the best of many, or given."""

from __future__ import annotations

import dataclasses
import functools
from collections.abc import Callable
from typing import Any

import keras
import numpy as np
from keras import ops

from semantic_inpaint import backend
from semantic_inpaint.backend import Tensor
from semantic_inpaint.latent.objective import Objective
from semantic_inpaint.models.prior import GenerativePrior

# Between the streams of two codes of a pool lie those of other uses.
POOL_STRIDE = 16


# By it the copies of an image draw other noise in every rung.
MAX_RESTARTS = 256


@dataclasses.dataclass(frozen=True)
class CandidateOptions:
    """Where the searches of an image begin, and how few of them go on to the end.

    Attributes:
        pool: Random codes of each image of which the best become starts; as many as
            are needed are drawn where this is fewer.
        restarts: Searches of each image, 256 at the most.
        halvings: How often the worse half of them ends; 0: all go on to the last step,
            and the best answer is taken.
    """

    pool: int = 1
    restarts: int = 1
    halvings: int = 0

    def __post_init__(self) -> None:
        """Check the values.

        Raises:
            ValueError: A number out of its range, or more halvings than leave one.
        """
        if self.pool < 1:
            raise ValueError(f"`pool` must be 1 or more; got {self.pool}.")
        if not 1 <= self.restarts <= MAX_RESTARTS:
            raise ValueError(
                f"`restarts` must be 1 to {MAX_RESTARTS}; got {self.restarts}."
            )
        most = (self.restarts - 1).bit_length()
        if not 0 <= self.halvings <= most:
            raise ValueError(
                f"`halvings` must be 0 to {most}, when one of {self.restarts} "
                f"`restarts` is left; got {self.halvings}."
            )


def draw_pool(
    prior: GenerativePrior,
    indices: np.ndarray,
    *,
    pool: int,
    seed: int,
    stream: int = 0,
    start_scale: float = 1.0,
    distribution: str = "uniform",
) -> np.ndarray:
    """Draw many codes for each numbered image.

    Args:
        prior: Where codes live.
        indices: int `[B]`, 0 or more.
        pool: Codes of each image. The first is that of `prior.codes_for`, and a
            larger pool begins with the smaller one.
        seed: 0 or more.
        stream: Of the first code, see there; below 16.
        start_scale: What codes are multiplied by.
        distribution: As of `prior.codes_for`.

    Returns:
        float32 `[B, pool, latent_dim]`.

    Raises:
        ValueError: An unknown `distribution`.
    """
    members = [
        prior.codes_for(
            indices,
            seed=seed,
            stream=stream + POOL_STRIDE * member,
            distribution=distribution,
        )
        for member in range(pool)
    ]
    return np.float32(start_scale) * np.stack(members, axis=1)


def best_of_pool(
    objective: Objective,
    target: Any,  # noqa: ANN401 - a nest of arrays, a row for each image
    indices: np.ndarray,
    *,
    pool: int,
    keep: int,
    seed: int,
    stream: int = 0,
    start_scale: float = 1.0,
    distribution: str = "uniform",
    slots: int = 64,
) -> tuple[np.ndarray, np.ndarray]:
    """Choose, from many random codes of each image, those of the least loss.

    Args:
        objective: The loss of the search that is to begin there.
        target: What the images should fit.
        indices: int `[B]`, numbers of the images.
        pool: Codes drawn for each image, see `draw_pool`.
        keep: Codes chosen, at most `pool`.
        seed: Of the draws.
        stream: Of the draws.
        start_scale: Of the draws.
        distribution: Of the draws.
        slots: Codes evaluated at once, which bound the memory.

    Returns:
        Codes float32 `[B, keep, latent_dim]` and their losses `[B, keep]`, best first.

    Raises:
        ValueError: `keep` is not between 1 and `pool`.
    """
    if not 1 <= keep <= pool:
        raise ValueError(f"`keep` must be 1 to `pool`, {pool}; got {keep}.")
    support = objective.prior.support
    count, together = len(indices), max(1, slots // pool)
    best_z = np.empty((count, keep, objective.prior.latent_dim), np.float32)
    best_loss = np.empty((count, keep), np.float32)
    for first in range(0, count, together):
        images = np.arange(first, min(first + together, count))
        codes = draw_pool(
            objective.prior,
            indices[images],
            pool=pool,
            seed=seed,
            stream=stream,
            start_scale=start_scale,
            distribution=distribution,
        )
        codes = np.clip(codes, -support, support)
        loss = _losses(objective, codes, target, images, slots)
        order = np.argsort(loss, axis=1, kind="stable")[:, :keep]
        best_z[images] = np.take_along_axis(codes, order[..., None], axis=1)
        best_loss[images] = np.take_along_axis(loss, order, axis=1)
    return best_z, best_loss


def candidate_starts(
    objective: Objective,
    target: Any,  # noqa: ANN401 - a nest of arrays, a row for each image
    indices: np.ndarray,
    options: CandidateOptions,
    *,
    seed: int,
    stream: int = 0,
    start_scale: float = 1.0,
    distribution: str = "uniform",
    slots: int = 64,
    given: np.ndarray | None = None,
) -> np.ndarray:
    """Choose the codes that the searches of each image begin at.

    Args:
        objective: See `best_of_pool`, as for what is not told of here.
        target: See there.
        indices: See there.
        options: How many, and from how many.
        seed: See there.
        stream: See there.
        start_scale: See there.
        distribution: See there.
        slots: See there.
        given: float32 `[B, latent_dim]`, codes that are the first candidates whatever
            their loss, such as an encoder's; None: all are random.

    Returns:
        float32 `[B, options.restarts, latent_dim]`.
    """
    parts = [] if given is None else [given[:, None]]
    random = options.restarts - len(parts)
    drawn = {
        "seed": seed,
        "stream": stream,
        "start_scale": start_scale,
        "distribution": distribution,
    }
    if options.pool > random > 0:
        pool = options.pool
        codes, _ = best_of_pool(
            objective, target, indices, pool=pool, keep=random, slots=slots, **drawn
        )
        parts.append(codes)
    elif random > 0:
        parts.append(draw_pool(objective.prior, indices, pool=random, **drawn))
    return np.concatenate(parts, axis=1)


def _losses(
    objective: Objective,
    codes: np.ndarray,
    target: Any,  # noqa: ANN401 - a nest of arrays
    images: np.ndarray,
    slots: int,
) -> np.ndarray:
    """Evaluate codes `[n, pool, latent_dim]` of some of the target's images."""
    evaluate = _compiled(objective)
    rows = np.repeat(images, codes.shape[1])
    flat = codes.reshape(len(rows), -1)
    losses = []
    for start in range(0, len(rows), slots):
        # The last batch repeats its last row: one shape, compiled once.
        taken = np.minimum(np.arange(start, start + slots), len(rows) - 1)
        loss = evaluate(flat[taken], take_rows(target, rows[taken]))
        losses.append(ops.convert_to_numpy(loss))
    return np.concatenate(losses)[: len(rows)].reshape(codes.shape[:2])


def take_rows(target: Any, images: np.ndarray) -> Any:  # noqa: ANN401 - a nest
    """Take rows of every array of a target, any of them as often as wanted."""
    return keras.tree.map_structure(
        lambda x: None if x is None else np.asarray(x)[images], target
    )


@functools.lru_cache(maxsize=16)
def _compiled(objective: Objective) -> Callable:
    def evaluate(codes: Tensor, target: tuple) -> Tensor:
        return objective(codes, target)

    return backend.compile_function(evaluate)
