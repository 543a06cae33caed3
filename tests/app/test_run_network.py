"""The command with a network of its own: no prior, one pass."""

import dataclasses
import json

import numpy as np
import pytest

from semantic_inpaint.app.options import OF_ALL, OF_NETWORKS, RunOptions
from semantic_inpaint.app.search_words import SearchWords
from semantic_inpaint.images import load_image
from semantic_inpaint.inpainters import make_inpainter
from semantic_inpaint.masks import make_known
from semantic_inpaint.models.checkpoints import file_sha256
from semantic_inpaint.problem import InpaintingProblem


def test_a_network_s_answer_is_that_of_the_library(fill, tiny_network_folders):
    folder = tiny_network_folders["pconv"]
    code, out, shown, err = fill("--method", "pconv", "--network", folder)
    assert (code, err) == (0, "")
    assert "verdicts: 2 filled" in shown
    assert sorted(p.name for p in out.iterdir()) == [
        "figure.png",
        "images",
        "metrics.json",
        "options.json",
    ]
    files = {p.name for p in (out / "images" / "astronaut").iterdir()}
    stages = ("masked", "generated", "completed", "original")
    assert files == {f"center-{stage}.png" for stage in stages}

    pixels = load_image(out / "images" / "astronaut" / "center-original.png")[None]
    result = make_inpainter("pconv", network=folder).inpaint(
        InpaintingProblem(pixels, make_known("center", 1, 16, 16))
    )
    written = load_image(out / "images" / "astronaut" / "center-completed.png")
    # PNG rounds each value by at most half a level, of the original too.
    np.testing.assert_allclose(written, result.completed[0], atol=3 / 255)


def test_the_record_says_which_network_it_was(fill, tiny_network_folders):
    folder = tiny_network_folders["gated"]
    # The network says which method it is for.
    code, out, *_ = fill("--network", folder, "--blend", "gradient")
    assert code == 0
    options = json.loads((out / "options.json").read_text())
    digest = file_sha256(folder / "network.safetensors")
    assert options["network"] == {"name": "gated", "sha256": digest}
    assert options["prior"] is None
    # Of a search there is nothing to tell.
    assert options["search"] is None
    assert options["masks"]["center"]["consensus_weight"] is None
    assert (out / "images" / "astronaut" / "center-blended.png").is_file()
    image = json.loads((out / "metrics.json").read_text())["masks"]["center"]["images"]
    assert image[0]["diagnosis"]["verdict"] == "filled"
    assert image[0]["inpainted"]["hole"]["mae"] > 0


def test_larger_images_go_through_a_network_of_any_size(fill, tiny_network_folders):
    words = ["--network", tiny_network_folders["conv"], "--size", 40]
    code, out, *_ = fill(*words, "--mask", "random-square")
    assert code == 0
    picture = load_image(out / "images" / "astronaut" / "random-square-completed.png")
    assert picture.shape == (40, 40, 3)


def test_a_network_with_a_code_gives_several_answers(fill, tiny_network_folders):
    words = ["--method", "iconv", "--network", tiny_network_folders["iconv"]]
    code, out, *_ = fill(*words, "--num-samples", 3, "--mask", "left")
    assert code == 0
    assert (out / "images" / "astronaut" / "left-answers.png").is_file()
    image = json.loads((out / "metrics.json").read_text())["masks"]["left"]["images"]
    assert image[0]["answers"]["count"] == 3
    assert image[0]["answers"]["diversity"] > 0
    assert "losses" not in image[0]["answers"]


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["--method", "pconvv"], "Did you mean 'pconv'"),
        (["--method", "conv", "--animate"], "--animate belongs to a search"),
        (["--method", "conv", "--diagnose"], "--diagnose belongs to a search"),
        (["--method", "conv", "--steps", "9"], "--steps belongs to a search, and"),
        (
            ["--network", "x", "--pool", "2"],
            "--pool belongs to a search, and --network",
        ),
        (["--size", "32"], "--size is for networks without a prior"),
        (["--method", "encoder", "--network", "x"], "--network is for networks"),
        (["--method", "conv", "--size", "8"], "--size must be 16 or more"),
        (["--method", "conv", "--network", "nowhere"], "train_inpainter.py RECIPE"),
    ],
)
def test_words_that_do_not_go_together_are_refused(fill, refused, words, message):
    refused(fill(*words), message)


def test_every_word_of_a_search_is_refused_beside_a_network():
    fields = {field.name for field in dataclasses.fields(RunOptions)}
    of_search = fields - {*OF_ALL, *OF_NETWORKS, "search"}
    assert of_search == {
        "preset",
        "steps",
        "prior",
        "reduction",
        "window_size",
        "start",
        "restart",
        "animate",
        "diagnose",
        "way",
    }
    RunOptions(method="gated").inversion()
    changes = [{name: "other"} for name in of_search]
    for field in dataclasses.fields(SearchWords):
        changes.append({"search": SearchWords(**{field.name: 7})})
    for change in changes:
        with pytest.raises(ValueError, match=r"^--\S+ belongs to .* --method gated is"):
            RunOptions(method="gated", **change).inversion()


def test_the_network_of_another_method_and_a_single_answer_are_refused(
    fill, refused, tiny_network_folders
):
    folder = tiny_network_folders["pconv"]
    words = ["--method", "conv", "--network", folder]
    refused(fill(*words), "use the method 'pconv'")
    words = ["--method", "pconv", "--network", folder, "--num-samples", 2]
    refused(fill(*words), "has one answer to a hole")
