"""The command: what it writes."""

import dataclasses
import json
import shutil
import zlib

import numpy as np
import pytest
from PIL import Image

from semantic_inpaint import cli
from semantic_inpaint.datasets import folder_source, pack_images
from semantic_inpaint.images import load_image, load_images
from semantic_inpaint.inpainters import inpaint
from semantic_inpaint.latent.presets import get_preset
from semantic_inpaint.masks import PATTERNS, make_known, save_known
from semantic_inpaint.models.checkpoints import file_sha256, variable_name
from semantic_inpaint.models.encoder_files import EncoderArchitecture, save_encoder
from semantic_inpaint.problem import InpaintingProblem

STAGES = ["blended", "completed", "generated", "masked", "original", "refined"]


def names_in(out):
    images = json.loads((out / "options.json").read_text())["images"]
    return [image["name"] for image in images]


def test_the_default_run_leaves_every_promised_file(run):
    code, out, shown, err = run()
    assert (code, err) == (0, "")
    assert sorted(p.name for p in out.iterdir()) == [
        "diagnostics.png",
        "figure.png",
        "images",
        "metrics.json",
        "options.json",
    ]
    files = sorted(p.name for p in (out / "images" / "astronaut").iterdir())
    assert files == [f"center-{stage}.png" for stage in STAGES]
    assert "inpainted" in shown
    assert "refined" in shown
    assert str(out) in shown


def test_options_json_says_what_made_the_result(run, tiny_prior_folder):
    _, out, *_ = run("--seed", 4)
    options = json.loads((out / "options.json").read_text())
    assert options["command"]["seed"] == 4
    assert options["search"]["first"]["num_steps"] == 3
    assert options["masks"]["center"]["consensus_weight"] == 0.66
    assert options["images"][0]["name"] == "astronaut"
    assert options["device"]
    digest = file_sha256(tiny_prior_folder / "weights.safetensors")
    assert options["prior"]["sha256"] == digest
    assert {"keras", "numpy", "semantic_inpaint"} <= options["versions"].keys()


def test_metrics_json_agrees_with_the_pictures_written(run):
    _, out, *_ = run("--limit", 1)
    metrics = json.loads((out / "metrics.json").read_text())["masks"]["center"]
    assert len(metrics["images"][0]["search_trace"]) == 4
    assert metrics["images"][0]["refine_loss"] > 0
    pictures = {
        stage: load_image(out / "images" / "astronaut" / f"center-{stage}.png")
        for stage in STAGES
    }
    hole = ~make_known("center", 1, 16, 16)[0]
    error = 255 * np.abs(pictures["completed"] - pictures["original"])[hole].mean()
    # PNG rounds each value by at most half a level.
    for found in (metrics["means"]["refined"], metrics["images"][0]["refined"]):
        assert found["hole"]["mae"] == pytest.approx(error, abs=0.5)
    known = pictures["completed"][~hole]
    np.testing.assert_array_equal(known, pictures["original"][~hole])


def test_the_same_words_give_the_same_pixels(run):
    folders = [run(out=name)[1] for name in ("a", "b")]
    for stage in STAGES:
        one, other = (
            load_image(folder / "images" / "astronaut" / f"center-{stage}.png")
            for folder in folders
        )
        np.testing.assert_array_equal(one, other)


def test_all_masks_make_one_figure_and_a_row_for_each(run):
    code, out, shown, _ = run("--mask", "all", "--limit", 1)
    assert code == 0
    assert list(json.loads((out / "metrics.json").read_text())["masks"]) == [*PATTERNS]
    assert [p.name for p in out.glob("figure*")] == ["figure.png"]
    assert all(name in shown for name in PATTERNS)
    height, width, _ = load_image(out / "figure.png").shape
    assert height > 6 * 200
    assert width > 6 * 200


def test_several_images_from_files_folders_and_packed_sets(run, photo, tmp_path):
    folder = tmp_path / "folder"
    folder.mkdir()
    for name in ("one.png", "two.png"):
        shutil.move(photo(name), folder / name)
    pack_images([folder_source(folder)], tmp_path / "packed", size=16)
    single = photo("one.jpg")
    code, out, *_ = run("--images", folder, tmp_path / "packed", single)
    assert code == 0
    assert names_in(out) == ["one", "two", "one-2", "two-2", "one-3"]
    _, out, *_ = run("--images", folder, single, "--limit", 1, out="other")
    assert names_in(out) == ["one"]


def test_a_mask_file_is_white_where_the_image_is_missing(run, tmp_path):
    known = make_known("stripes", 1, 16, 16)[0]
    save_known(tmp_path / "hole.png", known)
    code, out, *_ = run("--mask", tmp_path / "hole.png")
    assert code == 0
    masked = load_image(out / "images" / "astronaut" / "file-masked.png")
    original = load_image(out / "images" / "astronaut" / "file-original.png")
    np.testing.assert_array_equal((masked == original).all(axis=-1)[known], True)
    # Mid-grey in 8 bits.
    assert np.all(np.abs(masked[~known] - 0.5) < 0.005)


def test_a_mask_of_another_size_is_fitted_and_said_so(run, tmp_path):
    save_known(tmp_path / "hole.png", make_known("center", 1, 32, 32)[0])
    code, _, shown, _ = run("--mask", tmp_path / "hole.png")
    assert code == 0
    assert "note:" in shown
    assert "32" in shown


def test_presets_and_blends_by_name(run):
    code, out, *_ = run("--preset", "yeh", "--blend", "log", "--solver", "cvxpy")
    assert code == 0
    options = json.loads((out / "options.json").read_text())["search"]
    assert (options["operator"], options["solver"]) == ("log", "cvxpy")
    assert options["second"] is None
    assert not list(out.rglob("*refined*"))


@pytest.fixture
def prior_with_encoder(tiny_prior, tiny_encoder, tmp_path):
    """A folder of the tiny prior with its encoder."""
    folder = shutil.copytree(tiny_prior.folder, tmp_path / "prior")
    network = tiny_encoder.network
    save_encoder(
        folder,
        EncoderArchitecture(image_size=16, latent_dim=8, width=4, hidden=8),
        {variable_name(network, v): v.numpy() for v in network.variables},
        prior=tiny_prior,
        facts={},
    )
    return folder


def test_the_method_encoder_fills_in_one_pass(run, prior_with_encoder):
    code, out, shown, err = run("--method", "encoder", prior=prior_with_encoder)
    assert (code, err) == (0, "")
    assert "inpainted" in shown
    assert not list(out.rglob("*refined*"))
    options = json.loads((out / "options.json").read_text())
    digest = file_sha256(prior_with_encoder / "encoder.safetensors")
    assert options["encoder"]["sha256"] == digest
    pixels = load_image(out / "images" / "astronaut" / "center-original.png")[None]
    result = inpaint(
        InpaintingProblem(pixels, make_known("center", 1, 16, 16)),
        method="encoder",
        prior=prior_with_encoder,
    )
    written = load_image(out / "images" / "astronaut" / "center-completed.png")
    # PNG rounds each value by at most half a level, of the original too.
    np.testing.assert_allclose(written, result.completed[0], atol=2 / 255)


def test_a_search_may_start_at_the_encoder_and_leave_out_the_refinement(
    run, prior_with_encoder
):
    words = ["--start", "encoder", "--method", "semantic"]
    words += ["--mask", "all", "--limit", 1]
    code, out, *_ = run(*words, prior=prior_with_encoder)
    assert code == 0
    options = json.loads((out / "options.json").read_text())
    assert options["search"]["start"] == "encoder"
    assert options["command"]["method"] == "semantic"
    assert options["encoder"]["sha256"]
    assert not list(out.rglob("*refined*"))


def test_without_out_the_folder_is_new_and_under_the_current_one(run):
    code, here, shown, _ = run(out=None)
    assert code == 0
    (folder,) = (here / "outputs").iterdir()
    assert folder.name.startswith("center-")
    assert folder.name in shown


@pytest.mark.parametrize(
    ("mode", "name"),
    [
        ("L", "grey.png"),
        ("1", "bits.png"),
        ("P", "palette.png"),
        ("LA", "alpha-grey.png"),
        ("RGBA", "alpha.png"),
        ("I;16", "deep.png"),
        ("CMYK", "print.jpg"),
    ],
)
def test_every_kind_of_image_is_converted(run, photo, mode, name):
    if mode == "I;16":
        path = photo(name)
        deep = np.random.default_rng(0).integers(0, 65536, (16, 16)).astype(np.uint16)
        Image.fromarray(deep).save(path)
    else:
        path = photo(name, mode)
    code, *_, err = run("--images", path)
    assert (code, err) == (0, "")


def test_an_image_of_another_shape_is_fitted_and_said_so(run, photo):
    code, _, shown, _ = run("--images", photo(size=(40, 30)))
    assert code == 0
    assert "note: photo: cropped from 40 x 30" in shown


def test_an_image_s_answer_does_not_depend_on_what_is_given_beside_it(run, photo):
    one, two = photo("one.png"), photo("two.png", size=(20, 20))
    words = ["--mask", "random-square"]
    _, both, *_ = run(*words, "--images", one, two, out="both")
    _, alone, *_ = run(*words, "--images", two, out="alone")
    for stage in ("masked", "completed"):
        pair = [
            load_image(out / "images" / "two" / f"random-square-{stage}.png")
            for out in (both, alone)
        ]
        # One level of 255: the convolutions of two images may add in another order.
        np.testing.assert_allclose(*pair, atol=1.01 / 255)


def test_the_library_and_the_command_give_the_same_pixels(
    run, photo, tiny_prior_folder
):
    path = photo()
    for preset, mask in (("fast", "stripes"), ("yeh", "center")):
        words = ["--preset", preset, "--mask", mask, "--images", path]
        _, out, *_ = run(*words, out=preset)
        pixels, *_ = load_images([path], size=16)
        number = np.array([zlib.crc32(b"photo")])
        known = make_known(mask, 1, 16, 16, indices=number)
        options = dataclasses.replace(
            get_preset(preset).with_steps(3),
            consensus_weight=PATTERNS[mask].consensus_weight,
        )
        result = inpaint(
            InpaintingProblem(pixels, known, number),
            prior=tiny_prior_folder,
            preset=options,
        )
        written = load_image(out / "images" / "photo" / f"{mask}-completed.png")
        # PNG rounds each value by at most half a level.
        np.testing.assert_allclose(written, result.completed[0], atol=0.51 / 255)


def test_the_console_command_runs_the_same(tiny_prior_folder, tmp_path, capfd):
    out = tmp_path / "out"
    words = ["run", "--prior", str(tiny_prior_folder), "--steps", "2"]
    assert cli.main([*words, "--out", str(out)]) == 0
    assert (out / "figure.png").is_file()
    assert cli.main(["rum"]) == 2
    assert "'run'" in capfd.readouterr().err
