"""Networks without a prior in a benchmark: named by folder, told apart by weights."""

import json
import shutil

import pytest

from semantic_inpaint.app.benchmark import main
from semantic_inpaint.benchmark.records import read_records
from semantic_inpaint.datasets import folder_source, pack_images
from semantic_inpaint.models.checkpoints import file_sha256
from semantic_inpaint.models.inpainting_files import save_network
from semantic_inpaint.models.inpainting_networks import build_network


@pytest.fixture
def benchmark(tmp_path, photo, capfd):
    """Run the command on two pictures at 16x16; gives exit code, records, stderr."""
    pictures = tmp_path / "pictures"
    pictures.mkdir()
    for name in ("a.png", "b.png"):
        shutil.move(photo(name), pictures / name)
    pack_images([folder_source(pictures)], tmp_path / "set", size=16)
    out = tmp_path / "out"

    def benchmark(*words):
        fixed = ["--images", tmp_path / "set", "--out", out]
        code = main([*map(str, fixed), "--masks", "left", *map(str, words)])
        return code, read_records(out), capfd.readouterr().err

    return benchmark


def test_a_network_is_recorded_with_the_hash_of_its_weights(
    benchmark, tiny_network_folders
):
    folders = [tiny_network_folders[kind] for kind in ("conv", "iconv")]
    code, records, err = benchmark(
        "--methods", "conv", "iconv", "mean", "--networks", *folders
    )
    assert (code, err) == (0, "")
    assert sorted(record["method"] for record in records) == [
        "conv",
        "conv",
        "iconv",
        "iconv",
        "mean",
        "mean",
    ]
    digests = {file_sha256(folder / "network.safetensors") for folder in folders}
    found = [json.dumps(record) for record in records if record["method"] != "mean"]
    assert all(sum(digest in text for digest in digests) == 1 for text in found)
    # Nothing is computed twice.
    again = benchmark("--methods", "mean", "--size", 16)[1]
    assert len(again) == len(records)


def test_the_side_of_the_images_is_the_networks_unless_one_is_named(
    benchmark, tiny_network_folders, tiny_prior_folder, tmp_path
):
    architecture = {"image_size": 32, "width": 2}
    larger = save_network(
        tmp_path / "larger",
        build_network("gated", architecture),
        kind="gated",
        architecture=architecture,
        facts={"image_size": 32},
    )
    words = ["--networks", tiny_network_folders["conv"], larger]
    words += ["--methods", "conv", "gated"]
    code, records, err = benchmark(*words)
    assert (code, len(records)) == (2, 0)
    assert "different sides (conv 16, gated 32); name one of these by --size" in err
    code, _, err = benchmark("--methods", "gated", "--networks", larger)
    assert code == 2
    assert "holds 16x16 images, and 32x32 ones are to be filled" in err
    prior = ["--methods", "semantic", "gated", "--prior", tiny_prior_folder]
    code, _, err = benchmark(*prior, "--networks", larger)
    assert code == 2
    assert "(gated 32, the prior 16)" in err
    code, _, err = benchmark(*prior, "--networks", larger, "--size", 32)
    assert code == 2
    assert "the prior makes 16x16 images; got --size 32" in err
    code, records, err = benchmark(*words, "--size", 16)
    assert (code, err, len(records)) == (0, "", 4)


def test_what_does_not_fit_is_refused(benchmark, tiny_network_folders):
    folder = tiny_network_folders["conv"]
    code, records, err = benchmark("--methods", "mean", "--networks", folder)
    assert code == 2
    assert not len(records)
    assert "holds a network 'conv'; --networks takes one for each" in err
    code, _, err = benchmark("--methods", "gated")
    assert code == 2
    assert "train_inpainter.py gated" in err
