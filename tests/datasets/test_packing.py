"""Packing: the right pixels in their order, cut off anywhere, never half claimed."""

import dataclasses
import os
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from semantic_inpaint.datasets import (
    ImageSource,
    PackedImages,
    folder_source,
    pack_images,
)
from semantic_inpaint.datasets.lock import locked_folder
from semantic_inpaint.datasets.packing import CHUNK
from semantic_inpaint.images import fit_image, load_image, to_uint8


class Cut(Exception):
    """Stands for the end of the process; nothing in the library catches it."""


def cut_at(count):
    def progress(done, total):
        if done >= count:
            raise Cut

    return progress


@pytest.fixture
def sources(tmp_path, write_zip, write_folder):
    """600 images, three chunks, over the border of a zip and a folder."""
    first = write_zip(tmp_path / "a.zip", [f"{i:03d}.png" for i in range(300)])
    names = [f"{i:03d}.png" for i in range(300)]
    second = write_folder(tmp_path / "b", names, seed=1000)
    return [folder_source(first), folder_source(second)]


def packed_bytes(folder):
    assert not (folder / "partial").exists()
    return (folder / "images.npy").read_bytes(), (folder / "manifest.json").read_bytes()


def test_every_image_is_fitted_and_stands_in_its_row(tmp_path, write_folder):
    folder = write_folder(tmp_path / "in", ["b.png", "c.png"], height=30, width=20)
    write_folder(folder, ["a.png"], height=218, width=178, seed=5)
    packed = pack_images([folder_source(folder)], tmp_path / "out", size=16)
    assert packed.ids == ("in/a.png", "in/b.png", "in/c.png")
    for row, name in enumerate(["a.png", "b.png", "c.png"]):
        expected = to_uint8(fit_image(load_image(folder / name), 16)[0])
        np.testing.assert_array_equal(packed.images[row], expected)
    assert packed.partitions.tolist() == [-1, -1, -1]
    assert packed.manifest["sources"] == [{"name": "in", "count": 3}]
    assert packed.manifest["skipped"] == []
    packed.verify()


def test_a_packing_cut_off_anywhere_gives_the_same_bytes(tmp_path, sources):
    whole, cut = tmp_path / "whole", tmp_path / "cut"
    reports = []
    pack_images(sources, whole, size=8, progress=lambda *a: reports.append(a))
    assert reports == [(0, 600), (CHUNK, 600), (2 * CHUNK, 600), (600, 600)]
    for count in (0, CHUNK, 2 * CHUNK):
        with pytest.raises(Cut):
            pack_images(sources, cut, size=8, progress=cut_at(count))
        with pytest.raises(ValueError, match="not packed to the end"):
            PackedImages.open(cut)
        # What a kill in the middle of the next chunk leaves: pixels that no line of
        # the journal claims, and half a line.
        with (cut / "partial" / "images.npy").open("ab") as file:
            file.write(b"\xaa" * 1_000_000)
        with (cut / "partial" / "journal.jsonl").open("ab") as file:
            file.write(b'{"done": 9999')
    reports.clear()
    pack_images(sources, cut, size=8, progress=lambda *a: reports.append(a))
    assert reports == [(2 * CHUNK, 600), (600, 600)]
    assert packed_bytes(cut) == packed_bytes(whole)


@pytest.mark.parametrize("moved", ["nothing", "pixels", "manifest too"])
def test_a_packing_cut_off_at_its_very_end_is_completed(tmp_path, sources, moved):
    whole, cut = tmp_path / "whole", tmp_path / "cut"
    pack_images(sources, whole, size=8)
    with pytest.raises(Cut):
        pack_images(sources, cut, size=8, progress=cut_at(600))
    if moved != "nothing":
        (cut / "partial" / "images.npy").replace(cut / "images.npy")
    if moved == "manifest too":
        shutil.copy(whole / "manifest.json", cut / "manifest.json")
    pack_images(sources, cut, size=8)
    assert packed_bytes(cut) == packed_bytes(whole)


def test_the_end_of_the_journal_lost_in_its_first_line_starts_anew(tmp_path, sources):
    whole, cut = tmp_path / "whole", tmp_path / "cut"
    pack_images(sources, whole, size=8)
    (cut / "partial").mkdir(parents=True)
    (cut / "partial" / "journal.jsonl").write_bytes(b'{"size": ')
    pack_images(sources, cut, size=8)
    assert packed_bytes(cut) == packed_bytes(whole)


def test_pixels_lost_behind_the_journal_are_noticed(tmp_path, sources):
    with pytest.raises(Cut):
        pack_images(sources, tmp_path / "out", size=8, progress=cut_at(CHUNK))
    (tmp_path / "out" / "partial" / "images.npy").write_bytes(b"")
    with pytest.raises(ValueError, match="shorter than its journal"):
        pack_images(sources, tmp_path / "out", size=8)


def test_other_sources_or_options_are_refused_before_and_after_the_end(
    tmp_path, sources
):
    out = tmp_path / "out"
    split = dataclasses.replace(sources[0], partitions=(0,) * 300)
    with pytest.raises(Cut):
        pack_images(sources, out, size=8, progress=cut_at(CHUNK))
    for _ in ("cut off", "complete"):
        with pytest.raises(ValueError, match="packed with other size"):
            pack_images(sources, out, size=4)
        with pytest.raises(ValueError, match="packed with other sources"):
            pack_images(sources[:1], out, size=8)
        with pytest.raises(ValueError, match="packed with other sources"):
            pack_images([split, sources[1]], out, size=8)
        pack_images(sources, out, size=8)
    # A file that changed meanwhile is another source, too.
    changed = sources[1].container / "000.png"
    changed.write_bytes(changed.read_bytes() + b" ")
    with pytest.raises(ValueError, match="packed with other sources"):
        pack_images(sources, out, size=8)


def test_a_complete_set_is_not_packed_again(tmp_path, sources):
    pack_images(sources, tmp_path / "out", size=8)
    before = (tmp_path / "out" / "images.npy").stat()
    reports = []
    again = pack_images(
        sources, tmp_path / "out", size=8, progress=lambda *a: reports.append(a)
    )
    assert reports == [(600, 600)]
    assert (tmp_path / "out" / "images.npy").stat() == before
    assert len(again) == 600


def test_two_never_pack_into_one_folder(tmp_path, sources):
    out = tmp_path / "out"
    with (
        locked_folder(out),
        pytest.raises(ValueError, match=f"another process is working in {out}"),
    ):
        pack_images(sources, out, size=8)
    assert list(out.iterdir()) == []
    assert len(pack_images(sources, out, size=8)) == 600


def test_a_lock_dies_with_its_process(tmp_path):
    script = (
        "import pathlib, sys, time\n"
        "from semantic_inpaint.datasets.lock import locked_folder\n"
        "with locked_folder(pathlib.Path(sys.argv[1])):\n"
        "    sys.stdout.write('locked\\n')\n"
        "    sys.stdout.flush()\n"
        "    time.sleep(600)\n"
    )
    folder = tmp_path / "folder"
    root = Path(__file__).resolve().parents[2]
    with subprocess.Popen(
        [sys.executable, "-c", script, str(folder)], cwd=root, stdout=subprocess.PIPE
    ) as other:
        assert other.stdout.readline() == b"locked\n"
        try:
            with (
                pytest.raises(ValueError, match="another process is working in"),
                locked_folder(folder),
            ):
                pass
        finally:
            os.kill(other.pid, signal.SIGKILL)
    with locked_folder(folder):
        assert list(folder.iterdir()) == []


def test_an_unreadable_image_is_left_out_and_named(tmp_path, write_folder):
    # From 100 rows to 99: the header of the file loses a digit, the pixels must not
    # move.
    names = [f"{i:03d}.png" for i in range(100)]
    folder = write_folder(tmp_path / "in", names)
    (folder / "050.png").write_bytes(b"not an image")
    packed = pack_images([folder_source(folder)], tmp_path / "out", size=8)
    assert len(packed) == 99
    (name, reason), *rest = packed.manifest["skipped"]
    assert (name, rest) == ("in/050.png", [])
    assert "not an image" in reason
    kept = [name for name in names if name != "050.png"]
    assert packed.ids == tuple(f"in/{name}" for name in kept)
    for row in (0, 49, 50, 98):
        expected = to_uint8(load_image(folder / kept[row]))
        np.testing.assert_array_equal(packed.images[row], expected)
    packed.verify()


def test_too_many_unreadable_images_leave_nothing_that_claims_to_be_complete(
    tmp_path, write_folder
):
    folder = write_folder(tmp_path / "in", [f"{i}.png" for i in range(10)])
    for i in (3, 7):
        (folder / f"{i}.png").write_bytes(b"")
    source, out = folder_source(folder), tmp_path / "out"
    with pytest.raises(ValueError, match=r"2 of 10 images cannot be read.*in/3\.png"):
        pack_images([source], out, size=8, max_skipped_fraction=0.1)
    with pytest.raises(ValueError, match="not packed to the end"):
        PackedImages.open(out)
    # Allowing more goes on from the work that is done.
    packed = pack_images([source], out, size=8, max_skipped_fraction=0.2)
    assert len(packed) == 8
    assert [name for name, _ in packed.manifest["skipped"]] == ["in/3.png", "in/7.png"]


def test_a_set_of_nothing_is_refused(tmp_path, write_folder):
    folder = write_folder(tmp_path / "in", ["1.png"])
    (folder / "1.png").write_bytes(b"")
    with pytest.raises(ValueError, match="1 of 1 images cannot be read"):
        pack_images([folder_source(folder)], tmp_path / "out", max_skipped_fraction=1)
    with pytest.raises(ValueError, match="no images to pack"):
        pack_images([], tmp_path / "out")


def test_ids_must_be_distinct_and_the_size_positive(tmp_path, write_folder):
    source = folder_source(write_folder(tmp_path / "in", ["1.png"]))
    with pytest.raises(ValueError, match=r"the id 'in/1\.png'"):
        pack_images([source, source], tmp_path / "out")
    with pytest.raises(ValueError, match="`size`"):
        pack_images([source], tmp_path / "out", size=0)
    with pytest.raises(ValueError, match="one entry per image"):
        ImageSource(source.container, source.members, source.ids, (0, 1))
