"""The command: what it writes, and how it refuses."""

import json
import shutil

import numpy as np
import pytest
from PIL import Image

from semantic_inpaint import cli
from semantic_inpaint.app.run import main
from semantic_inpaint.datasets import folder_source, pack_images
from semantic_inpaint.images import load_image
from semantic_inpaint.masks import PATTERNS, make_known, save_known
from semantic_inpaint.models.checkpoints import file_sha256

STAGES = ["blended", "completed", "generated", "masked", "original", "refined"]


@pytest.fixture
def run(tiny_prior_folder, tmp_path, monkeypatch, capfd):
    """Run the command in an empty folder; gives exit code, folder, stdout, stderr."""
    work = tmp_path / "work"
    work.mkdir()
    monkeypatch.chdir(work)

    def run(*words, prior=tiny_prior_folder, out="out", steps="3"):
        argv = ["--prior", str(prior), "--steps", steps]
        argv += ["--out", str(out)] if out else []
        code = main([*argv, *map(str, words)])
        captured = capfd.readouterr()
        return code, work / (out or "."), captured.out, captured.err

    return run


@pytest.fixture
def photo(tmp_path):
    """Write a picture in any mode and of any size."""

    def photo(name="photo.png", mode="RGB", size=(16, 16), **options):
        path = tmp_path / name
        rng = np.random.default_rng(5)
        noise = Image.fromarray(rng.integers(0, 256, (*size[::-1], 3), np.uint8))
        noise.convert(mode).save(path, **options)
        return path

    return photo


def refused(outcome, *words):
    """Check for exit code 2, one line on stderr, and nothing written."""
    code, out, _, err = outcome
    assert code == 2
    assert err.startswith("error: ")
    assert err.count("\n") == 1
    for word in words:
        assert word in err
    assert not out.exists()
    assert not list(out.parent.glob(".*.tmp"))


def test_the_default_run_leaves_every_promised_file(run):
    code, out, shown, err = run()
    assert (code, err) == (0, "")
    assert sorted(p.name for p in out.iterdir()) == [
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
    assert options["consensus_weights"] == {"center": 0.66}
    digest = file_sha256(tiny_prior_folder / "weights.safetensors")
    assert options["prior"]["sha256"] == digest
    assert {"keras", "numpy", "semantic_inpaint"} <= options["versions"].keys()


def test_metrics_json_agrees_with_the_pictures_written(run):
    _, out, *_ = run()
    metrics = json.loads((out / "metrics.json").read_text())["masks"]["center"]
    pictures = {
        stage: load_image(out / "images" / "astronaut" / f"center-{stage}.png")
        for stage in STAGES
    }
    hole = ~make_known("center", 1, 16, 16)[0]
    error = 255 * np.abs(pictures["completed"] - pictures["original"])[hole].mean()
    # PNG rounds each value by at most half a level.
    assert metrics["stages"]["refined"]["means"]["hole"]["mae"] == pytest.approx(
        error, abs=0.5
    )
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
    code, out, shown, _ = run("--mask", "all")
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
    names = json.loads((out / "metrics.json").read_text())["images"]
    assert names == ["one", "two", "one-2", "two-2", "one-3"]
    code, out, *_ = run("--images", folder, "--limit", 1, out="other")
    assert json.loads((out / "metrics.json").read_text())["images"] == ["one"]


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
    assert "note:" in shown
    assert "40" in shown


def test_missing_broken_and_foreign_files_are_refused(run, photo, tmp_path):
    refused(run("--images", tmp_path / "none.png"), "none.png")
    text = tmp_path / "text.png"
    text.write_text("not an image")
    refused(run("--images", text), "text.png")
    whole = photo("whole.jpg", size=(64, 64)).read_bytes()
    cut = tmp_path / "cut.jpg"
    cut.write_bytes(whole[: len(whole) // 2])
    refused(run("--images", cut), "cut.jpg")
    empty = tmp_path / "empty"
    empty.mkdir()
    refused(run("--images", empty), "empty")


def test_masks_that_leave_nothing_to_do_are_refused(run, tmp_path):
    for name, level in (("white.png", 255), ("black.png", 0)):
        Image.new("L", (16, 16), level).save(tmp_path / name)
        refused(run("--mask", tmp_path / name), name)


@pytest.mark.parametrize(
    ("words", "hint"),
    [
        (["--mask", "centre"], "'center'"),
        (["--preset", "malesewic"], "'malesevic'"),
        (["--blend", "laplace"], "gradient, log"),
        (["--solver", "cvx"], "direct, cvxpy"),
        (["--device", "gpu:7"], "cpu"),
        (["--seed", "-1"], "--seed"),
        (["--batch-size", "0"], "--batch-size"),
        (["--limit", "0"], "--limit"),
        (["--steps", "0"], "num_steps"),
    ],
)
def test_wrong_words_are_answered_with_the_right_ones(run, words, hint):
    refused(run(*words), words[1] if words[0] in ("--mask", "--preset") else "", hint)


def test_an_unknown_or_damaged_prior_is_refused(run, tiny_prior_folder, tmp_path):
    refused(run(prior="slimm"), "'slimm'")
    copy = tmp_path / "copy"
    shutil.copytree(tiny_prior_folder, copy)
    weights = copy / "weights.safetensors"
    weights.write_bytes(weights.read_bytes()[:-10])
    refused(run(prior=copy), "weights.safetensors", "damaged")


def test_results_are_never_overwritten(run):
    assert run()[0] == 0
    code, out, _, err = run()
    assert code == 2
    assert "--out" in err
    assert len(list(out.iterdir())) == 4


def test_a_folder_that_cannot_be_written_is_refused(run, tmp_path):
    file = tmp_path / "file"
    file.write_text("in the way")
    refused(run(out=file / "below"), "cannot write")


def test_a_failure_while_saving_leaves_nothing_half_written(run, monkeypatch):
    from semantic_inpaint.app import results

    def full(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(results, "_provenance", full)
    refused(run(), "No space left")


def test_the_console_command_runs_the_same(tiny_prior_folder, tmp_path, capfd):
    out = tmp_path / "out"
    words = ["run", "--prior", str(tiny_prior_folder), "--steps", "2"]
    assert cli.main([*words, "--out", str(out)]) == 0
    assert (out / "figure.png").is_file()
    assert cli.main(["rum"]) == 2
    assert "'run'" in capfd.readouterr().err
