"""One training step on several devices, each with a share of the batch."""

from __future__ import annotations

from collections.abc import Sequence

import keras

from semantic_inpaint import backend
from semantic_inpaint.training.inpainting import InpaintingBatch, Spread


def spread_over(devices: Sequence[str], batch_size: int) -> Spread:
    """Divide batches between devices, by Keras' own means of distribution.

    The compiled step then runs on all of them, each computing its share of every sum
    over the batch, statistics of batch normalisation included: the update is that of
    one device but for rounding. Keras distributes on the JAX backend alone.

    Args:
        devices: Names as `backend.device_names` gives them, two or more, all of one
            kind.
        batch_size: Of the recipe; divided evenly.

    Returns:
        A function that places a batch.

    Raises:
        ValueError: Another backend than JAX, fewer than two devices, devices that are
            not there, or a batch that they cannot share evenly.
    """
    if backend.name() != "jax":
        raise ValueError(
            f"training on several devices needs the JAX backend, and {backend.name()} "
            "runs: install jax (pip install jax; for GPUs jax[cuda12]) and set "
            "KERAS_BACKEND=jax, or train on one device."
        )
    if len(devices) < 2 or batch_size % len(devices):
        raise ValueError(
            f"a batch of {batch_size} cannot be shared evenly between "
            f"{len(devices)} devices; name two or more that divide it."
        )
    kind = devices[0].split(":")[0]
    found = keras.distribution.list_devices(kind)
    wanted = [f"{kind}:{int(name.partition(':')[2] or 0)}" for name in devices]
    if len(set(wanted)) < len(wanted) or not set(wanted) <= set(found):
        raise ValueError(
            f"no such devices {', '.join(devices)}; there are {', '.join(found)}."
        )
    mesh = keras.distribution.DeviceMesh((len(wanted),), ["batch"], wanted)

    def spread(batch: InpaintingBatch) -> InpaintingBatch:
        placed = []
        for values in batch:
            axes = ["batch"] + [None] * (values.ndim - 1)
            layout = keras.distribution.TensorLayout(axes, mesh)
            placed.append(keras.distribution.distribute_tensor(values, layout))
        return InpaintingBatch(*placed)

    return spread
