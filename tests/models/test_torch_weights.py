"""Checkpoints written by hand, opcode by opcode, as `torch.save` lays them out."""

import pickle
import struct

import numpy as np
import pytest

from semantic_inpaint.models.torch_weights import (
    MAGIC_NUMBER,
    PROTOCOL_VERSION,
    load_torch_tensors,
)

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


FLOATS = np.arange(12, dtype=np.float32)


def test_tensors_come_back_with_type_shape_and_strides(tmp_path):
    entries = {
        "kernel": tensor("FloatStorage", "10", 12, 0, (3, 4), (4, 1)),
        "transposed": tensor("FloatStorage", "10", 12, 0, (4, 3), (1, 4)),
        "end": tensor("FloatStorage", "10", 12, 10, (2,), (1,)),
        "half": tensor("HalfStorage", "11", 2, 0, (2, 1), (1, 1)),
        "count": tensor("LongStorage", "12", 1, 0, (), ()),
    }
    storages = {
        "12": np.array([2**40], "<i8"),
        "10": FLOATS,
        "11": np.array([0.5, -2.0], "<f2"),
    }
    found = load_torch_tensors(checkpoint(tmp_path / "a.pth", state(entries), storages))
    assert list(found) == list(entries)
    expected = {
        "kernel": FLOATS.reshape(3, 4),
        "transposed": FLOATS.reshape(3, 4).T,
        "end": FLOATS[10:],
        "half": storages["11"].reshape(2, 1),
        "count": storages["12"].reshape(()),
    }
    for name, array in expected.items():
        np.testing.assert_array_equal(found[name], array, err_msg=name)
        assert found[name].dtype == array.dtype


@pytest.mark.parametrize("name", ["os\nsystem", "builtins\neval", "torch\nload"])
@pytest.mark.parametrize("place", ["state", "first"])
def test_a_pickle_that_calls_anything_else_is_refused_and_not_run(
    tmp_path, name, place
):
    marker = tmp_path / "ran"
    call = b"c" + name.encode() + b"\n(" + text(f"touch {marker}") + b"tR"
    path = tmp_path / "bad.pth"
    if place == "state":
        checkpoint(path, state({"kernel": call}), {})
    else:
        path.write_bytes(b"\x80\x02" + call + b".")
    with pytest.raises(ValueError, match=r"which is no tensor.*nothing in it was run"):
        load_torch_tensors(path)
    assert not marker.exists()


@pytest.mark.parametrize(
    ("layout", "message"),
    [
        ((0, (3, 5), (5, 1)), "beyond its storage"),
        ((9, (4,), (1,)), "beyond its storage"),
        ((0, (4,), (-1,)), "strides"),
        ((-1, (4,), (1,)), "strides"),
        ((0, (4, 1), (1,)), "strides"),
        ((0, (2**30, 2**30), (0, 0)), "no dictionary of tensors"),
    ],
)
def test_a_shape_that_leaves_its_storage_is_refused(tmp_path, layout, message):
    entries = {"kernel": tensor("FloatStorage", "1", 12, *layout)}
    path = checkpoint(tmp_path / "a.pth", state(entries), {"1": FLOATS})
    with pytest.raises(ValueError, match=message):
        load_torch_tensors(path)


def test_another_content_is_named(tmp_path):
    kernel = tensor("FloatStorage", "1", 12, 0, (12,), (1,))
    good = checkpoint(tmp_path / "a.pth", state({"kernel": kernel}), {"1": FLOATS})
    whole = good.read_bytes()

    def refuses(message):
        with pytest.raises(ValueError, match=message):
            load_torch_tensors(good)

    good.write_bytes(whole[:-1])
    refuses("storage 1 is cut short")
    good.write_bytes(whole[:60])
    refuses("no dictionary of tensors")
    good.write_bytes(b"PK\x03\x04")
    refuses("it is a zip, the newer layout")
    checkpoint(good, state({"kernel": number(3)}), {})
    refuses("its entry 'kernel' is a int")
    checkpoint(good, b"\x80\x02]." + b"", {})
    refuses("it holds a list")
    checkpoint(good, state({}), {}, magic=3)
    refuses("begins with another number")
    checkpoint(good, state({}), {}, machine={"little_endian": False})
    refuses("big-endian")
    with pytest.raises(ValueError, match=r"no file .*missing\.pth"):
        load_torch_tensors(tmp_path / "missing.pth")
