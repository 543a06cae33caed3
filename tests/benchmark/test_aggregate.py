"""Records to tables: planted means, gains, mixtures and failures."""

import copy

import numpy as np
import pytest

from semantic_inpaint.benchmark.aggregate import Resampling, score_table
from semantic_inpaint.benchmark.analysis import analyse
from semantic_inpaint.benchmark.comparisons import (
    Comparison,
    best_cells,
    default_comparisons,
    gain_table,
)
from semantic_inpaint.benchmark.frame import hole_bins, mask_order, to_frame
from semantic_inpaint.benchmark.selection import by_gain, first_by_number
from tests.report.synthetic_records import FACTORS, failed, planted_records

QUICK = Resampling(num_resamples=500)
REFINEMENT = Comparison(("refined", "inpainted"), ("refined", "refined"))


@pytest.fixture(scope="module")
def records():
    return planted_records(16)


@pytest.fixture(scope="module")
def frame(records):
    return to_frame(records)


def cell(table, **wanted):
    for name, value in wanted.items():
        table = table[table[name] == value]
    assert len(table) == 1
    return table.iloc[0]


def test_means_are_those_of_the_records_written_out(records, frame):
    chosen = [
        r["metrics"]["hole"]
        for r in records
        if (r["method"], r["stage"], r["mask"]) == ("refined", "refined", "center")
    ]
    table = score_table(frame, resampling=QUICK)
    where = {"method": "refined", "stage": "refined", "mask": "center"}
    mse = np.mean([one["mse"] for one in chosen])
    expected = {
        "mae": np.mean([one["mae"] for one in chosen]),
        "mse": mse,
        "psnr_pooled": 10 * np.log10(255**2 / mse),
        "psnr_mean": np.mean([one["psnr"] for one in chosen]),
    }
    for metric, value in expected.items():
        row = cell(table, metric=metric, **where)
        # Sums in another order.
        np.testing.assert_allclose(row["value"], value, rtol=1e-12)
        assert row["low"] < row["value"] < row["high"] and row["n"] == 16
    # By Jensen's inequality.
    assert expected["psnr_mean"] > expected["psnr_pooled"]


def test_exact_known_pixels_have_infinite_psnr_and_no_interval(frame):
    table = score_table(frame, region="known", resampling=QUICK)
    row = table[table["metric"] == "psnr_pooled"].iloc[0]
    assert row["value"] == np.inf
    mean = table[table["metric"] == "psnr_mean"].iloc[0]
    assert mean["value"] == np.inf and np.isnan(mean["low"])


def test_errors_over_the_image_are_those_of_the_hole_times_its_share(frame):
    hole, image = (
        score_table(frame, region=region, resampling=QUICK).set_index(
            ["mask", "method", "stage", "metric"]
        )
        for region in ("hole", "image")
    )
    key = ("left", "refined", "refined", "mse")
    np.testing.assert_allclose(
        image.loc[key, "value"], 0.5 * hole.loc[key, "value"], rtol=1e-12
    )


def test_seeds_of_one_image_are_no_samples_of_their_own():
    once = to_frame(planted_records(8, masks=("center",), spread=0.0))
    often = to_frame(planted_records(8, masks=("center",), spread=0.0, seeds=(0, 1, 2)))
    assert len(often) == 3 * len(once)
    for metric in ("mse", "psnr_pooled"):
        one, three = (
            cell(
                score_table(of, resampling=QUICK),
                method="refined",
                stage="refined",
                metric=metric,
            )
            for of in (once, often)
        )
        assert three["n"] == 8
        np.testing.assert_allclose(
            three[["low", "high"]].tolist(), one[["low", "high"]].tolist(), rtol=1e-12
        )


def test_planted_gains_are_found_and_judged(frame):
    table = gain_table(frame, REFINEMENT, resampling=QUICK)
    assert list(table["mask"].unique()) == list(FACTORS)
    for mask, factor in FACTORS.items():
        row = cell(table, mask=mask, metric="psnr_pooled")
        planted = -10 * np.log10(factor)
        # Noise of 5% of the MSE, 0.22 dB, over 16 images: three standard errors.
        assert abs(row["change"] - planted) < 0.25
        expected = "better" if factor < 1 else "worse" if factor > 1 else "undecided"
        assert (
            row["verdict"]
            == expected
            == cell(table, mask=mask, metric="mse")["verdict"]
        )
        assert row["low"] <= row["change"] <= row["high"]


def test_a_gain_without_noise_is_exact_in_decibels():
    frame = to_frame(planted_records(6, masks=("center",), spread=0.0))
    table = gain_table(frame, REFINEMENT, resampling=QUICK)
    row = cell(table, metric="psnr_pooled")
    np.testing.assert_allclose(
        row[["change", "low", "high"]].tolist(), -10 * np.log10(0.8), rtol=1e-9
    )
    assert row["improved"] == 1.0


def test_nothing_that_does_not_change_has_a_verdict(frame):
    table = gain_table(frame, REFINEMENT, resampling=QUICK)
    still = table[(table["mask"] == "random") & (table["metric"] != "mssim")]
    assert (still["change"] == 0).all() and (still["p"] == 1).all()
    assert set(still["verdict"]) == {"undecided"}


def test_a_verdict_needs_the_interval_and_the_corrected_test(frame):
    table = gain_table(frame, REFINEMENT, resampling=QUICK)
    sure = table["verdict"] != "undecided"
    assert sure.any() and not sure.all()
    excludes = (table["low"] > 0) | (table["high"] < 0)
    np.testing.assert_array_equal(sure, excludes & (table["p_holm"] < 0.05))
    assert (table["p_holm"] >= table["p"]).all()


def test_only_the_same_image_with_the_same_hole_is_compared(records):
    changed = copy.deepcopy(records)
    for one in changed:
        if one["stage"] == "refined" and one["image_number"] < 6:
            one["known_sha256"] = "another hole"
    table = gain_table(to_frame(changed), REFINEMENT, resampling=QUICK)
    assert set(table["n"]) == {10}


def test_comparisons_are_those_of_the_paper(frame):
    assert [c.title for c in default_comparisons(frame)] == [
        "refined: inpainted to refined",
        "plain (inpainted) to refined (refined)",
        "refined: unblended to inpainted",
        "plain: unblended to inpainted",
    ]


def test_the_best_of_a_mask_is_better_than_every_other_beyond_doubt(frame):
    scores = score_table(frame, resampling=QUICK)
    best = best_cells(frame, scores, resampling=QUICK)
    # Planted: the refined are best by 20%, but for the left, which are worse, and the
    # random pixels, where nothing tells refined from inpainted.
    for mask in ("random-square", "center"):
        assert (mask, "refined", "refined", "mse") in best
    assert not [found for found in best if found[0] == "random" and found[3] == "mse"]
    assert not [found for found in best if found[:3] == ("left", "refined", "refined")]


def test_a_method_alone_is_not_called_the_best(frame):
    alone = frame[frame["method"] == "biharmonic"]
    scores = score_table(alone, resampling=QUICK)
    assert best_cells(alone, scores, resampling=QUICK) == set()


def test_failed_records_are_counted_and_left_out(records):
    worse = [failed(r) if r["image_number"] in (3, 5) else r for r in records]
    frame = to_frame(worse)
    row = score_table(frame, resampling=QUICK).iloc[0]
    assert (row["n"], row["failed"]) == (14, 2)
    analysis = analyse(worse, resampling=QUICK)
    assert len(analysis.failures) == 2 * 3 * 6
    assert set(analysis.failures["verdict"]) == {"not a number"}


def test_a_cell_without_any_figure_is_no_obstacle(records):
    dead = [failed(r) if r["method"] == "biharmonic" else r for r in records]
    analysis = analyse(dead, resampling=QUICK)
    assert "biharmonic" not in set(analysis.scores["hole"]["method"])
    assert len(analysis.failures) == 16 * 6


def test_records_with_the_same_key_count_once(records, frame):
    assert len(to_frame([*records, *records[:9]])) == len(frame)


def test_holes_fall_into_the_published_bins():
    shares = [0.005, 0.1, 0.1001, 0.25, 0.3, 0.6, 0.7, 1.0]
    assert hole_bins(np.array(shares)) == [
        "00-10%",
        "00-10%",
        "10-20%",
        "20-30%",
        "20-30%",
        "50-60%",
        "60-70%",
        "90-100%",
    ]


def test_sizes_gather_the_masks_of_a_bin(records):
    analysis = analyse(records, resampling=QUICK)
    table = analysis.scores_by_size
    assert list(table["hole_bin"].unique()) == ["20-30%", "40-50%", "60-70%"]
    both = cell(table, hole_bin="20-30%", method="refined", metric="mse")
    parts = [
        cell(
            analysis.scores["hole"],
            mask=mask,
            method="refined",
            stage="refined",
            metric="mse",
        )["value"]
        for mask in ("random-square", "center")
    ]
    np.testing.assert_allclose(both["value"], np.mean(parts), rtol=1e-12)


def test_masks_come_in_the_order_of_the_paper():
    assert mask_order(["free-2", "random", "center", "free-1", "random-square"]) == [
        "random-square",
        "center",
        "random",
        "free-1",
        "free-2",
    ]


def test_the_gallery_takes_the_first_by_number_whatever_came_out(records):
    shuffled = to_frame(np.random.default_rng(0).permutation(records))
    names = first_by_number(shuffled, "center", 3)
    assert names == ["162771.jpg", "162772.jpg", "162773.jpg"]


def test_gains_are_sorted_from_the_largest(frame):
    pairs = by_gain(frame, REFINEMENT.before, REFINEMENT.after)
    assert (np.diff(pairs["gain"]) <= 0).all() and len(pairs) == 16 * 6
    # Planted: only the left loses.
    assert set(pairs["mask"].tail(16)) == {"left"}


def change(field, value):
    return lambda record: record | {field: value}


@pytest.mark.parametrize(
    ("spoil", "message"),
    [
        (change("options_sha256", "other"), "2 different sets of options or weights"),
        (change("prior", {"sha256": "x"}), "2 different sets of options or weights"),
        (change("images", {"name": "b", "sha256": "b"}), r"2 sets of images \(.*, b\)"),
        (change("schema", 2), "has schema 2, expected 1"),
        (
            lambda r: {k: v for k, v in r.items() if k != "seed"},
            "record 1 lacks seed",
        ),
    ],
)
def test_what_may_not_stand_in_one_table_is_refused(records, spoil, message):
    first, second = (r for r in records[:7:6])
    with pytest.raises(ValueError, match=message):
        to_frame([first, spoil(second)])


def test_no_record_is_no_table():
    with pytest.raises(ValueError, match="no records"):
        to_frame([])
