"""The only module that knows which Keras backend runs underneath.

Models, losses and loops are written in `keras.ops`. What the backends do
differently (products with Jacobians, compilation, devices) is here, for TensorFlow
and for JAX.
"""

from __future__ import annotations

import contextlib
import contextvars
import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TypeAlias

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")

import keras
import numpy as np

Tensor: TypeAlias = keras.KerasTensor
Pullback: TypeAlias = Callable[..., tuple]

# A product with a single row takes another way through the libraries, and rounds
# otherwise than the same row among others.
LEAST_ROWS = 2

# Set where a person asked for the CPU, though there may be a GPU.
_ON_CPU: contextvars.ContextVar[bool] = contextvars.ContextVar("on_cpu", default=False)

if keras.backend.backend() == "tensorflow":
    import tensorflow as tf
elif keras.backend.backend() == "jax":
    import jax
else:
    raise ImportError(
        f"Keras runs on {keras.backend.backend()!r}; semantic_inpaint needs TensorFlow "
        "or JAX. Set the environment variable KERAS_BACKEND to 'tensorflow' or 'jax'."
    )


def name() -> str:
    """Return `"tensorflow"` or `"jax"`."""
    return keras.backend.backend()


def version() -> str:
    """Return the version of the running backend."""
    return tf.__version__ if name() == "tensorflow" else jax.__version__


def vjp(function: Callable, *primals: Tensor) -> tuple[Tensor, Tensor, Pullback]:
    """Evaluate `function` and prepare its vector-Jacobian product.

    Args:
        function: Takes `primals`, returns `(outputs, auxiliary)`.
        primals: Nested structures of tensors to differentiate by.

    Returns:
        `(outputs, auxiliary, pullback)`. `pullback(cotangents)`, to be called once,
        returns one structure of gradients for each of `primals`.
    """
    if name() == "jax":
        outputs, pullback, auxiliary = jax.vjp(function, *primals, has_aux=True)
        return outputs, auxiliary, pullback

    with tf.GradientTape() as tape:
        tape.watch(primals)
        outputs, auxiliary = function(*primals)

    def pull(cotangents: Tensor) -> tuple:
        return tape.gradient(
            outputs,
            primals,
            output_gradients=cotangents,
            unconnected_gradients=tf.UnconnectedGradients.ZERO,
        )

    return outputs, auxiliary, pull


def jvp(function: Callable, primal: Tensor, tangent: Tensor) -> Tensor:
    """Jacobian-vector product: how outputs change along a direction.

    Args:
        function: Takes `primal`, returns one tensor.
        primal: Where.
        tangent: The direction, of the shape of `primal`.

    Returns:
        A tensor of the shape of the output.
    """
    if name() == "jax":
        return jax.jvp(function, (primal,), (tangent,))[1]
    with tf.autodiff.ForwardAccumulator(primal, tangent) as accumulator:
        output = function(primal)
    return accumulator.jvp(output, unconnected_gradients=tf.UnconnectedGradients.ZERO)


def value_and_grad(
    function: Callable, *primals: Tensor
) -> tuple[Tensor, Tensor, tuple]:
    """Value, auxiliary and gradients of a scalar function.

    Args:
        function: Takes `primals`, returns `(scalar, auxiliary)`.
        primals: Nested structures of tensors to differentiate by.

    Returns:
        `(value, auxiliary, gradients)`, one structure of gradients for each primal.
    """
    value, auxiliary, pullback = vjp(function, *primals)
    return value, auxiliary, pullback(keras.ops.ones_like(value))


def enough_rows(rows: np.ndarray) -> np.ndarray:
    """Repeat the last of some row numbers until rows are computed as among many.

    Args:
        rows: int `[n]`, n at least 1.

    Returns:
        int `[max(n, LEAST_ROWS)]`.
    """
    return np.pad(rows, (0, max(0, LEAST_ROWS - len(rows))), mode="edge")


def compile_function(function: Callable) -> Callable:
    """Compile a pure function of tensors for the running device.

    TensorFlow: a plain graph on the CPU, XLA on a GPU (XLA on the CPU is several
    times slower here). JAX: `jax.jit`.
    """
    if name() == "jax":
        return jax.jit(function)
    return tf.function(function, jit_compile=on_gpu(), reduce_retracing=True)


def on_gpu() -> bool:
    """Return whether what is computed now runs on a GPU."""
    if _ON_CPU.get():
        return False
    if name() == "jax":
        return jax.default_backend() == "gpu"
    return bool(tf.config.list_logical_devices("GPU"))


def device_names() -> list[str]:
    """Names that `device_scope` takes, the default device first."""
    if name() == "jax":
        gpus = sum(device.platform == "gpu" for device in jax.devices())
        cpus = len(jax.devices("cpu"))
    else:
        gpus = len(tf.config.list_logical_devices("GPU"))
        cpus = len(tf.config.list_logical_devices("CPU"))
    # One processor is one device, unless the backend was told to divide it.
    further = (f"cpu:{i}" for i in range(1, cpus))
    return [*(f"gpu:{i}" for i in range(gpus)), "cpu", *further]


@contextlib.contextmanager
def device_scope(device: str | None) -> Iterator[None]:
    """Run what is inside on `device` (`"cpu"`, `"gpu"`, `"gpu:1"`); None: the default.

    Raises:
        ValueError: There is no such device.
    """
    if device is None:
        yield
        return
    wanted = "gpu:0" if device == "gpu" else "cpu" if device == "cpu:0" else device
    if wanted not in device_names():
        raise ValueError(
            f"no device {device!r} here; available: {', '.join(device_names())}."
        )
    token = _ON_CPU.set(wanted.startswith("cpu"))
    try:
        with keras.device(wanted if ":" in wanted else f"{wanted}:0"):
            yield
    finally:
        _ON_CPU.reset(token)


def is_out_of_memory(error: BaseException) -> bool:
    """Return whether an error says that a device, or the host, has no memory left."""
    if isinstance(error, MemoryError):
        return True
    if name() == "jax":
        kind = jax.errors.JaxRuntimeError
        return isinstance(error, kind) and "RESOURCE_EXHAUSTED" in str(error)
    return isinstance(error, tf.errors.ResourceExhaustedError)


def processor_has_bfloat16() -> bool:
    """Return whether the processor or GPU computes faster in bfloat16."""
    if on_gpu():
        return True
    try:
        with Path("/proc/cpuinfo").open(encoding="ascii", errors="ignore") as file:
            flags = next((line for line in file if line.startswith("flags")), "")
    except OSError:
        return False
    return "avx512_bf16" in flags or "amx_bf16" in flags


def compute_policy(precision: str) -> str:
    """Keras dtype policy for a precision: `auto`, `float32` or `bfloat16`.

    Variables stay float32; `auto` computes in bfloat16 where that is faster.

    Raises:
        ValueError: An unknown precision.
    """
    if precision not in ("auto", "float32", "bfloat16"):
        raise ValueError(
            f"`precision` must be 'auto', 'float32' or 'bfloat16'; got {precision!r}."
        )
    if precision == "auto":
        precision = "bfloat16" if processor_has_bfloat16() else "float32"
    return "mixed_bfloat16" if precision == "bfloat16" else "float32"
