"""The script that makes the mask pack, started as a person would."""

from semantic_inpaint.masks import load_manifest, load_pack
from tests.pipelines.scripts import start


def test_one_command_makes_a_pack_and_says_its_hash(tmp_path):
    words = ("--out", "pack", "--size", "32", "--count", "2", "--version", "mine")
    done = start("make_masks.py", *words, cwd=tmp_path)
    assert (done.returncode, done.stderr) == (0, "")
    groups = load_pack(tmp_path / "pack")
    assert len(groups) == 18
    assert "33 masks in 18 groups in pack." in done.stdout
    sha256 = load_manifest(tmp_path / "pack")["sha256"]
    assert f"mask pack mine, sha256 {sha256}" in done.stdout


def test_what_cannot_be_made_is_refused_in_one_line_with_exit_code_two(tmp_path):
    first = ("--out", "pack", "--size", "32", "--count", "1")
    assert start("make_masks.py", *first, cwd=tmp_path).returncode == 0
    for words in ((*first, "--seed", "1"), ("--out", "other", "--size", "12")):
        done = start("make_masks.py", *words, cwd=tmp_path)
        assert done.returncode == 2
        assert done.stderr.startswith("error: ")
        assert done.stderr.count("\n") == 1
    assert not (tmp_path / "other" / "manifest.json").exists()


def test_its_help_tells_every_word(tmp_path):
    done = start("make_masks.py", "--help", cwd=tmp_path)
    assert (done.returncode, done.stderr) == (0, "")
    for word in ("out", "size", "count", "seed", "version"):
        assert f"--{word}" in done.stdout
