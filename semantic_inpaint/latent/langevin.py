"""Codes drawn from the posterior, rather than the best one alone.

A loss and a temperature T make a density, exp(-loss / T) on the support of the prior,
which is flat there. Its chain is Metropolis-adjusted Langevin dynamics (Roberts &
Tweedie 1996): a step along the gradient with noise, accepted or refused so that the
density is met exactly. With more than one leap per step it is Hamiltonian Monte Carlo
(Duane et al. 1987; Neal 2011), which goes on in one direction before it draws anew and
so wanders farther. What leaves the support is reflected, which keeps both exact.
"""

from __future__ import annotations

import dataclasses
import functools
from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np
from keras import ops

from semantic_inpaint import backend
from semantic_inpaint.backend import Tensor
from semantic_inpaint.latent import draws
from semantic_inpaint.latent.objective import Objective
from semantic_inpaint.latent.solvers.first_order import loss_and_gradient
from semantic_inpaint.latent.starts import take_rows

# Shares of accepted steps at which chains of many dimensions go farthest: of one leap
# (Roberts & Rosenthal 1998), of several (Beskos et al. 2013).
ONE_LEAP_ACCEPTANCE, LEAPS_ACCEPTANCE = 0.574, 0.651
# How fast the adaptation of the step size dies down (Robbins & Monro 1951).
DECAY = 0.6


@dataclasses.dataclass(frozen=True)
class LangevinOptions:
    """How a chain walks.

    Attributes:
        num_steps: Steps in all; the last code is the sample.
        burn_in: Steps at first in which the step size is adapted to the best share of
            accepted ones; it is fixed from then on.
        num_leaps: Gradients for each step; 1 is Langevin dynamics.
        step_size: Of the first leap, as a share of the support.
    """

    num_steps: int = 200
    burn_in: int = 100
    num_leaps: int = 1
    step_size: float = 0.01

    def __post_init__(self) -> None:
        """Check the values.

        Raises:
            ValueError: A number out of its range.
        """
        if not 0 <= self.burn_in < self.num_steps:
            raise ValueError(
                f"`burn_in` must be 0 or more and less than `num_steps`, "
                f"{self.num_steps}; got {self.burn_in}."
            )
        if self.num_leaps < 1:
            raise ValueError(f"`num_leaps` must be 1 or more; got {self.num_leaps}.")
        if not self.step_size > 0:
            raise ValueError(f"`step_size` must be positive; got {self.step_size}.")


@dataclasses.dataclass(frozen=True, eq=False)
class LangevinSamples:
    """Where the chains ended.

    Attributes:
        z: float32 `[B, S, latent_dim]`, in the order of their numbers.
        loss: float32 `[B, S]`.
        acceptance: float32 `[B]`, share of accepted steps after the burn-in, of all
            chains of an image.
    """

    z: np.ndarray
    loss: np.ndarray
    acceptance: np.ndarray


class _Point(NamedTuple):
    z: Tensor
    momentum: Tensor
    loss: Tensor
    gradient: Tensor


class _Chain(NamedTuple):
    z: Tensor
    loss: Tensor
    gradient: Tensor
    log_size: Tensor
    accepted: Tensor


def sample_around(
    objective: Objective,
    z: np.ndarray,
    target: Any,  # noqa: ANN401 - a nest of arrays, a row for each image
    *,
    num_samples: int,
    temperature: np.ndarray | float,
    options: LangevinOptions | None = None,
    slots: int = 64,
    indices: np.ndarray | None = None,
    seed: int = 0,
    progress: Callable[[int], None] | None = None,
) -> LangevinSamples:
    """Draw codes with the density exp(-loss / temperature) on the prior's support.

    Each sample is the end of a chain of its own, so that samples are independent of
    each other, and depend on the seed, their image and their number alone.

    Args:
        objective: `(codes, target) -> [B]`, differentiable.
        z: float32 `[B, latent_dim]`, where all chains of an image begin: its optimum.
        target: What the images should fit: arrays with a row for each image.
        num_samples: S, 4096 at the most.
        temperature: T, positive, in the units of the loss; one, or `[B]`. Where the
            loss is quadratic, samples have a loss that is T * latent_dim / 2 above
            the least.
        options: Of the chains; default: `LangevinOptions()`.
        slots: Chains run at once, which bound the memory of the device.
        indices: int `[B]`, numbers of the images; default: 0 to B - 1.
        seed: Of the draws.
        progress: Called with `options.num_steps` after each filling of the slots.

    Returns:
        The samples and their losses. Where the loss is no number at the start, the
        chain stays there.

    Raises:
        ValueError: A number of samples or slots or a temperature out of its range, or
            not one index or temperature for each image.
    """
    options = options or LangevinOptions()
    count = len(z)
    indices = np.arange(count) if indices is None else np.asarray(indices)
    temperature = _checked(num_samples, slots, temperature, indices, count)
    support = objective.prior.support
    images = np.repeat(np.arange(count), num_samples)
    numbers = draws.copy_numbers(indices, np.arange(num_samples)).reshape(-1)
    keys = draws.keys_for(numbers, seed=seed)
    run = _compiled(objective, options)
    # Equal fillings, whose last one repeats its last row: one shape, compiled once.
    fillings = -(-len(images) // slots)
    size = -(-len(images) // fillings)
    ends = []
    for start in range(0, len(images), size):
        rows = np.minimum(np.arange(start, start + size), len(images) - 1)
        codes = np.clip(np.asarray(z, np.float32)[images[rows]], -support, support)
        chain = run(
            codes,
            take_rows(target, images[rows]),
            keys[rows],
            temperature[images[rows]],
        )
        ends.append([ops.convert_to_numpy(x) for x in chain])
        if progress is not None:
            progress(options.num_steps)
    codes, loss, accepted = (
        np.concatenate(part)[: len(images)] for part in zip(*ends, strict=True)
    )
    share = accepted / (options.num_steps - options.burn_in)
    return LangevinSamples(
        z=codes.reshape(count, num_samples, -1),
        loss=loss.reshape(count, num_samples),
        acceptance=share.reshape(count, num_samples).mean(axis=1),
    )


@functools.lru_cache(maxsize=16)
def _compiled(objective: Objective, options: LangevinOptions) -> Callable:
    """Compile chains: `(z, target, keys, temperature) -> (z, loss, accepted)`."""
    support = objective.prior.support
    wanted = ONE_LEAP_ACCEPTANCE if options.num_leaps == 1 else LEAPS_ACCEPTANCE

    def run(z: Tensor, target: tuple, keys: Tensor, temperature: Tensor) -> tuple:
        def going(step: Tensor, chain: _Chain) -> Tensor:
            return step < options.num_steps

        def body(step: Tensor, chain: _Chain) -> tuple:
            steps = ops.zeros_like(chain.loss, dtype="int32") + step
            stream = draws.MOMENTUM_STREAM
            momentum = draws.normal(keys, steps, z.shape[-1], stream=stream)
            begin = _Point(chain.z, momentum, chain.loss, chain.gradient)
            leap = ops.exp(chain.log_size)[:, None]
            end = _leapt(objective, target, begin, leap, temperature, options, support)

            # The energy would stay the same, were the leaps infinitely small.
            rise = (end.loss - begin.loss) / temperature + 0.5 * ops.sum(
                ops.square(end.momentum) - ops.square(momentum), axis=1
            )
            # NaN, of a loss that is no number, is as good as infinity.
            odds = ops.where(rise < np.inf, ops.exp(ops.minimum(-rise, 0.0)), 0.0)
            share = draws.uniform(keys, steps, 1, stream=draws.ACCEPT_STREAM)[:, 0]
            accept = share < odds

            done = ops.cast(step, "float32")
            gain = ops.where(step < options.burn_in, (done + 1.0) ** -DECAY, 0.0)
            counts = ops.cast(step >= options.burn_in, "float32")
            return step + 1, _Chain(
                z=ops.where(accept[:, None], end.z, chain.z),
                loss=ops.where(accept, end.loss, chain.loss),
                gradient=ops.where(accept[:, None], end.gradient, chain.gradient),
                log_size=chain.log_size + gain * (odds - wanted),
                accepted=chain.accepted + counts * ops.cast(accept, "float32"),
            )

        loss, gradient = loss_and_gradient(objective, z, target)
        size = ops.full_like(loss, np.log(options.step_size * support))
        chain = _Chain(z, loss, gradient, size, ops.zeros_like(loss))
        _, chain = ops.while_loop(going, body, (ops.zeros((), "int32"), chain))
        return chain.z, chain.loss, chain.accepted

    return backend.compile_function(run)


def _leapt(
    objective: Objective,
    target: tuple,
    point: _Point,
    leap: Tensor,
    temperature: Tensor,
    options: LangevinOptions,
    support: float,
) -> _Point:
    """Follow the force for `options.num_leaps` leaps of leapfrog, `leap` `[B, 1]`."""
    half = 0.5 * leap / temperature[:, None]

    def going(done: Tensor, point: _Point) -> Tensor:
        return done < options.num_leaps

    def body(done: Tensor, point: _Point) -> tuple:
        momentum = point.momentum - half * point.gradient
        z, turned = reflected(point.z + leap * momentum, support)
        loss, gradient = loss_and_gradient(objective, z, target)
        momentum = turned * momentum - half * gradient
        return done + 1, _Point(z, momentum, loss, gradient)

    return ops.while_loop(going, body, (ops.zeros((), "int32"), point))[1]


def reflected(z: Tensor, support: float) -> tuple[Tensor, Tensor]:
    """Fold coordinates back into the support, as if its bounds were mirrors.

    Args:
        z: float32 `[B, latent_dim]`.
        support: Half the side of the box.

    Returns:
        Where they come to lie, and 1, or -1 where they now move the other way.
    """
    along = ops.mod(z + support, 4.0 * support)
    back = along > 2.0 * support
    folded = ops.where(back, 4.0 * support - along, along) - support
    inside = ops.abs(z) <= support
    # Adding and subtracting the support rounds what need not be touched.
    return ops.where(inside, z, folded), ops.where(back, -1.0, 1.0)


def _checked(
    num_samples: int,
    slots: int,
    temperature: np.ndarray | float,
    indices: np.ndarray,
    count: int,
) -> np.ndarray:
    """Check the arguments of `sample_around`; return the temperatures `[B]`."""
    if not 1 <= num_samples <= 4096:
        raise ValueError(f"`num_samples` must be 1 to 4096; got {num_samples}.")
    if slots < 1:
        raise ValueError(f"`slots` must be 1 or more; got {slots}.")
    if indices.shape != (count,) or count == 0:
        raise ValueError(
            f"`indices` must number each of the {count} images, of which there must be "
            f"one or more; got shape {indices.shape}."
        )
    temperature = np.asarray(temperature, np.float32)
    if temperature.shape not in ((), (count,)):
        raise ValueError(
            f"`temperature` must be one, or one for each of the {count} images; got "
            f"shape {temperature.shape}."
        )
    if not (np.isfinite(temperature).all() and (temperature > 0).all()):
        raise ValueError(
            f"`temperature` must be positive and finite; got {temperature.tolist()}."
        )
    return np.broadcast_to(temperature, (count,))
