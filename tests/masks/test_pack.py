import hashlib
import io
import json
import shutil
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from semantic_inpaint.masks import (
    FREE_FORM_GROUPS,
    PATTERNS,
    load_manifest,
    load_pack,
    make_free_form,
    make_known,
    write_pack,
)
from semantic_inpaint.masks.stored_png import encode_png

COMMITTED = Path(__file__).resolve().parents[2] / "masks"
FIXED = {"stripes", "left", "center"}
SMALL = {"size": 32, "count": 2, "seed": 3, "version": "test"}


def contents(folder):
    """Every file of a folder by its path, hidden ones as well."""
    return {
        path.relative_to(folder).as_posix(): path.read_bytes()
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }


@pytest.fixture(scope="module")
def written(tmp_path_factory):
    folder = tmp_path_factory.mktemp("packs") / "pack"
    write_pack(folder, **SMALL)
    return folder


@pytest.fixture
def pack(written, tmp_path):
    return shutil.copytree(written, tmp_path / "pack")


def test_the_pack_of_the_repository_is_what_the_code_makes(tmp_path):
    write_pack(tmp_path)
    committed = contents(COMMITTED)
    assert set(committed) - set(contents(tmp_path)) == {"README.md"}
    committed.pop("README.md")
    assert contents(tmp_path) == committed


def test_the_pack_of_the_repository_is_whole_and_its_readme_cites_it():
    groups = load_pack(COMMITTED)
    assert list(groups) == [*PATTERNS, *FREE_FORM_GROUPS]
    for name, (ids, known) in groups.items():
        number = 1 if name in FIXED else 64
        assert (known.shape, known.dtype) == ((number, 64, 64), np.bool_)
        assert ids == tuple(f"{i:03d}.png" for i in range(number))
    manifest = load_manifest(COMMITTED)
    readme = (COMMITTED / "README.md").read_text(encoding="utf-8")
    assert manifest["version"] in readme
    assert manifest["sha256"] in readme


def test_the_masks_are_those_that_the_library_draws(written):
    groups = load_pack(written)
    for name in PATTERNS:
        count = len(groups[name].ids)
        expected = make_known(name, count, 32, 32, seed=3)
        assert np.array_equal(groups[name].known, expected)
    for name in FREE_FORM_GROUPS:
        expected = make_free_form(name, 2, 32, 32, seed=3)
        assert np.array_equal(groups[name].known, expected)


def test_the_manifest_tells_what_made_each_mask_and_its_hashes(written):
    manifest = load_manifest(written)
    assert {key: manifest[key] for key in SMALL} == SMALL
    assert manifest["white"] == "hole"
    assert manifest["generator"]["brush"]["thickness"] == [12, 39]
    assert manifest["generator"]["border"] == 50 / 512
    for name, group in manifest["groups"].items():
        assert group["title"] == (PATTERNS.get(name) or FREE_FORM_GROUPS[name]).title
        assert len(group["masks"]) == (1 if name in FIXED else 2)
        for file, entry in group["masks"].items():
            content = (written / name / file).read_bytes()
            with Image.open(io.BytesIO(content)) as image:
                assert (image.format, image.mode, image.size) == ("PNG", "1", (32, 32))
                white = np.asarray(image)
            assert entry == {
                "sha256": hashlib.sha256(content).hexdigest(),
                "known_sha256": hashlib.sha256((~white).tobytes()).hexdigest(),
                "hole_share": white.sum() / 1024,
            }


def test_writing_again_comes_to_the_same_bytes_and_leaves_other_files(pack):
    before = contents(pack)
    (pack / "README.md").write_text("mine")
    (pack / "center" / "000.png").unlink()
    seen = []
    write_pack(pack, **SMALL, progress=lambda *numbers: seen.append(numbers))
    assert contents(pack) == before | {"README.md": b"mine"}
    assert seen == [(done, 18) for done in range(19)]


def test_a_writing_cut_off_is_no_pack_and_goes_on_to_the_same_bytes(written, tmp_path):
    def stop(done, _):
        if done == 7:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        write_pack(tmp_path, **SMALL, progress=stop)
    with pytest.raises(ValueError, match="no manifest of a mask pack"):
        load_pack(tmp_path)
    write_pack(tmp_path, **SMALL)
    assert contents(tmp_path) == contents(written)


@pytest.mark.parametrize(
    ("changed", "named"),
    [
        ({"size": 40}, "size"),
        ({"count": 3, "seed": 4}, "count and seed"),
        ({"version": "other"}, "version"),
    ],
)
def test_another_pack_is_not_written_over(changed, named, pack):
    before = contents(pack)
    with pytest.raises(ValueError, match=f"holds a mask pack of another {named}\\. "):
        write_pack(pack, **SMALL | changed)
    assert contents(pack) == before


def message_of_load(folder):
    with pytest.raises(ValueError, match="make_masks") as caught:
        load_pack(folder)
    message = str(caught.value)
    assert "\n" not in message
    return message


def test_a_file_that_is_missing_is_named(pack):
    (pack / "random" / "001.png").unlink()
    message = message_of_load(pack)
    assert str(pack / "random" / "001.png") in message
    assert "No such file" in message


def test_a_file_that_was_changed_is_named(pack):
    path = pack / "free-form-10-20-border" / "000.png"
    with Image.open(path) as image:
        image.rotate(90).save(path)
    assert f"{path} is not the file that its manifest lists" in message_of_load(pack)
    path.write_bytes(b"")
    assert str(path) in message_of_load(pack)


def test_a_known_array_that_is_not_the_manifests_is_named(pack):
    # The file's own hash agrees, and the manifest adds up: one number decides.
    manifest = load_manifest(pack)
    path = pack / "left" / "000.png"
    content = encode_png(np.eye(32, dtype=bool))
    path.write_bytes(content)
    entry = manifest["groups"]["left"]["masks"]["000.png"]
    entry["sha256"] = hashlib.sha256(content).hexdigest()
    lines = "".join(
        f"{name}/{file} {entry['sha256']} {entry['known_sha256']}\n"
        for name, group in manifest["groups"].items()
        for file, entry in group["masks"].items()
    )
    manifest["sha256"] = hashlib.sha256(lines.encode()).hexdigest()
    (pack / "manifest.json").write_text(json.dumps(manifest))
    assert f"{path} is not the file" in message_of_load(pack)


@pytest.mark.parametrize(
    ("old", "new", "reason"),
    [
        ('"format": 1', '"format": 2', "format 2, not 1"),
        ('"seed": 3,', "", "'seed'"),
        ('"left":', '"right":', "do not add up"),
        ("{", "", "Expecting value|Extra data"),
    ],
)
def test_a_manifest_that_was_changed_is_refused(old, new, reason, pack):
    path = pack / "manifest.json"
    text = path.read_text(encoding="utf-8")
    assert old in text
    path.write_text(text.replace(old, new, 1), encoding="utf-8")
    message = message_of_load(pack)
    assert str(path) in message
    with pytest.raises(ValueError, match=reason):
        load_manifest(pack)


def test_a_folder_without_a_pack_is_said_to_be_one(tmp_path):
    assert "no manifest of a mask pack" in message_of_load(tmp_path)
    assert "no manifest of a mask pack" in message_of_load(tmp_path / "nowhere")


def test_numbers_out_of_range_are_refused(tmp_path):
    for changed, message in [
        ({"count": 0}, "`count` must be at least 1"),
        ({"seed": -1}, "`seed` must be 0 or more"),
        ({"size": 1}, "must be at least 2; got 1 x 1"),
        ({"version": ""}, "`version` must be a word"),
        ({"version": "1 0"}, "`version` must be a word"),
    ]:
        with pytest.raises(ValueError, match=message):
            write_pack(tmp_path / "pack", **SMALL | changed)
        assert not (tmp_path / "pack" / "manifest.json").exists()


@pytest.mark.parametrize("shape", [(1, 1), (3, 8), (5, 17), (64, 64), (1100, 1001)])
def test_a_stored_png_is_read_as_it_was_written(shape):
    white = np.random.default_rng(0).random(shape) < 0.5
    with Image.open(io.BytesIO(encode_png(white))) as image:
        image.verify()  # every checksum
    with Image.open(io.BytesIO(encode_png(white))) as image:
        assert image.mode == "1"
        assert np.array_equal(np.asarray(image), white)
