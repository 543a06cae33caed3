"""The face that ships with scikit-image, placed like a CelebA face."""

import numpy as np
import pytest
from skimage.data import astronaut as portrait
from skimage.transform import SimilarityTransform, resize, warp

from semantic_inpaint.datasets.examples import astronaut, face_transform


def test_eyes_and_mouth_fall_where_they_do_in_celeba():
    # Read off the portrait by eye; CelebA's mean in its 108 x 108 crop, to 64 pixels.
    portrait_points = {(203.4, 101.0): (34.5, 56.5), (246.8, 103.2): (72.5, 56.5)}
    portrait_points |= {(204.4, 140.0): (36.5, 97.0), (243.6, 141.2): (70.5, 97.0)}
    scale, offset = face_transform(64)
    for (x, y), (target_x, target_y) in portrait_points.items():
        point = (complex(x, y) - offset) / scale
        # No face is the mean face: a similarity leaves about one pixel.
        assert abs(point - complex(target_x, target_y) * 64 / 108) < 1.7
    assert abs(np.degrees(np.angle(scale))) < 4


def test_the_crop_is_the_similarity_transform_of_the_portrait():
    # The same transform by another library: four times the size, then reduced.
    scale, offset = face_transform(256)
    # scikit-image counts from pixel centres, ours from the corner.
    offset += (scale - 1) * (0.5 + 0.5j)
    transform = SimilarityTransform(
        scale=abs(scale),
        rotation=np.angle(scale),
        translation=(offset.real, offset.imag),
    )
    fine = warp(portrait(), transform, output_shape=(256, 256), order=3)
    expected = resize(fine, (64, 64), anti_aliasing=True)
    face = astronaut()
    assert (face.shape, face.dtype) == ((64, 64, 3), np.float32)
    assert face.min() >= 0
    assert face.max() <= 1
    # Other filters, same geometry: a shift by one pixel would make it 0.06.
    assert np.abs(face - expected).mean() < 0.015


@pytest.mark.parametrize("size", [16, 128])
def test_every_size_shows_the_same_face(size):
    face, reference = astronaut(size), astronaut(64)
    assert face.shape == (size, size, 3)
    small = min(size, 64)
    means = [
        image.reshape(small, len(image) // small, small, -1, 3).mean((1, 3))
        for image in (face, reference)
    ]
    # Averages over blocks against a bicubic filter: alike but for the sharpening.
    assert np.abs(means[0] - means[1]).mean() < 0.03
