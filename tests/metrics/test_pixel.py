import numpy as np
import pytest
from skimage.metrics import mean_squared_error as skimage_mse
from skimage.metrics import normalized_root_mse
from skimage.metrics import peak_signal_noise_ratio as skimage_psnr

from semantic_inpaint.metrics import (
    l1_percent,
    mean_absolute_error,
    mean_psnr,
    mean_squared_error,
    mssim,
    peak_signal_to_noise_ratio,
    pooled_psnr,
    psnr_from_mse,
    root_mean_squared_error,
)

METRICS = [
    mean_absolute_error,
    mean_squared_error,
    root_mean_squared_error,
    l1_percent,
    peak_signal_to_noise_ratio,
    mssim,
]


def batch(count=3, height=13, width=17, channels=3, seed=0):
    rng = np.random.default_rng(seed)
    reference = rng.random((count, height, width, channels))
    noise = 0.1 * rng.standard_normal(reference.shape)
    return np.clip(reference + noise, 0, 1), reference


def shifted(offsets, *, side=12):
    """Grey images that are off by one constant each: MSE = (255 offset)^2."""
    reference = np.full((len(offsets), side, side, 3), 0.5)
    return reference + np.reshape(offsets, (-1, 1, 1, 1)), reference


def test_mse_and_psnr_agree_with_scikit_image():
    images, reference = batch()
    pairs = list(zip(images, reference, strict=True))
    np.testing.assert_allclose(
        mean_squared_error(images, reference),
        [skimage_mse(255 * image, 255 * truth) for image, truth in pairs],
        rtol=1e-12,  # the same sum in another order
    )
    # "min-max" divides by the range of the reference, so that it may be undone.
    np.testing.assert_allclose(
        root_mean_squared_error(images, reference),
        [
            255 * normalized_root_mse(t, i, normalization="min-max") * np.ptp(t)
            for i, t in pairs
        ],
        rtol=1e-12,
    )
    np.testing.assert_allclose(
        peak_signal_to_noise_ratio(images, reference),
        [skimage_psnr(truth, image, data_range=1) for image, truth in pairs],
        rtol=1e-12,
    )


def test_a_constant_offset_gives_the_closed_forms():
    images, reference = shifted([0.1, -0.2])
    close = {"rtol": 1e-12}  # rounding of 0.5 + 0.1
    np.testing.assert_allclose(
        mean_absolute_error(images, reference), [25.5, 51.0], **close
    )
    np.testing.assert_allclose(
        mean_squared_error(images, reference), [25.5**2, 51.0**2], **close
    )
    np.testing.assert_allclose(
        root_mean_squared_error(images, reference), [25.5, 51.0], **close
    )
    np.testing.assert_allclose(l1_percent(images, reference), [10.0, 20.0], **close)
    np.testing.assert_allclose(
        peak_signal_to_noise_ratio(images, reference),
        [20.0, 20 * np.log10(5)],
        **close,
    )


def test_a_region_counts_its_own_pixels_alone():
    images, reference = batch()
    rng = np.random.default_rng(1)
    region = rng.random(images.shape[:3]) < np.reshape([0.1, 0.5, 0.9], (3, 1, 1))
    mae = mean_absolute_error(images, reference, region)
    mse = mean_squared_error(images, reference, region)
    for index in range(3):
        rows = (255 * (images[index] - reference[index]))[region[index]]
        np.testing.assert_allclose(mae[index], np.abs(rows).mean(), rtol=1e-12)
        np.testing.assert_allclose(mse[index], (rows**2).mean(), rtol=1e-12)
    changed = np.where(region[..., None], images, 0.0)
    assert np.array_equal(mean_squared_error(changed, reference, region), mse)


def test_hole_and_known_errors_add_up_to_that_of_the_whole_image():
    images, reference = batch()
    hole = np.zeros(images.shape[:3], dtype=bool)
    hole[:, 2:9, :5] = True
    share = hole.mean(axis=(1, 2))
    for metric in (mean_absolute_error, mean_squared_error):
        whole = metric(images, reference)
        parts = share * metric(images, reference, hole)
        parts += (1 - share) * metric(images, reference, ~hole)
        np.testing.assert_allclose(whole, parts, rtol=1e-12)


def test_l1_percent_is_the_absolute_error_in_percent_of_white():
    images, reference = batch()
    region = images[..., 0] > 0.5
    np.testing.assert_allclose(
        l1_percent(images, reference, region),
        [
            100 * np.abs(i - t)[r].mean()
            for i, t, r in zip(images, reference, region, strict=True)
        ],
        rtol=1e-12,
    )
    np.testing.assert_allclose(
        l1_percent(7 * images, 7 * reference, region, data_range=7.0),
        l1_percent(images, reference, region),
        rtol=1e-12,
    )


def test_scale_and_data_range_change_the_units_only():
    images, reference = batch()
    for metric, power in (
        (mean_absolute_error, 1),
        (mean_squared_error, 2),
        (root_mean_squared_error, 1),
    ):
        expected = metric(images, reference)
        np.testing.assert_allclose(
            metric(images, reference, scale=1.0) * 255**power, expected, rtol=1e-12
        )
        np.testing.assert_allclose(
            metric(100 * images, 100 * reference, data_range=100.0),
            expected,
            rtol=1e-12,
        )
    np.testing.assert_allclose(
        peak_signal_to_noise_ratio(100 * images, 100 * reference, data_range=100.0),
        peak_signal_to_noise_ratio(images, reference),
        rtol=1e-12,
    )


def test_pooled_psnr_gives_the_published_psnr_from_the_published_mse():
    published = [  # Malesevic et al., table 1: MSE and PSNR, before and after
        (777.16, 19.23),
        (626.17, 20.16),
        (1852.22, 15.45),
        (1599.89, 16.09),
        (1607.32, 16.07),  # 2011.45 before goes with 15.10, not the printed 15.45
        (1980.77, 15.16),
        (1645.05, 15.97),
        (704.54, 19.65),
        (570.18, 20.57),
        (323.97, 23.03),
    ]
    mse, psnr = np.transpose(published)
    # Half a unit of the last printed digit, and a little for that of the MSE.
    np.testing.assert_allclose(psnr_from_mse(mse), psnr, atol=0.0051)
    assert round(float(psnr_from_mse(2011.45)), 2) == 15.10


def test_pooled_psnr_is_that_of_the_mean_error_and_mean_psnr_is_not():
    # Two images whose MSE is 777.16 on average: 0.5 and 1.5 times that.
    offsets = np.sqrt(777.16 * np.array([0.5, 1.5])) / 255
    images, reference = shifted(offsets)
    pooled = pooled_psnr(images, reference)
    assert isinstance(pooled, float)
    assert round(pooled, 2) == 19.23
    # The mean of logarithms is the logarithm of the geometric mean.
    excess = -5 * np.log10(0.5 * 1.5)
    assert mean_psnr(images, reference) == pytest.approx(pooled + excess, abs=1e-9)


def test_pooled_psnr_gives_each_image_the_same_weight_whatever_its_region():
    images, reference = shifted([0.1, 0.3])
    region = np.zeros(images.shape[:3], dtype=bool)
    region[0, 0, 0] = True
    region[1] = True
    expected = -10 * np.log10((0.1**2 + 0.3**2) / 2)
    assert pooled_psnr(images, reference, region) == pytest.approx(expected, abs=1e-9)


def test_mean_psnr_is_never_below_pooled_psnr():
    for seed in range(5):
        images, reference = batch(seed=seed)
        images[0] = 0.5 * (images[0] + reference[0])
        hole = np.zeros(images.shape[:3], dtype=bool)
        hole[:, :5] = True
        assert mean_psnr(images, reference, hole) >= pooled_psnr(
            images, reference, hole
        )


def test_an_exact_image_has_infinite_psnr_and_spares_only_the_pooled_one():
    images, reference = shifted([0.0, 0.1])
    assert peak_signal_to_noise_ratio(images, reference)[0] == np.inf
    assert mean_psnr(images, reference) == np.inf
    # Half of the error of an offset of 0.1.
    assert pooled_psnr(images, reference) == pytest.approx(20 + 10 * np.log10(2))
    assert pooled_psnr(reference, reference) == np.inf


@pytest.mark.parametrize("metric", METRICS)
def test_results_are_float64_and_independent_of_the_batch(metric):
    images, reference = batch()
    images, reference = images.astype(np.float32), reference.astype(np.float32)
    hole = images[..., 0] > 0.5
    together = metric(images, reference, hole)
    alone = [
        metric(images[i : i + 1], reference[i : i + 1], hole[i : i + 1])[0]
        for i in range(3)
    ]
    assert together.dtype == np.float64
    # Summation order only: in double precision, also for float32 images.
    np.testing.assert_allclose(together, alone, rtol=1e-12)
    np.testing.assert_allclose(
        together,
        metric(images.astype(float), reference.astype(float), hole),
        rtol=1e-12,
    )


@pytest.mark.parametrize("metric", [*METRICS, mean_psnr, pooled_psnr])
def test_wrong_input_is_refused(metric):
    images, reference = batch()
    region = np.ones(images.shape[:3], dtype=bool)
    with pytest.raises(TypeError, match=r"floating-point array; got uint8.*by 255"):
        metric((255 * images).astype(np.uint8), reference)
    with pytest.raises(TypeError, match="floating-point array; got list"):
        metric(images, reference.tolist())
    with pytest.raises(ValueError, match=r"\[B, H, W, C\].*got \(13, 17, 3\)"):
        metric(images[0], reference[0])
    with pytest.raises(ValueError, match="no empty axis"):
        metric(images[:0], reference[:0])
    with pytest.raises(ValueError, match="the same shape"):
        metric(images, reference[..., :1])
    with pytest.raises(ValueError, match=r"`images` must lie in \[0, 1\]"):
        metric(2 * images - 1, reference)
    with pytest.raises(ValueError, match="`data_range` must be finite and positive"):
        metric(images, reference, data_range=0.0)
    with pytest.raises(TypeError, match=r"boolean array.*got float64"):
        metric(images, reference, region.astype(float))
    with pytest.raises(ValueError, match=r"\[B, H, W\] = .*got \(3, 13, 17, 1\)"):
        metric(images, reference, region[..., None])
    region[2] = False
    with pytest.raises(ValueError, match=r"no pixel in image\(s\) \[2\]"):
        metric(images, reference, region)
    reference[1, 0, 0, 0] = np.nan
    with pytest.raises(ValueError, match=r"`reference` has NaN .* image\(s\) \[1\]"):
        metric(images, reference)


def test_the_rounding_of_a_change_of_range_is_let_through():
    images, reference = shifted([0.1])
    images[0, 0, 0] = 1 + 1e-6
    assert np.isfinite(mean_squared_error(images, reference)).all()


def test_psnr_from_mse_refuses_what_is_no_error():
    for wrong in (-1.0, np.nan):
        with pytest.raises(ValueError, match="`mse` must be 0 or more"):
            psnr_from_mse(np.array([1.0, wrong]))
