import numpy as np
import pytest

from semantic_inpaint.metrics import (
    aggregate,
    evaluate,
    l1_percent,
    mean_absolute_error,
    mean_psnr,
    mean_squared_error,
    mssim,
    peak_signal_to_noise_ratio,
    pooled_psnr,
    root_mean_squared_error,
)


def batch(count=4):
    rng = np.random.default_rng(0)
    reference = rng.random((count, 16, 16, 3), dtype=np.float32)
    known = np.ones((count, 16, 16), dtype=bool)
    known[:, 4:12, 4:12] = False
    completed = np.where(known[..., None], reference, np.float32(0.5))
    return completed, reference, known


def disturbed():
    """A batch whose known pixels are off, too."""
    completed, reference, known = batch()
    return 0.9 * completed, reference, known


def test_evaluate_gives_every_metric_in_every_region():
    completed, reference, known = disturbed()
    results = evaluate(completed, reference, known)
    assert list(results) == ["hole", "known", "image"]
    for name, region in (("hole", ~known), ("known", known), ("image", None)):
        for metric, function in (
            ("mae", mean_absolute_error),
            ("mse", mean_squared_error),
            ("rmse", root_mean_squared_error),
            ("psnr", peak_signal_to_noise_ratio),
            ("mssim", mssim),
            ("l1_percent", l1_percent),
        ):
            values = results[name].pop(metric)
            assert all(type(value) is float for value in values)
            np.testing.assert_allclose(
                values, function(completed, reference, region), rtol=1e-12
            )
        assert results[name] == {}


def test_with_exact_known_pixels_the_image_error_is_the_hole_error_times_its_share():
    completed, reference, known = batch()
    results = evaluate(completed, reference, known)
    for metric in ("mae", "mse"):
        np.testing.assert_allclose(
            results["image"][metric],
            0.25 * np.array(results["hole"][metric]),
            rtol=1e-12,
        )


def test_pixels_that_were_left_alone_have_no_error():
    completed, reference, known = batch()
    found = evaluate(completed, reference, known)["known"]
    for metric in ("mae", "mse", "rmse", "l1_percent"):
        assert found[metric] == [0.0] * 4
    assert found["psnr"] == [np.inf] * 4
    # Windows at the seam see the hole.
    assert all(0.5 < value < 1.0 for value in found["mssim"])


def test_an_image_without_a_known_pixel_has_no_error_there_and_spares_the_others():
    completed, reference, known = disturbed()
    whole = evaluate(completed, reference, known)
    known[1] = False
    results = evaluate(completed, reference, known)
    for metric, values in results["known"].items():
        assert np.isnan(values).tolist() == [False, True, False, False]
        assert values[0] == whole["known"][metric][0]
    assert results["hole"]["mse"][1] == results["image"]["mse"][1]
    means = aggregate(results)
    assert np.isnan(list(means["known"].values())).all()
    assert np.isfinite(list(means["hole"].values())).all()


def test_aggregate_gives_the_means_and_both_kinds_of_psnr():
    completed, reference, known = disturbed()
    results = evaluate(completed, reference, known)
    means = aggregate(results)
    for name, region in (("hole", ~known), ("known", known), ("image", None)):
        assert means[name] == pytest.approx(
            {
                "mae": np.mean(results[name]["mae"]),
                "mse": np.mean(results[name]["mse"]),
                "rmse": np.mean(results[name]["rmse"]),
                "l1_percent": np.mean(results[name]["l1_percent"]),
                "mssim": np.mean(results[name]["mssim"]),
                "psnr_mean": mean_psnr(completed, reference, region),
                "psnr_pooled": pooled_psnr(completed, reference, region),
            },
            rel=1e-12,
        )


def test_aggregate_of_uneven_batches_is_that_of_all_their_images():
    completed, reference, known = disturbed()
    parts = [
        evaluate(completed[rows], reference[rows], known[rows])
        for rows in (slice(0, 1), slice(1, 4))
    ]
    whole = aggregate(evaluate(completed, reference, known))
    joined = aggregate(*parts)
    for name in ("hole", "known", "image"):
        assert joined[name] == pytest.approx(whole[name], rel=1e-12)


def test_an_exact_image_makes_the_mean_psnr_infinite_but_not_the_pooled_one():
    completed, reference, known = batch()
    completed[0] = reference[0]
    means = aggregate(evaluate(completed, reference, known))
    assert means["hole"]["psnr_mean"] == np.inf
    assert np.isfinite(means["hole"]["psnr_pooled"])


def test_evaluate_refuses_known_pixels_that_are_not_boolean():
    completed, reference, known = batch()
    with pytest.raises(TypeError, match=r"`known` must be a boolean array.*got uint8"):
        evaluate(completed, reference, known.astype(np.uint8))


def test_aggregate_of_nothing_is_refused():
    with pytest.raises(ValueError, match="no image to aggregate"):
        aggregate()
