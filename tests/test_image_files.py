"""Many images: folders, zips, saving, ranges and sheets."""

import io
import zipfile

import numpy as np
import pytest
from PIL import Image

from semantic_inpaint.images import (
    ImageError,
    from_network,
    load_image,
    load_images,
    load_whole_images,
    save_image,
    tile_images,
    to_network,
    to_uint8,
)


def flat_png(value):
    stream = io.BytesIO()
    Image.new("RGB", (4, 4), (value,) * 3).save(stream, "PNG")
    return stream.getvalue()


def values(images):
    return np.rint(images[:, 0, 0, 0] * 255).astype(int).tolist()


@pytest.fixture
def places(tmp_path):
    """A file, a folder and a zip, each image with a grey of its own."""
    (tmp_path / "one.png").write_bytes(flat_png(1))
    folder = tmp_path / "folder"
    (folder / "deep").mkdir(parents=True)
    for name, value in {"b.png": 3, "a.PNG": 2, "deep/c.png": 4}.items():
        (folder / name).write_bytes(flat_png(value))
    (folder / "notes.txt").write_text("not an image")
    (folder / ".hidden.png").write_bytes(b"broken")
    with zipfile.ZipFile(tmp_path / "set.zip", "w") as archive:
        for name, value in {"x/2.png": 6, "x/1.png": 5}.items():
            archive.writestr(name, flat_png(value))
        archive.writestr("x/read.me", "")
        archive.writestr("__MACOSX/x/._1.png", b"broken")
    return tmp_path


def test_files_folders_and_zips_give_their_images_in_order(places):
    paths = [places / "set.zip", str(places / "one.png"), places / "folder"]
    images, names, notes = load_images(paths, size=4)
    assert images.shape == (6, 4, 4, 3)
    assert images.dtype == np.float32
    assert values(images) == [5, 6, 1, 2, 3, 4]
    expected = ["x/1.png", "x/2.png", "one.png", "a.PNG", "b.png", "deep/c.png"]
    assert names == expected
    assert notes == [""] * 6


def test_whole_images_keep_their_sizes(places):
    Image.new("RGB", (7, 5), (9,) * 3).save(places / "wide.png")
    paths = [places / "wide.png", places / "set.zip", places / "one.png"]
    images, names = load_whole_images(paths, limit=3)
    assert [image.shape for image in images] == [(5, 7, 3), (4, 4, 3), (4, 4, 3)]
    assert [round(float(image.max()) * 255) for image in images] == [9, 5, 6]
    assert names == ["wide.png", "x/1.png", "x/2.png"]
    with pytest.raises(ImageError, match="Give at least one path"):
        load_whole_images([])


def test_one_path_may_come_alone_and_is_fitted_with_a_note(places):
    images, names, notes = load_images(places / "one.png", size=8)
    assert (images.shape, names) == ((1, 8, 8, 3), ["one.png"])
    assert notes == ["enlarged from 4 x 4 to 8 x 8"]


def test_images_of_one_name_are_told_apart_by_their_paths(places):
    (places / "other").mkdir()
    (places / "other" / "one.png").write_bytes(flat_png(9))
    paths = [places / "one.png", places / "other" / "one.png"]
    _, names, _ = load_images(paths, size=4)
    assert names == list(map(str, paths))


def test_a_path_without_images_is_refused(places):
    (places / "empty").mkdir()
    with zipfile.ZipFile(places / "empty.zip", "w"):
        pass
    for name in ("empty", "empty.zip"):
        with pytest.raises(ImageError, match=f"{name} holds no images"):
            load_images(places / name, size=4)
    with pytest.raises(ImageError, match="does not exist"):
        load_images(places / "no.zip", size=4)
    with pytest.raises(ImageError, match="no images were given"):
        load_images([], size=4)


def corrupt(places, old, new):
    path = places / "set.zip"
    path.write_bytes(path.read_bytes().replace(old, new))
    return path


def test_a_damaged_zip_is_named(places):
    broken = places / "broken.zip"
    broken.write_bytes(b"PK\x03\x04 and no more")
    with pytest.raises(ImageError, match=r"broken\.zip cannot be opened as a zip"):
        load_images(broken, size=4)
    # A stored member whose bytes no longer match its checksum.
    path = corrupt(places, flat_png(5), flat_png(7))
    with pytest.raises(ImageError, match=r"set\.zip/x/1\.png cannot be read"):
        load_images(path, size=4)


def test_a_zip_with_a_password_is_named(places):
    path = places / "set.zip"
    content = bytearray(path.read_bytes())
    at = content.index(b"PK\x01\x02")
    while at >= 0:
        content[at + 8] |= 1  # The bit that says: encrypted.
        at = content.find(b"PK\x01\x02", at + 1)
    path.write_bytes(content)
    with pytest.raises(ImageError, match=r"x/1\.png cannot be read \(.*password"):
        load_images(path, size=4)


@pytest.mark.parametrize("kind", ["uint8", "float32", "bool", "grey"])
def test_a_saved_image_is_read_back_to_the_bit(tmp_path, kind):
    pixels = np.random.default_rng(1).integers(0, 256, (5, 6, 3), dtype=np.uint8)
    image = {
        "uint8": pixels,
        "float32": pixels.astype(np.float32) / 255,
        "bool": pixels > 127,
        "grey": pixels[..., 0],
    }[kind]
    path = tmp_path / "new" / "folder" / "image.png"
    save_image(path, image)
    expected = np.where(pixels > 127, 255, 0) if kind == "bool" else pixels
    if kind == "grey":
        expected = np.stack([pixels[..., 0]] * 3, -1)
    np.testing.assert_array_equal(to_uint8(load_image(path)), expected)
    assert [p.name for p in path.parent.iterdir()] == ["image.png"]


def test_what_is_no_image_is_not_saved(tmp_path):
    image = np.zeros((4, 4, 3), np.float32)
    with pytest.raises(ValueError, match=r"\.png"):
        save_image(tmp_path / "a.jpg", image)
    with pytest.raises(ValueError, match="one by one"):
        save_image(tmp_path / "a.png", image[None])
    with pytest.raises(ValueError, match="Divide by 255"):
        save_image(tmp_path / "a.png", image + 255)
    with pytest.raises(ValueError, match="not finite"):
        save_image(tmp_path / "a.png", image * np.nan)
    with pytest.raises(TypeError, match="int64"):
        save_image(tmp_path / "a.png", image.astype(np.int64))
    assert not list(tmp_path.iterdir())


def test_the_ranges_of_files_and_networks_invert_each_other():
    steps = np.arange(256, dtype=np.uint8)
    images = steps.astype(np.float32) / 255
    network = to_network(images)
    assert (network.min(), network.max(), network.dtype) == (-1, 1, np.float32)
    np.testing.assert_array_equal(to_uint8(from_network(network)), steps)
    clipped = from_network(np.array([-1.5, 0.0, 3.0]))
    assert (clipped.tolist(), clipped.dtype) == ([0.0, 0.5, 1.0], np.float32)


def test_eight_bits_are_rounded_to_the_nearest():
    halves = (np.arange(255) + np.array([[0.49], [0.51]])) / 255
    expected = np.arange(255) + np.array([[0], [1]])
    np.testing.assert_array_equal(to_uint8(halves), expected)


def test_a_sheet_holds_the_images_row_by_row():
    images = np.arange(1, 6, dtype=np.uint8)[:, None, None, None]
    images = np.broadcast_to(images, (5, 2, 3, 3))
    sheet = tile_images(images, columns=3)
    assert sheet.shape == (4, 9, 3)
    assert sheet[::2, ::3, 0].tolist() == [[1, 2, 3], [4, 5, 0]]
    assert tile_images(images[:4]).shape == (4, 6, 3)
    with pytest.raises(ValueError, match="leading axis"):
        tile_images(images[0])
    with pytest.raises(ValueError, match="`columns`"):
        tile_images(images, columns=0)
