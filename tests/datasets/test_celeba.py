"""CelebA's layout and splits, on noise under official names."""

import zipfile

import numpy as np
import pytest

from semantic_inpaint.datasets import (
    celeba_sources,
    is_celeba,
    official_partition,
    pack_images,
    paper_split,
)
from semantic_inpaint.images import ImageError

ALIGNED = ["img_align_celeba/000007.jpg", "img_align_celeba/162771.jpg"]


@pytest.fixture
def root(tmp_path, write_zip):
    """Two aligned faces, and a zip of two crops of which one is aligned as well."""
    write_zip(tmp_path / "img_align_celeba.zip", ALIGNED, height=218, width=178)
    extra = ["extra/182638.jpg", "extra/000007.jpg"]
    write_zip(tmp_path / "faces64_extra.zip", extra, height=64, width=64, seed=9)
    with zipfile.ZipFile(tmp_path / "annotations.zip", "w") as archive:
        archive.writestr("list_bbox.txt", "")
    write_zip(tmp_path / "holiday.zip", ["beach.jpg"])
    return tmp_path


@pytest.mark.parametrize(
    ("number", "partition"),
    [(1, 0), (162770, 0), (162771, 1), (182637, 1), (182638, 2), (202599, 2)],
)
def test_the_official_partition_is_a_function_of_the_number(number, partition):
    assert official_partition(f"{number:06d}.jpg") == partition


@pytest.mark.parametrize("name", ["000000.jpg", "202600.jpg", "1.jpg", "000001.txt"])
def test_a_name_that_is_not_official_has_no_partition(name):
    with pytest.raises(ValueError, match="not an official CelebA file name"):
        official_partition(name)


def test_the_aligned_faces_come_first_and_no_face_comes_twice(root):
    aligned, extra = celeba_sources(root)
    assert aligned.ids == ("000007.jpg", "162771.jpg")
    assert aligned.members == tuple(ALIGNED)
    assert aligned.partitions == (0, 1)
    assert (extra.ids, extra.members) == (("182638.jpg",), ("extra/182638.jpg",))
    assert extra.partitions == (2,)
    packed = pack_images([aligned, extra], root / "out")
    assert packed.images.shape == (3, 64, 64, 3)
    assert packed.indices((0, 2)).tolist() == [0, 2]


def test_the_list_counts_where_there_is_one(root):
    (root / "list_eval_partition.txt").write_text("162771.jpg 2\n\n999999.jpg 0\n")
    aligned, extra = celeba_sources(root)
    assert aligned.partitions == (0, 2)
    assert extra.partitions == (2,)


@pytest.mark.parametrize("line", ["000007.jpg", "000007.jpg 3", "000007.jpg 0 0"])
def test_a_list_that_is_not_understood_is_named_with_its_line(root, line):
    (root / "list_eval_partition.txt").write_text(f"162771.jpg 1\n{line}\n")
    with pytest.raises(ValueError, match=r"list_eval_partition\.txt, line 2"):
        celeba_sources(root)


def test_the_faces_may_be_unpacked_at_any_depth(tmp_path, write_folder):
    folder = tmp_path / "img_align_celeba"
    write_folder(folder / "img_align_celeba", ["000001.jpg", "182638.jpg"])
    (source,) = celeba_sources(tmp_path)
    assert source.ids == ("000001.jpg", "182638.jpg")
    assert source.partitions == (0, 2)
    assert celeba_sources(folder)[0].ids == source.ids
    assert celeba_sources(folder / "img_align_celeba")[0].ids == source.ids


def test_the_aligned_zip_alone_leaves_the_others_out(root):
    (source,) = celeba_sources(root / "img_align_celeba.zip")
    assert source.ids == ("000007.jpg", "162771.jpg")


def test_what_is_not_celeba_is_told(tmp_path, root):
    assert is_celeba(root)
    assert is_celeba(root / "img_align_celeba.zip")
    assert not is_celeba(root / "holiday.zip")
    assert not is_celeba(tmp_path / "img_align_celeba")
    with pytest.raises(ImageError, match=r"neither img_align_celeba\.zip nor"):
        celeba_sources(tmp_path / "nowhere")


def test_a_foreign_file_among_the_aligned_faces_is_named(tmp_path, write_zip):
    write_zip(tmp_path / "img_align_celeba.zip", ["000001.jpg", "cat.jpg"])
    with pytest.raises(ValueError, match=r"'cat\.jpg' is not an official"):
        celeba_sources(tmp_path)


def test_the_papers_split_has_its_sizes_and_belongs_to_the_ids():
    ids = [f"{number:06d}.jpg" for number in range(1, 6001)]
    split = paper_split(ids, seed=3)
    assert split.dtype == np.int8
    assert np.bincount(split).tolist() == [2000, 2000, 2000]
    # The part of an image depends on its id and the seed, not on its place in the list.
    order = np.random.default_rng(0).permutation(6000)
    shuffled = paper_split([ids[i] for i in order], seed=3)
    np.testing.assert_array_equal(shuffled, split[order])
    # Two independent draws agree on a third of the images; 0.006 is one deviation.
    assert abs(np.mean(paper_split(ids, seed=4) == split) - 1 / 3) < 0.04


def test_the_papers_split_needs_distinct_images_and_some_to_train_on():
    ids = [str(number) for number in range(4000)]
    with pytest.raises(ValueError, match="more than 4000 distinct ids; got 4000"):
        paper_split(ids, seed=0)
    with pytest.raises(ValueError, match="of them 4000 distinct"):
        paper_split([*ids, ids[0]], seed=0)
