"""Opening packed sets: what is in them, and what is refused."""

import hashlib
import json

import numpy as np
import pytest

from semantic_inpaint.datasets import ImageSource, PackedImages, pack_images


@pytest.fixture
def packed_folder(tmp_path, write_folder):
    """Five images: two of partition 0, one of 1, two of 2."""
    names = tuple(f"{i}.png" for i in range(5))
    source = ImageSource(
        write_folder(tmp_path / "in", names), names, names, (0, 0, 1, 2, 2)
    )
    pack_images([source], tmp_path / "out", size=4)
    return tmp_path / "out"


def edit(folder, **changes):
    path = folder / "manifest.json"
    manifest = json.loads(path.read_text()) | changes
    path.write_text(json.dumps(manifest))


def test_the_pixels_are_a_read_only_memory_map_of_a_plain_npy(packed_folder):
    packed = PackedImages.open(packed_folder)
    assert isinstance(packed.images, np.memmap)
    assert (packed.images.shape, packed.images.dtype) == ((5, 4, 4, 3), np.uint8)
    with pytest.raises(ValueError, match="read-only"):
        packed.images[0] = 0
    with pytest.raises(ValueError, match="read-only"):
        packed.partitions[0] = 1
    np.testing.assert_array_equal(np.load(packed_folder / "images.npy"), packed.images)


def test_partitions_choose_the_images(packed_folder):
    packed = PackedImages.open(packed_folder)
    assert len(packed) == 5
    assert packed.ids == ("0.png", "1.png", "2.png", "3.png", "4.png")
    assert packed.partitions.dtype == np.int8
    assert packed.indices().tolist() == [0, 1, 3, 4]
    assert packed.indices((1,)).tolist() == [2]
    assert packed.indices([2, 0]).tolist() == [0, 1, 3, 4]
    with pytest.raises(ValueError, match=r"partitions \[5\]; the set has \[0, 1, 2\]"):
        packed.indices((5,))


def test_a_set_without_partitions_gives_all_its_images(packed_folder):
    edit(packed_folder, partitions=[-1] * 5)
    packed = PackedImages.open(packed_folder)
    assert packed.indices((0,)).tolist() == [0, 1, 2, 3, 4]
    edit(packed_folder, partitions=[-1, 0, -1, 0, -1])
    assert PackedImages.open(packed_folder).indices((0,)).tolist() == [1, 3]


def test_the_hash_is_that_of_the_pixel_bytes_and_sees_one_bit(packed_folder):
    packed = PackedImages.open(packed_folder)
    content = (packed_folder / "images.npy").read_bytes()
    assert packed.sha256 == hashlib.sha256(content[-5 * 4 * 4 * 3 :]).hexdigest()
    packed.verify()
    (packed_folder / "images.npy").write_bytes(content[:-1] + bytes([content[-1] ^ 1]))
    with pytest.raises(ValueError, match="Pack the set anew"):
        PackedImages.open(packed_folder).verify()


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"count": 6}, "manifest says"),
        ({"image_size": 8}, "manifest says"),
        ({"ids": ["0.png"]}, "has 1 ids"),
        ({"partitions": [0]}, "1 partitions"),
        ({"format_version": 2}, "format version 2"),
        ({"complete": False}, "is incomplete"),
    ],
)
def test_a_manifest_that_does_not_fit_is_refused(packed_folder, changes, message):
    edit(packed_folder, **changes)
    with pytest.raises(ValueError, match=message):
        PackedImages.open(packed_folder)


def test_missing_and_damaged_files_are_refused(packed_folder):
    manifest = packed_folder / "manifest.json"
    pixels = packed_folder / "images.npy"
    pixels.write_bytes(pixels.read_bytes()[:-10])
    with pytest.raises(ValueError, match=r"images\.npy cannot be opened"):
        PackedImages.open(packed_folder)
    pixels.unlink()
    with pytest.raises(ValueError, match=r"images\.npy cannot be opened"):
        PackedImages.open(packed_folder)
    manifest.write_text("{")
    with pytest.raises(ValueError, match="cannot be read"):
        PackedImages.open(packed_folder)
    manifest.write_text("[]")
    with pytest.raises(ValueError, match="format version None"):
        PackedImages.open(packed_folder)
    manifest.unlink()
    with pytest.raises(ValueError, match="holds no packed set"):
        PackedImages.open(packed_folder)
    (packed_folder / "partial").mkdir()
    with pytest.raises(ValueError, match="not packed to the end"):
        PackedImages.open(packed_folder)
