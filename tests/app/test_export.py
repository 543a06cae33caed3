"""A network handed to other programs."""

import json

import numpy as np
import pytest
from keras import ops

from semantic_inpaint.app.export import main
from semantic_inpaint.models.inpainting_files import load_network, save_network


def read_sidecar(out):
    return json.loads(out.with_name(f"{out.name}.json").read_text())


@pytest.mark.parametrize(
    "kind", ["pconv", pytest.param("iconv", marks=pytest.mark.slow)]
)
def test_a_saved_model_gives_the_same_picture(
    tiny_network_folders, tmp_path, capfd, kind
):
    out = tmp_path / "exported"
    words = [str(tiny_network_folders[kind]), "--out", str(out)]
    assert main([*words, "--format", "saved-model"]) == 0
    # What was written was read back, and its largest difference told; it adds in
    # another order.
    shown = capfd.readouterr().out
    assert float(shown.split("by at most ")[1].split()[0]) < 1e-4
    assert (out / "saved_model.pb").is_file()
    sidecar = read_sidecar(out)
    names = ["images", "known"] + (["latent"] if kind == "iconv" else [])
    assert [entry["name"] for entry in sidecar["inputs"]] == names
    assert sidecar["inputs"][0]["shape"] == [None, 16, 16, 3]
    assert sidecar["sha256"] == load_network(tiny_network_folders[kind]).sha256


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["pconv", "conv", "iconv", "pconv-gan", "gated"])
def test_onnx_runtime_gives_the_same_picture(
    tiny_network_folders, tmp_path, capfd, kind
):
    import onnxruntime

    out = tmp_path / "network.onnx"
    assert main([str(tiny_network_folders[kind]), "--out", str(out)]) == 0
    assert "read back" in capfd.readouterr().out
    session = onnxruntime.InferenceSession(out)
    assert [tensor.name for tensor in session.get_inputs()] == [
        entry["name"] for entry in read_sidecar(out)["inputs"]
    ]
    network = load_network(tiny_network_folders[kind])
    rng = np.random.default_rng(1)
    # Another number of pictures than the one that it was checked with.
    images = rng.random((3, 16, 16, 3), dtype=np.float32)
    known = rng.random((3, 16, 16)) < 0.6
    codes = rng.standard_normal((3, network.latent_dim), np.float32)
    inputs = {"images": images * 2 - 1, "known": known[..., None].astype(np.float32)}
    if network.latent_dim:
        inputs["latent"] = codes
    (found,) = session.run(None, inputs)
    expected = network.generate(images, known, codes=codes)
    # Two runtimes add in another order.
    np.testing.assert_allclose(np.clip(found / 2 + 0.5, 0.0, 1.0), expected, atol=1e-4)


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["--out", "here.onnx", "--format", "saved-model"], "must be a folder"),
        (["--out", "here"], "must be a file that ends in .onnx"),
        (["--out", "sm", "--format", "saved-model", "--size", "20"], "multiples of 8"),
        (["--out", "sm", "--format", "saved-model", "--size", "0"], "got --size 0"),
        (["--out", "sm", "--format", "saved-model", "--batch", "0"], "--batch must"),
        (["--out", ".", "--format", "saved-model"], "exists already"),
    ],
)
def test_what_cannot_be_written_is_one_line_and_exit_code_two(
    tiny_network_folders, tmp_path, monkeypatch, capfd, words, message
):
    monkeypatch.chdir(tmp_path)
    assert main([str(tiny_network_folders["conv"]), *words]) == 2
    err = capfd.readouterr().err
    assert err.startswith("error: ")
    assert message in err
    assert not list(tmp_path.iterdir())


def test_a_file_beside_it_of_the_name_of_its_description_is_kept(
    tiny_network_folders, tmp_path, capfd
):
    (tmp_path / "sm.json").write_text("mine")
    words = ["--out", str(tmp_path / "sm"), "--format", "saved-model"]
    assert main([str(tiny_network_folders["conv"]), *words]) == 2
    assert "sm.json exists already" in capfd.readouterr().err
    assert [path.name for path in tmp_path.iterdir()] == ["sm.json"]
    assert (tmp_path / "sm.json").read_text() == "mine"


def test_a_network_that_fails_the_check_leaves_nothing_and_its_place_free(
    tiny_network_folders, tmp_path, capfd
):
    # Weights so large that its pixels are no numbers.
    sound = load_network(tiny_network_folders["conv"])
    for variable in sound.model.trainable_variables:
        variable.assign(ops.full_like(variable, 6e4))
    facts = {"image_size": 16, "latent_dim": 0}
    broken = save_network(
        tmp_path / "broken",
        sound.model,
        kind="conv",
        architecture=sound.card["architecture"],
        facts=facts,
    )
    out = tmp_path / "out" / "sm"
    words = ["--out", str(out), "--format", "saved-model"]
    assert main([str(broken), *words]) == 2
    assert "differ by nan" in capfd.readouterr().err
    assert not list(out.parent.iterdir())
    assert main([str(tiny_network_folders["conv"]), *words]) == 0
    assert sorted(path.name for path in out.parent.iterdir()) == ["sm", "sm.json"]


def test_an_unknown_network_is_refused(tmp_path, capfd):
    words = ["--out", str(tmp_path / "n"), "--format", "saved-model"]
    assert main(["nothing", *words]) == 2
    assert "no network 'nothing'" in capfd.readouterr().err
