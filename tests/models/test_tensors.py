"""Arrays in one file: whole, exact, and never executed."""

import pickle

import numpy as np
import pytest
from safetensors import SafetensorError

from semantic_inpaint.models.tensors import load_tensors, save_tensors

pytestmark = pytest.mark.both_backends


class Payload:
    """What writes a file when it is unpickled."""

    def __init__(self, path):
        self.path = path

    def __reduce__(self):
        return open, (self.path, "w")


def sample():
    rng = np.random.default_rng(0)
    return {
        "a/kernel": rng.normal(size=(2, 3, 4)).astype(np.float32),
        "half": rng.normal(size=5).astype(np.float16),
        "turned": rng.normal(size=(3, 4)).astype(np.float32).T,
        "count": np.float32(7.0),
        "empty": np.zeros((0, 2), np.float32),
    }


def test_arrays_and_words_come_back_exactly(tmp_path):
    path = tmp_path / "new" / "folder" / "x.safetensors"
    save_tensors(path, sample(), metadata={"step": "3", "note": "ü"})
    found, metadata = load_tensors(path)
    assert metadata == {"step": "3", "note": "ü"}
    assert found.keys() == sample().keys()
    for name, array in sample().items():
        assert found[name].dtype == array.dtype
        assert found[name].shape == array.shape
        np.testing.assert_array_equal(found[name], array)
    assert [p.name for p in path.parent.iterdir()] == ["x.safetensors"]


def test_a_failed_save_leaves_the_old_file_and_no_litter(tmp_path):
    path, taken = tmp_path / "x.safetensors", tmp_path / "taken"
    save_tensors(path, sample(), metadata={})
    before = path.read_bytes()
    with pytest.raises(SafetensorError):
        save_tensors(path, {"bad": np.array(["words"])}, metadata={})
    # Written to its end, but a folder stands in the way of the last rename.
    taken.mkdir()
    with pytest.raises(OSError):
        save_tensors(taken, sample(), metadata={})
    assert path.read_bytes() == before
    assert {p.name for p in tmp_path.iterdir()} == {"x.safetensors", "taken"}


@pytest.mark.parametrize("kind", ["pickle", "npz", "text", "empty", "cut", "folder"])
def test_what_is_no_whole_safetensors_file_is_refused_by_name(tmp_path, kind):
    path, executed = tmp_path / "x.safetensors", tmp_path / "executed"
    if kind == "pickle":
        path.write_bytes(pickle.dumps(Payload(str(executed))))
    elif kind == "npz":
        with path.open("wb") as file:
            np.savez(file, a=np.zeros(3))
    elif kind == "folder":
        path.mkdir()
    elif kind == "cut":
        save_tensors(path, sample(), metadata={})
        path.write_bytes(path.read_bytes()[:-1])
    else:
        path.write_bytes(b"words" * 9 if kind == "text" else b"")
    with pytest.raises(ValueError, match=r"x\.safetensors") as caught:
        load_tensors(path)
    assert "\n" not in str(caught.value)
    assert not executed.exists()
