"""The command that packs data: outcomes, exit codes, and a kill in the middle."""

import importlib.util
import io
import os
import signal
import subprocess
import sys
import time
import zipfile
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from semantic_inpaint.datasets import PackedImages

SCRIPT = Path(__file__).resolve().parents[2] / "pipelines" / "prepare_data.py"


@pytest.fixture(scope="module")
def main():
    spec = importlib.util.spec_from_file_location("prepare_data", SCRIPT)
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module  # Dataclasses look their module up.
    spec.loader.exec_module(module)
    yield module.main
    del sys.modules[spec.name]


def write_images(path, names, *, side=8):
    rng = np.random.default_rng(0)
    with zipfile.ZipFile(path, "w") as archive:
        for name in names:
            pixels = rng.integers(0, 256, (side, side, 3), dtype=np.uint8)
            stream = io.BytesIO()
            Image.fromarray(pixels).save(stream, "PNG", compress_level=1)
            archive.writestr(name, stream.getvalue())
    return path


def words(*sources, out, **options):
    line = ["--source", *sources, "--out", out]
    for name, value in options.items():
        line += [f"--{name}", value]
    return list(map(str, line))


def test_celeba_is_packed_with_its_partitions(main, tmp_path, capsys):
    names = ["000001.jpg", "170000.jpg", "200000.jpg"]
    write_images(tmp_path / "img_align_celeba.zip", names)
    assert main(words(tmp_path, out=tmp_path / "out", size=8)) == 0
    shown = capsys.readouterr().out
    assert "3 images packed" in shown
    assert "1 training, 1 validation, 1 test" in shown
    packed = PackedImages.open(tmp_path / "out")
    assert packed.ids == tuple(names)
    assert packed.sha256 in shown


def test_several_sources_and_the_papers_split(main, tmp_path):
    first = write_images(tmp_path / "a.zip", [f"{i}.png" for i in range(4000)], side=2)
    second = write_images(tmp_path / "b.zip", ["1.png", "2.png"], side=2)
    arguments = words(first, second, out=tmp_path / "out", size=2, split="paper")
    assert main(arguments) == 0
    packed = PackedImages.open(tmp_path / "out")
    assert packed.ids[-2:] == ("b.zip/1.png", "b.zip/2.png")
    assert np.bincount(packed.partitions).tolist() == [2, 2000, 2000]
    again = words(first, second, out=tmp_path / "2", size=2, split="paper", seed=1)
    assert main(again) == 0
    assert (PackedImages.open(tmp_path / "2").partitions != packed.partitions).any()


def test_a_split_can_be_left_out(main, tmp_path):
    write_images(tmp_path / "img_align_celeba.zip", ["000001.jpg"])
    assert main(words(tmp_path, out=tmp_path / "out", size=8, split="none")) == 0
    assert PackedImages.open(tmp_path / "out").partitions.tolist() == [-1]


LAYOUTS = {
    "imagenet": (
        "CLS-LOC",
        {
            "train/n01440764/n01440764_10026.JPEG": 0,
            "train/n01443537/n01443537_10007.JPEG": 0,
            "val/ILSVRC2012_val_00000001.JPEG": 1,
            "test/ILSVRC2012_test_00000001.JPEG": 2,
        },
    ),
    "places2, easy": (
        "places365_standard",
        {
            "train/airfield/00000001.jpg": 0,
            "val/airfield/Places365_val_00000435.jpg": 1,
        },
    ),
    "places2, small": (
        "places",
        {
            "data_256/a/airfield/00000001.jpg": 0,
            "val_256/Places365_val_00000001.jpg": 1,
            "test_256/Places365_test_00000001.jpg": 2,
        },
    ),
    "places2, by torchvision": (
        "places",
        {
            "data_256_standard/a/airfield/00000001.jpg": 0,
            "val_256/Places365_val_00000001.jpg": 1,
        },
    ),
    "one part alone": ("set", {"validation/1.png": 1, "validation/2.png": 1}),
    "celeba-hq": ("CelebA-HQ-img", {"0.jpg": -1, "1.jpg": -1, "10.jpg": -1}),
    "fdf": ("128", {"0.png": -1, "1.png": -1, "10.png": -1, "2.png": -1}),
    # Where a train is a class, and where a test is beside what is no part.
    "classes": ("classes", {"airplane/1.png": -1, "train/1.png": -1}),
    "loose": ("loose", {"1.png": -1, "test/1.png": -1}),
    "a file of that name": ("names", {"test.png": -1, "train.png": -1}),
}


@pytest.mark.parametrize("zipped", [False, True])
@pytest.mark.parametrize("layout", LAYOUTS)
def test_a_layout_is_packed_by_naming_its_folder(main, tmp_path, layout, zipped):
    folder, planted = LAYOUTS[layout]
    path = write_images(tmp_path / f"{folder}.zip", planted)
    if not zipped:
        with zipfile.ZipFile(path) as archive:
            archive.extractall(tmp_path / folder)
        path = tmp_path / folder
    assert main(words(path, out=tmp_path / "out", size=8)) == 0
    packed = PackedImages.open(tmp_path / "out")
    names = [f"{path.name}/{name}" for name in sorted(planted)]
    assert list(packed.ids) == names
    expected = [planted[name] for name in sorted(planted)]
    assert packed.partitions.tolist() == expected
    # Without the partitions it is the same set otherwise.
    bare = words(path, out=tmp_path / "bare", size=8, split="none")
    assert main(bare) == 0
    bare = PackedImages.open(tmp_path / "bare")
    assert (bare.ids, bare.sha256) == (packed.ids, packed.sha256)
    assert set(bare.partitions.tolist()) == {-1}


def test_the_annotations_of_celebamask_hq_are_not_packed_as_faces(
    main, tmp_path, capsys
):
    faces = [f"CelebAMask-HQ/CelebA-HQ-img/{number}.jpg" for number in range(3)]
    parts = [
        f"CelebAMask-HQ/CelebAMask-HQ-mask-anno/0/0000{n}_skin.png" for n in (0, 1)
    ]
    path = write_images(tmp_path / "CelebAMask-HQ.zip", [*parts, *faces])
    assert main(words(path, out=tmp_path / "out", size=8)) == 0
    packed = PackedImages.open(tmp_path / "out")
    assert packed.ids == tuple(f"CelebAMask-HQ.zip/{name}" for name in faces)
    # Nothing else in it is refused in one line.
    path = write_images(tmp_path / "parts.zip", parts)
    capsys.readouterr()
    assert main(words(path, out=tmp_path / "2", size=8)) == 2
    assert "nothing but annotations" in capsys.readouterr().err


def test_images_left_out_are_named(main, tmp_path, capsys):
    path = write_images(tmp_path / "a.zip", ["1.png", "2.png"])
    with zipfile.ZipFile(path, "a") as archive:
        archive.writestr("3.png", b"not an image")
    arguments = words(path, out=tmp_path / "out", size=8)
    assert main(arguments) == 2
    assert "1 of 3 images cannot be read" in capsys.readouterr().err
    assert main([*arguments, "--max-skipped-fraction", "0.5"]) == 0
    shown = capsys.readouterr().out
    assert "1 image left out as unreadable" in shown
    assert "a.zip/3.png is not an image" in shown


def test_a_failure_is_one_line_and_exit_code_two(main, tmp_path, capsys):
    assert main(words(tmp_path / "none", out=tmp_path / "out")) == 2
    (tmp_path / "file").write_text("")
    source = write_images(tmp_path / "a.zip", ["1.png"])
    assert main(words(source, out=tmp_path / "file")) == 2
    lines = capsys.readouterr().err.splitlines()
    assert len(lines) == 2
    assert all(line.startswith("error: ") for line in lines)


@pytest.mark.parametrize(
    "line", [[], ["--source", "a"], ["--out", "b", "--split", "x"], ["--nonsense"]]
)
def test_a_usage_that_is_not_understood_ends_with_two(main, line, capsys):
    with pytest.raises(SystemExit) as caught:
        main(line)
    assert caught.value.code == 2


def test_killed_in_the_middle_it_goes_on_to_the_same_bytes(tmp_path):
    # From another folder: the script finds the library beside itself.
    source = write_images(
        tmp_path / "a.zip", [f"{i}.png" for i in range(4000)], side=24
    )
    command = [sys.executable, str(SCRIPT)]
    environment = {k: v for k, v in os.environ.items() if k != "PYTHONPATH"}
    options = {"cwd": tmp_path, "env": environment, "capture_output": True}
    whole = words(source, out="whole", size=16)
    subprocess.run(command + whole, check=True, **options)

    line = command + words(source, out="cut", size=16)
    process = subprocess.Popen(line, cwd=tmp_path, env=environment)
    journal = tmp_path / "cut" / "partial" / "journal.jsonl"
    while process.poll() is None:
        if journal.exists() and journal.read_bytes().count(b"\n") > 2:
            os.kill(process.pid, signal.SIGKILL)
            break
        time.sleep(0.001)
    assert process.wait() == -signal.SIGKILL
    assert 2 < journal.read_bytes().count(b"\n") < 4000 / 256
    assert not (tmp_path / "cut" / "manifest.json").exists()

    subprocess.run(line, check=True, **options)
    for name in ("images.npy", "manifest.json"):
        expected = (tmp_path / "whole" / name).read_bytes()
        assert (tmp_path / "cut" / name).read_bytes() == expected
