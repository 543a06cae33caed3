"""Learning rates over a search."""

from __future__ import annotations

import math

from keras import ops

from semantic_inpaint.backend import Tensor

SCHEDULES = ("constant", "cosine", "stepped")

# Shares of the search with a rising and with a falling rate, after StyleGAN2's
# projector (Karras et al. 2020, appendix D), its fall stretched over the whole rest.
RISE = 0.05

# Of the public code of ChengBinJin.
DECAY, DECAY_STEPS = 0.95, 100


def learning_rate_at(
    step: Tensor, *, num_steps: int, learning_rate: float, schedule: str
) -> Tensor:
    """Learning rate of a step.

    Args:
        step: Scalar tensor or number, steps done before this one.
        num_steps: Steps in all.
        learning_rate: The largest rate.
        schedule: `"constant"` (the papers); `"cosine"`: a linear rise over the
            first 5% of the steps, then half a cosine down to zero; or `"stepped"`
            (ChengBinJin): times .95 at every hundredth step, the very first included.

    Returns:
        A float32 scalar.

    Raises:
        ValueError: An unknown schedule.
    """
    if schedule not in SCHEDULES:
        raise ValueError(
            f"`schedule` must be one of {', '.join(SCHEDULES)}; got {schedule!r}."
        )
    if schedule == "constant":
        return ops.convert_to_tensor(learning_rate, "float32")
    done = ops.cast(step, "float32")
    if schedule == "stepped":
        return learning_rate * DECAY ** (1.0 + ops.floor(done / DECAY_STEPS))
    rise = max(1.0, RISE * num_steps)
    rising = ops.minimum((done + 1.0) / rise, 1.0)
    fall = ops.clip((done - rise) / max(1.0, num_steps - rise), 0.0, 1.0)
    return learning_rate * rising * 0.5 * (1.0 + ops.cos(math.pi * fall))
