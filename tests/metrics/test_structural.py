import numpy as np
import pytest
from scipy.ndimage import correlate1d
from skimage.metrics import structural_similarity

from semantic_inpaint.metrics import mssim, similarity_map


def batch(seed=0):
    rng = np.random.default_rng(seed)
    reference = rng.random((2, 20, 25, 3))
    noise = 0.2 * rng.standard_normal(reference.shape)
    return np.clip(reference + noise, 0, 1), reference


def similarity_by_definition(first, second):
    """Wang et al. 2004, eq. 13, for one channel in [0, 1]."""
    taps = np.exp(-0.5 * (np.arange(-5, 6) / 1.5) ** 2)
    taps /= taps.sum()

    def blur(values):
        return correlate1d(correlate1d(values, taps, axis=0), taps, axis=1)

    mean_1, mean_2 = blur(first), blur(second)
    variance_1 = blur(first**2) - mean_1**2
    variance_2 = blur(second**2) - mean_2**2
    covariance = blur(first * second) - mean_1 * mean_2
    numerator = (2 * mean_1 * mean_2 + 0.01**2) * (2 * covariance + 0.03**2)
    return numerator / (
        (mean_1**2 + mean_2**2 + 0.01**2) * (variance_1 + variance_2 + 0.03**2)
    )


def test_the_map_follows_the_definition_up_to_the_border():
    images, reference = batch()
    expected = np.mean(
        [
            [similarity_by_definition(a[..., c], b[..., c]) for c in range(3)]
            for a, b in zip(images, reference, strict=True)
        ],
        axis=1,
    )
    # Cancellation in the variances: a few hundred rounding errors.
    np.testing.assert_allclose(similarity_map(images, reference), expected, atol=1e-12)


def test_away_from_the_border_the_mean_is_that_of_scikit_image():
    images, reference = batch()
    inner = np.zeros(images.shape[:3], dtype=bool)
    inner[:, 5:-5, 5:-5] = True
    expected = [
        structural_similarity(
            image,
            truth,
            gaussian_weights=True,
            sigma=1.5,
            use_sample_covariance=False,
            channel_axis=-1,
            data_range=1,
        )
        for image, truth in zip(images, reference, strict=True)
    ]
    np.testing.assert_allclose(mssim(images, reference, inner), expected, rtol=1e-12)


def test_two_flat_images_have_the_closed_form():
    images = np.full((1, 16, 16, 3), 0.2)
    reference = np.full((1, 16, 16, 3), 0.6)
    expected = (2 * 0.2 * 0.6 + 1e-4) / (0.2**2 + 0.6**2 + 1e-4)
    # The variances are 0 up to rounding, beside a constant of 9e-4.
    np.testing.assert_allclose(mssim(images, reference), expected, rtol=1e-10)


def test_equal_images_reach_1_and_noise_lowers_it():
    images, reference = batch()
    np.testing.assert_allclose(mssim(reference, reference), 1.0, rtol=1e-12)
    halfway = 0.5 * (images + reference)
    assert (mssim(images, reference) < mssim(halfway, reference)).all()


def test_a_region_averages_the_map_over_its_pixels():
    images, reference = batch()
    region = np.random.default_rng(1).random(images.shape[:3]) < 0.3
    similarity = similarity_map(images, reference)
    expected = [similarity[i][region[i]].mean() for i in range(2)]
    np.testing.assert_allclose(mssim(images, reference, region), expected, rtol=1e-12)


def test_the_data_range_changes_nothing_but_the_units():
    images, reference = batch()
    np.testing.assert_allclose(
        mssim(255 * images, 255 * reference, data_range=255.0),
        mssim(images, reference),
        rtol=1e-9,  # cancellation in the variances
    )


def test_images_smaller_than_the_window_are_refused():
    images, reference = batch()
    with pytest.raises(ValueError, match=r"at least 11 x 11 pixels.*got 10 x 25"):
        mssim(images[:, :10], reference[:, :10])
    assert np.isfinite(mssim(images[:, :11, :11], reference[:, :11, :11])).all()
