"""Random numbers that are functions of what they are for, and hold no state.

A search may share its slots with any others, on either backend: what it draws must
depend on its seed, its image and its step alone. So a counter is enciphered (Salmon et
al. 2011, "Parallel random numbers: as easy as 1, 2, 3", Threefry-2x32 of 20 rounds).
"""

from __future__ import annotations

import math

import numpy as np
from keras import ops

from semantic_inpaint.backend import Tensor

ROTATIONS = ((13, 15, 26, 6), (17, 29, 16, 24))
PARITY = 0x1BD11BDA
ROUND_GROUPS = 5

# Each use of random numbers in a step enciphers counters of its own.
NOISE_STREAM, REDRAW_STREAM, MOMENTUM_STREAM, ACCEPT_STREAM, NUM_STREAMS = range(5)

# Copies of one image draw as if they were other images, numbered far behind all others.
COPY_STRIDE = 2**20


def keys_for(indices: np.ndarray, *, seed: int) -> np.ndarray:
    """Make the key of each numbered image: uint32 `[B, 2]`, of its number and `seed`.

    Raises:
        ValueError: The seed is negative.
    """
    if seed < 0:
        raise ValueError(f"`seed` must be 0 or more; got {seed}.")
    keys = np.empty((len(indices), 2), np.uint32)
    keys[:, 0] = seed % 2**32
    keys[:, 1] = np.asarray(indices) % 2**32
    return keys


def copy_numbers(indices: np.ndarray, copies: np.ndarray) -> np.ndarray:
    """Number the copies of images, so that each draws for itself.

    Args:
        indices: int `[B]`, numbers of the images, below 2^20 lest two copies collide.
        copies: int `[K]` or `[B, K]`, numbers of the copies, below 2^12; 0 is the image
            itself.

    Returns:
        int64 `[B, K]`, for `keys_for`.
    """
    return np.asarray(indices, np.int64)[:, None] + COPY_STRIDE * np.asarray(copies)


def threefry(keys: Tensor, first: Tensor, second: Tensor) -> tuple[Tensor, Tensor]:
    """Encipher counters.

    Args:
        keys: uint32 `[B, 2]`.
        first: uint32 `[B, 1]`, first words of the counters.
        second: uint32 `[1, D]`, second words.

    Returns:
        Two uint32 `[B, D]`, each as good as random.
    """
    k0, k1 = keys[:, 0:1], keys[:, 1:2]
    schedule = (k0, k1, ops.bitwise_xor(ops.bitwise_xor(k0, k1), _word(PARITY)))
    x0, x1 = first + k0 + ops.zeros_like(second), second + k1
    for group in range(ROUND_GROUPS):
        for distance in ROTATIONS[group % 2]:
            x0 = x0 + x1
            x1 = ops.bitwise_xor(_rotated(x1, distance), x0)
        x0 = x0 + schedule[(group + 1) % 3]
        x1 = x1 + schedule[(group + 2) % 3] + _word(group + 1)
    return x0, x1


def uniform(keys: Tensor, step: Tensor, size: int, *, stream: int) -> Tensor:
    """Draw float32 `[B, size]`, uniform in (0, 1).

    Args:
        keys: uint32 `[B, 2]`, from `keys_for`.
        step: int32 `[B]`, of each image's own search.
        size: Numbers for each image.
        stream: Which use in the step.
    """
    return _share(_words(keys, step, size, stream)[0])


def normal(keys: Tensor, step: Tensor, size: int, *, stream: int) -> Tensor:
    """Draw float32 `[B, size]`, standard normal (Box & Muller); see `uniform`."""
    first, second = _words(keys, step, size, stream)
    radius = ops.sqrt(-2.0 * ops.log(_share(first)))
    return radius * ops.cos(2.0 * math.pi * _share(second))


def _words(keys: Tensor, step: Tensor, size: int, stream: int) -> tuple:
    steps = ops.cast(NUM_STREAMS * step + stream, "uint32")
    places = ops.convert_to_tensor(np.arange(size, dtype=np.uint32))
    return threefry(keys, steps[:, None], places[None])


def _share(words: Tensor) -> Tensor:
    # 23 bits and a half: exact in float32, and never 0, whose logarithm is not finite.
    high = ops.right_shift(words, _word(9))
    return (ops.cast(high, "float32") + 0.5) * 2.0**-23


def _rotated(words: Tensor, distance: int) -> Tensor:
    return ops.bitwise_or(
        ops.left_shift(words, _word(distance)),
        ops.right_shift(words, _word(32 - distance)),
    )


def _word(value: int) -> Tensor:
    return ops.convert_to_tensor(np.uint32(value))
