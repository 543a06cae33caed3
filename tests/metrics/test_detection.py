"""Faces are found where they are, and nowhere else."""

from pathlib import Path

import numpy as np
import pytest
import skimage
from skimage.data import astronaut as portrait
from skimage.data import lbp_frontal_face_cascade_filename

from semantic_inpaint.datasets.examples import astronaut
from semantic_inpaint.datasets.samples import sample_faces
from semantic_inpaint.metrics import DETECTOR, finds_face


def to_uint8(images):
    return np.rint(255 * images).astype(np.uint8)


@pytest.mark.parametrize("size", [32, 64, 128, 200])
def test_the_astronaut_has_a_face_at_any_size(size):
    faces = to_uint8(astronaut(size))[None]
    assert finds_face(faces).tolist() == [True]


def test_a_face_is_found_in_an_oblong_image_too():
    # The head and what is beside it; half as wide, and turned on its side, as high.
    found = portrait()[20:190, 100:360]
    assert finds_face(found[None]).tolist() == [True]
    assert finds_face(found.swapaxes(0, 1)[None]).tolist() == [False]
    tall = portrait()[0:260, 140:310]
    assert finds_face(tall[None]).tolist() == [True]


def test_nearly_all_sample_faces_have_one_and_few_of_them_upside_down():
    faces = to_uint8(sample_faces())
    assert finds_face(faces).mean() > 0.95
    assert finds_face(faces[:, ::-1]).mean() < 0.3


@pytest.mark.parametrize("size", [16, 64])
def test_noise_and_flat_images_have_none(size):
    rng = np.random.default_rng(0)
    noise = rng.integers(0, 256, (20, size, size, 3), dtype=np.uint8)
    flat = np.repeat(np.uint8([0, 128, 255]), size * size * 3)
    assert not finds_face(noise).any()
    assert not finds_face(flat.reshape(3, size, size, 3)).any()


def test_each_image_is_judged_by_itself():
    face = to_uint8(astronaut(64))
    images = np.stack([np.zeros_like(face), face, 255 - np.zeros_like(face), face])
    found = finds_face(images)
    assert found.dtype == np.bool_
    assert found.tolist() == [False, True, False, True]
    assert finds_face(images[:0]).shape == (0,)


def test_the_cascade_lies_in_the_package_so_that_nothing_is_downloaded():
    name = f"{DETECTOR['cascade']}.xml"
    assert Path(lbp_frontal_face_cascade_filename()).name == name
    assert (Path(skimage.__file__).parent / "data" / name).is_file()


@pytest.mark.parametrize(
    "images", [np.zeros((2, 8, 8, 3), np.float32), np.zeros((2, 8, 8, 3), bool), [[0]]]
)
def test_other_types_are_refused(images):
    with pytest.raises(TypeError, match="`images` must be a uint8 array; got"):
        finds_face(images)


@pytest.mark.parametrize("shape", [(8, 8, 3), (2, 8, 8), (2, 8, 8, 1), (2, 0, 8, 3)])
def test_other_shapes_are_refused(shape):
    with pytest.raises(ValueError, match=r"must have shape \[B, H, W, 3\]; got"):
        finds_face(np.zeros(shape, np.uint8))
