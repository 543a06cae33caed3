"""Learning rates over a search."""

from __future__ import annotations

import numpy as np
from keras import ops

from semantic_inpaint.backend import Tensor

SCHEDULES = ("constant", "cosine", "stepped")

# Shares of the search with a rising and with a falling rate, after StyleGAN2's
# projector (Karras et al. 2020, appendix D), its fall stretched over the whole rest.
RISE = 0.05

# Of the public code of ChengBinJin.
DECAY, DECAY_STEPS = 0.95, 100


def learning_rates(
    num_steps: int, *, learning_rate: float, schedule: str
) -> np.ndarray:
    """Learning rates of all steps of a search.

    Args:
        num_steps: Steps in all.
        learning_rate: The largest rate.
        schedule: `"constant"` (the papers); `"cosine"`: a linear rise over the
            first 5% of the steps, then half a cosine down to zero; or `"stepped"`
            (ChengBinJin): times .95 at every hundredth step, the very first included.

    Returns:
        float32 `[num_steps]`.

    Raises:
        ValueError: An unknown schedule.
    """
    if schedule not in SCHEDULES:
        raise ValueError(
            f"`schedule` must be one of {', '.join(SCHEDULES)}; got {schedule!r}."
        )
    done = np.arange(num_steps)
    if schedule == "constant":
        share = np.ones(num_steps)
    elif schedule == "stepped":
        share = DECAY ** (1.0 + done // DECAY_STEPS)
    else:
        rise = max(1.0, RISE * num_steps)
        fall = np.clip((done - rise) / max(1.0, num_steps - rise), 0.0, 1.0)
        share = np.minimum((done + 1.0) / rise, 1.0)
        share *= 0.5 * (1.0 + np.cos(np.pi * fall))
    return np.float32(learning_rate * share)


def at_step(table: np.ndarray, count: Tensor) -> Tensor:
    """Take from a table with a value for each step.

    Computed in the loop of a search, the last digit of a power or a cosine would
    depend on how many images are searched beside one.

    Args:
        table: `[num_steps]`.
        count: int32 `[B]`, steps done, at most `num_steps`; past the last step its
            value stays.

    Returns:
        `[B, 1]`.
    """
    step = ops.minimum(count, len(table) - 1)
    return ops.take(ops.convert_to_tensor(table), step)[:, None]
