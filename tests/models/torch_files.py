"""Checkpoints written by hand, opcode by opcode, as `torch.save` lays them out."""

import pickle
import struct

from semantic_inpaint.models.torch_weights import MAGIC_NUMBER, PROTOCOL_VERSION

MACHINE = {"protocol_version": 1001, "little_endian": True, "type_sizes": {"int": 4}}


def number(value):
    return b"J" + struct.pack("<i", value)


def text(value):
    encoded = value.encode()
    return b"X" + struct.pack("<I", len(encoded)) + encoded


def numbers(values):
    return b"(" + b"".join(map(number, values)) + b"t"


def tensor(kind, key, count, offset, shape, strides):
    """Opcodes of `_rebuild_tensor_v2(storage, offset, shape, strides, False, {})`."""
    reference = b"(" + text("storage") + b"ctorch\n" + kind.encode() + b"\n"
    reference += text(key) + text("cpu") + number(count) + b"NtQ"
    arguments = reference + number(offset) + numbers(shape) + numbers(strides)
    ordered = b"ccollections\nOrderedDict\n)R"
    return (
        b"ctorch._utils\n_rebuild_tensor_v2\n(" + arguments + b"\x89" + ordered + b"tR"
    )


def older_tensor(*arguments):
    """Opcodes of `_rebuild_tensor(storage, offset, shape, strides)`, up to 2017."""
    newer = tensor(*arguments).replace(b"_rebuild_tensor_v2", b"_rebuild_tensor")
    # Less whether it has a gradient, and its hooks.
    return newer.replace(b"\x89ccollections\nOrderedDict\n)R", b"")


def state(entries):
    """Opcodes of an OrderedDict with the attribute that a module's state has."""
    items = b"".join(text(name) + value for name, value in entries.items())
    metadata = b"}" + text("_metadata") + b"}sb"
    ordered = b"ccollections\nOrderedDict\n)R"
    return b"\x80\x02" + ordered + b"(" + items + b"u" + metadata + b"."


def checkpoint(path, opcodes, storages, *, machine=MACHINE, magic=MAGIC_NUMBER):
    """Write the five pickles, then each storage's count and bytes."""
    head = (magic, PROTOCOL_VERSION, machine)
    content = b"".join(pickle.dumps(part, protocol=2) for part in head) + opcodes
    content += pickle.dumps(list(storages), protocol=2)
    for array in storages.values():
        content += struct.pack("<q", array.size) + array.tobytes()
    path.write_bytes(content)
    return path
