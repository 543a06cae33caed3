"""The command: how it refuses."""

import shutil

import pytest
from PIL import Image

from semantic_inpaint.datasets import folder_source, pack_images


def test_missing_broken_and_foreign_files_are_refused(run, photo, tmp_path, refused):
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


def test_masks_that_leave_nothing_to_do_are_refused(run, tmp_path, refused):
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
        (["--method", "refine"], "'refined'"),
        (["--start", "zero"], "random, encoder"),
        (["--method", "refined", "--preset", "yeh"], "'semantic'"),
    ],
)
def test_wrong_words_are_answered_with_the_right_ones(run, words, hint, refused):
    refused(run(*words), words[1] if words[0] in ("--mask", "--preset") else "", hint)


def test_an_unknown_or_damaged_prior_is_refused(
    run, tiny_prior_folder, tmp_path, refused
):
    refused(run(prior="slimm"), "'slimm'")
    copy = tmp_path / "copy"
    shutil.copytree(tiny_prior_folder, copy)
    weights = copy / "weights.safetensors"
    weights.write_bytes(weights.read_bytes()[:-10])
    refused(run(prior=copy), "weights.safetensors", "damaged")


def test_there_is_no_search_of_the_encoder_to_animate(run, refused):
    refused(run("--method", "encoder", "--animate"), "--animate", "none")


@pytest.mark.parametrize("words", [["--method", "encoder"], ["--start", "encoder"]])
def test_a_prior_without_an_encoder_is_told(run, words, refused):
    refused(run(*words), "'tiny' has no encoder yet", "train_encoder.py")


def test_a_partition_is_for_packed_sets(run, photo, tmp_path, refused):
    folder = tmp_path / "folder"
    folder.mkdir()
    shutil.move(photo("one.png"), folder / "one.png")
    refused(run("--images", folder, "--partition", 1), "--partition", "folder")
    pack_images([folder_source(folder)], tmp_path / "packed", size=16)
    refused(run("--images", tmp_path / "packed", "--partition", 1), "no partition 1")


def test_results_are_never_overwritten(run):
    assert run()[0] == 0
    code, out, _, err = run()
    assert code == 2
    assert "--out" in err
    assert len(list(out.iterdir())) == 5


def test_a_folder_that_cannot_be_written_is_refused(run, tmp_path, refused):
    file = tmp_path / "file"
    file.write_text("in the way")
    refused(run(out=file / "below"), "cannot write")


def test_a_failure_while_saving_keeps_what_was_done_and_says_where(run, monkeypatch):
    from semantic_inpaint.app import results

    def full(*_, **__):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(results, "save", full)
    code, out, _, err = run("--limit", 1)
    assert code == 2
    assert "No space left" in err
    assert str(out / "unfinished") in err
    assert [p.name for p in out.iterdir()] == ["unfinished"]
    assert len(list((out / "unfinished").rglob("*.png"))) == 6
