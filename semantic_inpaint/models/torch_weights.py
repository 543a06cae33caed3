"""Read the weights of a PyTorch checkpoint without PyTorch, and without running it.

The layout that `torch.save` wrote up to version 1.5: five pickles in a row (a magic
number, the version of the protocol, facts of the machine, the state, the keys of the
storages), then each storage as a count in 8 bytes and its raw numbers. A pickle may
name any function to be called; this reader knows the few names that a dictionary of
tensors needs, and refuses every other.
"""

from __future__ import annotations

import collections
import os
import pickle
import struct
from pathlib import Path
from typing import Any, BinaryIO, NamedTuple

import numpy as np

MAGIC_NUMBER = 0x1950A86A20F9469CFC6C
PROTOCOL_VERSION = 1001
# What rebuilt a tensor up to PyTorch 0.3, and what has done so since.
_REBUILDERS = ("_rebuild_tensor", "_rebuild_tensor_v2")
_NUMBER_TYPES = {
    ("torch", "FloatStorage"): np.dtype("<f4"),
    ("torch", "HalfStorage"): np.dtype("<f2"),
    ("torch", "LongStorage"): np.dtype("<i8"),
}
# What a damaged or hostile pickle makes the unpickler and the steps below raise.
_FAILURES = (
    pickle.UnpicklingError,
    struct.error,
    AttributeError,
    EOFError,
    LookupError,
    MemoryError,
    OverflowError,
    TypeError,
    UnicodeDecodeError,
    ValueError,
)


class _Storage(NamedTuple):
    """Numbers that lie further on in the file."""

    number_type: np.dtype
    key: str
    count: int


class _Tensor(NamedTuple):
    """A view of a storage."""

    storage: _Storage
    offset: int
    shape: tuple[int, ...]
    strides: tuple[int, ...]


def load_torch_tensors(path: str | os.PathLike[str]) -> dict[str, np.ndarray]:
    """Read a dictionary of tensors that `torch.save` wrote in its older layout.

    Args:
        path: The checkpoint (`.pth`).

    Returns:
        The arrays by name, as float32, float16 or int64.

    Raises:
        ValueError: No such file, another layout, a file cut short, or a content other
            than a dictionary of tensors, of which nothing was run.
    """
    path = Path(path)
    if not path.is_file():
        raise ValueError(f"no file {path}: expected weights (.pth) there.")
    with path.open("rb") as file:
        try:
            return _read(file, path.stat().st_size)
        except _FAILURES as error:
            raise ValueError(
                f"{path} is no dictionary of tensors in the older layout of torch.save "
                f"({error or type(error).__name__}); nothing in it was run. Fetch "
                "the file again, or save its tensors as .safetensors."
            ) from error


class _Unpickler(pickle.Unpickler):
    """Knows tensors, their storages and the ordered dictionary; refuses all else."""

    def find_class(self, module: str, name: str) -> Any:  # noqa: ANN401 - pickle's own
        """Resolve a name in the pickle."""
        if (module, name) == ("collections", "OrderedDict"):
            return collections.OrderedDict
        if module == "torch._utils" and name in _REBUILDERS:
            return _tensor
        if (module, name) in _NUMBER_TYPES:
            return _NUMBER_TYPES[module, name]
        raise pickle.UnpicklingError(f"it names {module}.{name}, which is no tensor")

    def persistent_load(self, pid: tuple) -> _Storage:
        """Resolve a reference to a storage."""
        word, number_type, key, _, count, view = pid
        if word != "storage" or view is not None or number_type not in _KNOWN_TYPES:
            raise pickle.UnpicklingError(f"it refers to {pid!r}, which is no storage")
        return _Storage(number_type, str(key), int(count))


_KNOWN_TYPES = tuple(_NUMBER_TYPES.values())


def _tensor(
    storage: _Storage, offset: int, shape: tuple, strides: tuple, *_: object
) -> _Tensor:
    """Stand for the functions of `torch._utils`; the newer one is told more."""
    return _Tensor(storage, offset, shape, strides)


def _read(file: BinaryIO, size: int) -> dict[str, np.ndarray]:
    if file.peek(2)[:2] == b"PK":
        raise ValueError("it is a zip, the newer layout")
    magic, version, machine = (_Unpickler(file).load() for _ in range(3))
    if magic != MAGIC_NUMBER or version != PROTOCOL_VERSION:
        raise ValueError("it begins with another number")
    if machine["little_endian"] is not True:
        raise ValueError("its numbers are big-endian")
    state, keys = _Unpickler(file).load(), _Unpickler(file).load()
    if not isinstance(state, dict):
        raise ValueError(f"it holds a {type(state).__name__}")
    for name, tensor in state.items():
        if not (isinstance(name, str) and isinstance(tensor, _Tensor)):
            raise ValueError(f"its entry {name!r} is a {type(tensor).__name__}")

    storages = {tensor.storage.key: tensor.storage for tensor in state.values()}
    numbers = {key: _read_numbers(file, storages[key], size) for key in keys}
    return {
        name: _view(numbers[tensor.storage.key], tensor)
        for name, tensor in state.items()
    }


def _read_numbers(file: BinaryIO, storage: _Storage, size: int) -> np.ndarray:
    (count,) = struct.unpack("<q", file.read(8))
    length = count * storage.number_type.itemsize
    if count != storage.count or not 0 <= length <= size - file.tell():
        raise ValueError(f"storage {storage.key} is cut short or of another length")
    return np.frombuffer(file.read(length), storage.number_type)


def _view(numbers: np.ndarray, tensor: _Tensor) -> np.ndarray:
    """Lay the shape of a tensor over its numbers, never beyond their ends."""
    offset, shape, strides = tensor.offset, tensor.shape, tensor.strides
    whole = (offset, *shape, *strides)
    if len(shape) != len(strides) or not all(
        isinstance(number, int) and number >= 0 for number in whole
    ):
        raise ValueError(f"a tensor has the shape {shape} and strides {strides}")
    last = sum((n - 1) * step for n, step in zip(shape, strides, strict=True))
    if 0 in shape or offset + last >= len(numbers):
        raise ValueError(f"a tensor of shape {shape} reaches beyond its storage")
    rows = np.lib.stride_tricks.as_strided(
        numbers[offset:], shape, [step * numbers.itemsize for step in strides]
    )
    return rows.copy()
