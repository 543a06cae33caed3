"""What every solver keeps of each image's search, and when that has settled."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from keras import ops

from semantic_inpaint.backend import Tensor
from semantic_inpaint.latent.objective import SearchTarget


class Rows(NamedTuple):
    """What belongs to the images that are searched, a row each.

    Attributes:
        target: What generated images are compared with.
        keys: uint32 `[B, 2]`, of the random numbers; see `latent.draws`.
    """

    target: SearchTarget
    keys: Tensor


class Record(NamedTuple):
    """The course of each image's search.

    Attributes:
        count: int32 `[B]`, steps done.
        best_z: float32 `[B, latent_dim]`; the last code is often not the best.
        best_loss: float32 `[B]`, its loss; infinite before the first.
        trace: float32 `[B, num_steps + 1]`, the losses seen; infinite from `count` on.
        latest: bool `[B]`, the newest code of a finite loss stands for the best.
    """

    count: Tensor
    best_z: Tensor
    best_loss: Tensor
    trace: Tensor
    latest: Tensor


def new_record(z: Tensor, num_steps: int, *, result: str = "best") -> Record:
    """Return the record of searches that have seen nothing yet.

    Args:
        z: float32 `[B, latent_dim]`, where they begin.
        num_steps: Of each search, at the most.
        result: `"best"` or `"last"`; see `SearchOptions`.
    """
    none = ops.full_like(z[:, 0], np.inf)
    return Record(
        count=ops.zeros_like(z[:, 0], dtype="int32"),
        best_z=z,
        best_loss=none,
        trace=none[:, None] + ops.zeros((1, num_steps + 1), "float32"),
        latest=ops.full_like(none, result == "last", dtype="bool"),
    )


def seen(record: Record, codes: Tensor, loss: Tensor) -> Record:
    """Enter the losses `[B]` of `codes` at the current step."""
    improved = ops.where(record.latest, ops.isfinite(loss), loss < record.best_loss)
    here = ops.arange(record.trace.shape[1])[None] == record.count[:, None]
    return record._replace(
        best_z=ops.where(improved[:, None], codes, record.best_z),
        best_loss=ops.where(improved, loss, record.best_loss),
        trace=ops.where(here, loss[:, None], record.trace),
    )


def stepped(record: Record, codes: Tensor, loss: Tensor) -> Record:
    """Enter the losses of the codes that a step began at, and count the step."""
    return seen(record, codes, loss)._replace(count=record.count + 1)


def last_loss(record: Record) -> Tensor:
    """Return the loss `[B]` entered by the last step; before the first there is none.

    For those yet to begin it is infinite.
    """
    place = ops.maximum(record.count - 1, 0)
    return ops.take_along_axis(record.trace, place[:, None], axis=1)[:, 0]


def settled(record: Record, *, window: int, tolerance: float) -> Tensor:
    """Say whose steps are all done, or whose best loss falls no more.

    Args:
        record: Of the searches.
        window: Steps over which the fall counts.
        tolerance: Largest share of the whole fall that still counts as none; 0: only
            the number of steps ends a search.

    Returns:
        bool `[B]`.
    """
    num_steps = record.trace.shape[1] - 1
    done = record.count >= num_steps
    if tolerance == 0:
        return done
    before = ops.arange(num_steps + 1)[None] < (record.count - window)[:, None]
    # Comparing leaves out what is no number.
    known = ops.logical_and(before, record.trace < np.inf)
    best_then = ops.min(ops.where(known, record.trace, np.inf), axis=1)
    # Not `best_loss`, which may be that of the latest code.
    finite = record.trace < np.inf
    best_now = ops.min(ops.where(finite, record.trace, np.inf), axis=1)
    fall = best_then - best_now
    whole = record.trace[:, 0] - best_now
    # Infinity less infinity: no loss was a number yet, nor is one to come.
    still = ops.logical_or(fall <= tolerance * whole, ops.isnan(fall))
    return ops.logical_or(done, ops.logical_and(record.count > window, still))
