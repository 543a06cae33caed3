"""Checkpoints of PyTorch, read without it."""

import numpy as np
import pytest

from semantic_inpaint.models.torch_weights import load_torch_tensors
from tests.models.torch_files import (
    checkpoint,
    number,
    older_tensor,
    state,
    tensor,
    text,
)

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


def test_tensors_of_2017_come_back_alike(tmp_path):
    entries = {
        "kernel": older_tensor("FloatStorage", "10", 12, 0, (3, 4), (4, 1)),
        "bias": older_tensor("FloatStorage", "10", 12, 8, (4,), (1,)),
    }
    path = checkpoint(tmp_path / "a.pth", state(entries), {"10": FLOATS})
    assert b"_v2" not in path.read_bytes()
    found = load_torch_tensors(path)
    np.testing.assert_array_equal(found["kernel"], FLOATS.reshape(3, 4))
    np.testing.assert_array_equal(found["bias"], FLOATS[8:])


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
