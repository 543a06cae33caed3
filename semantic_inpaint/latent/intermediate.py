"""Intermediate-layer optimisation: search between the layers, after the code.

Where no code gives the known pixels, the maps inside the generator may: they are
searched within an l1 ball round those that the code found, so that few of them change
much (Daras et al., "Intermediate Layer Optimization for Inverse Problems using Deep
Generative Models", ICML 2021). What comes out has left the generator's range. Unlike
there, one layer is searched, from a code that stays.
"""

from __future__ import annotations

import dataclasses
import functools
from collections.abc import Callable

import keras
import numpy as np
from keras import ops

from semantic_inpaint import backend
from semantic_inpaint.adam import AdamMoments, adam_start, adam_update
from semantic_inpaint.backend import Tensor
from semantic_inpaint.images import from_network
from semantic_inpaint.latent.objective import Objective, SearchTarget
from semantic_inpaint.latent.options import check_betas
from semantic_inpaint.latent.schedule import SCHEDULES, learning_rates
from semantic_inpaint.models.splitting import split_generator

# Of the first maps of every generator.
SMALLEST_SIDE = 4


@dataclasses.dataclass(frozen=True)
class IntermediateOptions:
    """Which maps are searched, how far, and how.

    Attributes:
        side: Of the maps of the generator that are searched; None: a quarter of the
            image's.
        radius: Of the l1 ball, as a share of the l1 norm of the maps that the code
            gives; at 0 nothing changes.
        num_steps: Steps of Adam.
        learning_rate: Largest step size, in units of the maps.
        beta_1: Adam's first decay, as in the search of codes.
        beta_2: Adam's second decay, likewise.
        schedule: One of `schedule.SCHEDULES`.
        batch_size: Images searched together; without effect on the result but for
            rounding.
    """

    side: int | None = None
    radius: float = 0.1
    num_steps: int = 100
    learning_rate: float = 0.02
    beta_1: float = 0.5
    beta_2: float = 0.9
    schedule: str = "cosine"
    batch_size: int = 64

    def __post_init__(self) -> None:
        """Check the values; whether the generator has such maps shows later.

        Raises:
            ValueError: A number out of its range, or an unknown schedule.
        """
        for field, least in (("num_steps", 1), ("batch_size", 1), ("radius", 0)):
            if not (value := getattr(self, field)) >= least:
                raise ValueError(f"`{field}` must be {least} or more; got {value}.")
        if not self.learning_rate > 0:
            raise ValueError(
                f"`learning_rate` must be positive; got {self.learning_rate}."
            )
        check_betas(self.beta_1, self.beta_2)
        if self.schedule not in SCHEDULES:
            raise ValueError(
                f"`schedule` must be one of {', '.join(SCHEDULES)}; got "
                f"{self.schedule!r}."
            )


@dataclasses.dataclass(frozen=True, eq=False)
class IntermediateSolution:
    """What a search between the layers found.

    Attributes:
        z: float32 `[B, latent_dim]`, the codes that it began at, and which stay.
        generated: float32 `[B, H, W, 3]` in [0, 1], the best images.
        loss: float32 `[B]`, their loss; never above that of the codes' images, and not
            finite where theirs is not.
        trace: float32 `[B, num_steps + 1]`, the loss before each step and at the end;
            the first is that of the codes.
        distance: float32 `[B]`, how far the maps went, as a share of the l1 norm of
            those that the codes give.
        num_steps: int64 `[B]`.
    """

    z: np.ndarray
    generated: np.ndarray
    loss: np.ndarray
    trace: np.ndarray
    distance: np.ndarray
    num_steps: np.ndarray

    @property
    def status(self) -> tuple[str, ...]:
        """`"max_steps"` for each image, or `"nonfinite"` where a loss was no number."""
        return tuple(
            "max_steps" if finite else "nonfinite"
            for finite in np.isfinite(self.trace).all(axis=1)
        )


def refine_activations(
    objective: Objective,
    codes: np.ndarray,
    target: SearchTarget,
    options: IntermediateOptions | None = None,
    *,
    progress: Callable[[int], None] | None = None,
) -> IntermediateSolution:
    """Minimise each image's loss over the maps between two layers.

    Args:
        objective: The loss, as in the search of the codes; an anchor, which holds
            codes, has nothing to hold here and is left out.
        codes: float32 `[B, latent_dim]`, where to start.
        target: What the images should fit: arrays with a row for each image.
        options: Which maps, how far, and how; default: `IntermediateOptions()`.
        progress: Called with `options.num_steps` after each batch.

    Returns:
        The best images. Those of image i depend on its own rows alone.

    Raises:
        ValueError: No codes, or the generator has no maps of this side.
    """
    if len(codes) == 0:
        raise ValueError("`codes` has none; give one for each image.")
    options = options or IntermediateOptions()
    # Compiled once, whatever the size of the batches.
    refine = _make_refiner(objective, dataclasses.replace(options, batch_size=1))
    parts = []
    for start in range(0, len(codes), options.batch_size):
        rows = slice(start, start + options.batch_size)
        chosen = np.arange(len(codes))[rows]
        given = (np.asarray(codes, np.float32), target)
        found = refine(*_taken(given, backend.enough_rows(chosen)))
        parts.append([ops.convert_to_numpy(part)[: len(chosen)] for part in found])
        if progress is not None:
            progress(options.num_steps)
    images, loss, trace, distance = (
        np.concatenate(part) for part in zip(*parts, strict=True)
    )
    steps = np.full(len(codes), options.num_steps)
    return IntermediateSolution(
        codes, from_network(images), loss, trace, distance, steps
    )


def project_onto_l1_ball(points: Tensor, radius: Tensor) -> Tensor:
    """Nearest points whose absolute values sum to no more than a radius.

    Every value moves towards 0 by the same amount, and stops there; the amount is the
    largest mean of the k largest values' excess over the radius, for any k (Duchi et
    al., ICML 2008, figure 1).

    Args:
        points: float32 `[B, K]`.
        radius: float32 `[B]`, 0 or more.

    Returns:
        float32 `[B, K]`; points inside the ball are returned as they are.
    """
    size = ops.abs(points)
    falling = ops.flip(ops.sort(size, axis=1), axis=1)
    excess = ops.cumsum(falling, axis=1) - radius[:, None]
    rank = ops.arange(1, points.shape[1] + 1, dtype="float32")
    amount = ops.maximum(ops.max(excess / rank, axis=1, keepdims=True), 0.0)
    return ops.sign(points) * ops.maximum(size - amount, 0.0)


@functools.lru_cache(maxsize=8)
def _make_refiner(objective: Objective, options: IntermediateOptions) -> Callable:
    """Compile `(codes, target) -> (images, loss, trace, distance)`.

    Raises:
        ValueError: The generator has no maps of this side.
    """
    prior = objective.prior
    side = options.side or max(SMALLEST_SIDE, prior.image_size // 4)
    head, tail = split_generator(prior.generator, side=side)
    # To the objective the maps are codes, of a prior that has the tail alone.
    inner = dataclasses.replace(
        objective,
        prior=dataclasses.replace(prior, generator=tail),
        anchor_weight=0.0,
    )

    def refine(codes: Tensor, target: SearchTarget) -> tuple:
        center = ops.cast(head(codes, training=False), "float32")
        norm = ops.sum(ops.abs(center), axis=(1, 2, 3))
        loss_of = functools.partial(_loss, inner, center, target)
        offset, loss, trace = _descend(loss_of, center, norm, options)
        distance = ops.sum(ops.abs(offset), axis=1) / ops.maximum(norm, 1e-12)
        images = tail(_moved(center, offset), training=False)
        return images, loss, trace, distance

    return backend.compile_function(refine)


def _loss(
    objective: Objective, center: Tensor, target: SearchTarget, offset: Tensor
) -> Tensor:
    return objective(_moved(center, offset), target)


def _moved(center: Tensor, offset: Tensor) -> Tensor:
    """Add offsets `[B, K]` to maps `[B, side, side, C]`."""
    return center + ops.reshape(offset, (-1, *center.shape[1:]))


def _descend(
    loss_of: Callable, center: Tensor, norm: Tensor, options: IntermediateOptions
) -> tuple[Tensor, Tensor, Tensor]:
    """Projected Adam from no offset; return the best offset, its loss, the trace."""
    places = ops.arange(options.num_steps + 1)[None]
    rates = learning_rates(
        options.num_steps,
        learning_rate=options.learning_rate,
        schedule=options.schedule,
    )

    def total(offset: Tensor) -> tuple:
        # The sum keeps the images independent of each other.
        loss = loss_of(offset)
        return ops.sum(loss), loss

    def seen(step: Tensor, offset: Tensor, loss: Tensor, best: tuple) -> tuple:
        best_offset, best_loss, trace = best
        improved = loss < best_loss
        return (
            ops.where(improved[:, None], offset, best_offset),
            ops.where(improved, loss, best_loss),
            ops.where(places == step, loss[:, None], trace),
        )

    def body(step: Tensor, offset: Tensor, moments: AdamMoments, best: tuple) -> tuple:
        _, loss, (gradient,) = backend.value_and_grad(total, offset)
        best = seen(step, offset, loss, best)
        (offset,), moments = adam_update(
            [offset],
            [gradient],
            moments,
            learning_rate=ops.take(ops.convert_to_tensor(rates), step),
            beta_1=options.beta_1,
            beta_2=options.beta_2,
        )
        offset = project_onto_l1_ball(offset, options.radius * norm)
        return step + 1, offset, moments, best

    size = center.shape[1] * center.shape[2] * center.shape[3]
    offset = ops.zeros_like(ops.reshape(center, (-1, size)))
    # What is not a number never becomes the best, and is returned as it is.
    loss = loss_of(offset)
    best = (offset, loss, loss[:, None] + ops.zeros_like(places, dtype="float32"))
    state = (ops.zeros((), "int32"), offset, adam_start([offset]), best)
    step, offset, _, best = ops.while_loop(
        lambda step, *_: step < options.num_steps, body, state
    )
    return seen(step, offset, loss_of(offset), best)


def _taken(nest: tuple, rows: np.ndarray) -> tuple:
    """Take some rows of every array onto the device."""
    return keras.tree.map_structure(
        lambda x: None if x is None else ops.convert_to_tensor(np.asarray(x)[rows]),
        nest,
    )
