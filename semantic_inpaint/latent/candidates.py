"""Searches from several codes, and the choice among them by the method's own loss.

A loss with many minima is searched from several codes. Successive halving (Jamieson &
Talwalkar 2016) spends little on those that do badly: all are searched for a first share
of the steps, the better half goes on, and so to the last rung. The steps double from
rung to rung as the candidates halve, so that every rung costs the same.

Each rung is a search of its own, begun at the best codes of the one before, with the
same options but fewer steps. A falling learning rate so ends in every rung, and losses
are compared where they have settled; it rises anew in the next.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from typing import Any

import numpy as np

from semantic_inpaint.latent import draws
from semantic_inpaint.latent.objective import Objective
from semantic_inpaint.latent.options import SearchOptions
from semantic_inpaint.latent.search import LatentSolution, search_latent
from semantic_inpaint.latent.starts import (
    MAX_RESTARTS,
    CandidateOptions,
    best_of_pool,
    candidate_starts,
    draw_pool,
    take_rows,
)

__all__ = [
    "CandidateOptions",
    "Candidates",
    "best_of_pool",
    "candidate_starts",
    "draw_pool",
    "rung_steps",
    "search_candidates",
]


@dataclasses.dataclass(frozen=True, eq=False)
class Candidates:
    """What the searches of each image found, best first.

    Attributes:
        z: float32 `[B, K, latent_dim]`, of all candidates that reached the last rung.
        loss: float32 `[B, K]`, rising; infinite where no loss was a number.
        origin: int `[B, K]`, which of the starts each comes from.
        solution: The first of each image, which the method chooses; its trace and its
            steps are those of all its rungs.
    """

    z: np.ndarray
    loss: np.ndarray
    origin: np.ndarray
    solution: LatentSolution


def rung_steps(num_steps: int, halvings: int) -> tuple[int, ...]:
    """Share the steps of a search among its rungs, each twice as long as the last.

    Raises:
        ValueError: Fewer steps than give every rung one.
    """
    whole = 2 ** (halvings + 1) - 1
    if num_steps < whole:
        raise ValueError(
            f"{halvings} halvings need {whole} steps or more; got {num_steps}. "
            "Search longer, or halve less often."
        )
    ends = [num_steps * (2**rung - 1) // whole for rung in range(halvings + 2)]
    return tuple(np.diff(ends).tolist())


def search_candidates(
    objective: Objective,
    starts: np.ndarray,
    target: Any,  # noqa: ANN401 - a nest of arrays, a row for each image
    options: SearchOptions,
    *,
    halvings: int = 0,
    slots: int | None = None,
    indices: np.ndarray | None = None,
    seed: int = 0,
    progress: Callable[[int], None] | None = None,
) -> Candidates:
    """Search each image from several codes, ever fewer of which go on.

    Only the objective's own losses choose. An image's result depends on its own
    starts, number and seed, never on its batch.

    Args:
        objective: See `search_latent`.
        starts: float32 `[B, K, latent_dim]`, K of 256 at the most.
        target: What the images should fit: arrays with a row for each image.
        options: Of one search; its steps are shared by the rungs, see `rung_steps`.
        halvings: How often the worse half ends (of three, one).
        slots: Codes searched at once; default: all.
        indices: int `[B]`, numbers of the images; default: 0 to B - 1.
        seed: Of what the search draws.
        progress: Called with the number of steps just done, in such shares of the work
            that they add up to what `search_latent` would count from one start.

    Returns:
        All that reached the last rung.

    Raises:
        ValueError: Fewer steps than rungs need, more halvings than leave one, no
            starts, or what `search_latent` refuses.
    """
    _, restarts, latent_dim = starts.shape
    CandidateOptions(restarts=restarts, halvings=halvings)
    steps = rung_steps(options.num_steps, halvings)
    indices = np.arange(len(starts)) if indices is None else np.asarray(indices)
    report = progress and _share_of_work(
        progress, len(starts), restarts, steps, slots or len(starts) * restarts
    )
    race = _begin(starts)
    for rung, num_steps in enumerate(steps):
        width = race.z.shape[1]
        numbers = draws.copy_numbers(indices, MAX_RESTARTS * rung + race.origin)
        found = search_latent(
            objective,
            race.z.reshape(-1, latent_dim),
            take_rows(target, np.repeat(np.arange(len(starts)), width)),
            dataclasses.replace(options, num_steps=num_steps),
            slots=slots,
            indices=numbers.reshape(-1),
            seed=seed,
            progress=report,
        )
        keep = width if rung == halvings else -(-width // 2)
        race = _go_on(race, found, keep)
    return _ended(race)


@dataclasses.dataclass(frozen=True, eq=False)
class _Race:
    """The candidates of each image that are still searched, and their past.

    Attributes:
        z: float32 `[B, K, latent_dim]`, best first once a rung is done.
        loss: float32 `[B, K]`.
        origin: int `[B, K]`.
        trace: float32 `[B, K, steps so far + 1]`.
        num_steps: int32 `[B, K]`, steps done.
        status: str `[B, K]`.
    """

    z: np.ndarray
    loss: np.ndarray
    origin: np.ndarray
    trace: np.ndarray
    num_steps: np.ndarray
    status: np.ndarray


def _begin(starts: np.ndarray) -> _Race:
    count, restarts, _ = starts.shape
    return _Race(
        z=starts,
        loss=np.full((count, restarts), np.inf, np.float32),
        origin=np.tile(np.arange(restarts), (count, 1)),
        trace=np.empty((count, restarts, 1), np.float32),
        num_steps=np.zeros((count, restarts), np.int32),
        status=np.full((count, restarts), "max_steps"),
    )


def _go_on(race: _Race, found: LatentSolution, keep: int) -> _Race:
    """Add a rung to the past of the candidates, and keep the best."""
    shape = race.loss.shape
    status = np.array(found.status).reshape(shape)
    trace = found.trace.reshape(*shape, -1)
    after = _Race(
        z=found.z.reshape(race.z.shape),
        loss=found.loss.reshape(shape),
        origin=race.origin,
        # What a rung ended with, the next one begins with, or with a better one.
        trace=np.concatenate([race.trace[..., :-1], trace], axis=-1),
        num_steps=race.num_steps + found.num_steps.reshape(shape),
        status=np.where(race.status == "nonfinite", race.status, status),
    )
    order = np.argsort(after.loss, axis=1, kind="stable")[:, :keep]

    def chosen(values: np.ndarray) -> np.ndarray:
        places = order.reshape(*order.shape, *(1,) * (values.ndim - 2))
        return np.take_along_axis(values, places, axis=1)

    fields = (field.name for field in dataclasses.fields(_Race))
    return _Race(**{name: chosen(getattr(after, name)) for name in fields})


def _ended(race: _Race) -> Candidates:
    solution = LatentSolution(
        z=race.z[:, 0],
        loss=race.loss[:, 0],
        trace=race.trace[:, 0],
        status=tuple(race.status[:, 0].tolist()),
        num_steps=race.num_steps[:, 0],
    )
    return Candidates(race.z, race.loss, race.origin, solution)


def _share_of_work(
    progress: Callable[[int], None],
    count: int,
    restarts: int,
    steps: tuple[int, ...],
    slots: int,
) -> Callable[[int], None]:
    """Tell `progress` the steps of all rungs as if they were those of one start."""
    widths = [-(-restarts // 2**rung) for rung in range(len(steps))]
    work = sum(
        num_steps * -(-count * width // slots)
        for num_steps, width in zip(steps, widths, strict=True)
    )
    whole = sum(steps) * -(-count // slots)
    done = told = 0

    def report(num_steps: int) -> None:
        nonlocal done, told
        done += num_steps
        now = whole * done // work
        progress(now - told)
        told = now

    return report
