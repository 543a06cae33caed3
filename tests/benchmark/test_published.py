"""The paper's printed figures against themselves."""

import numpy as np
import pytest

from semantic_inpaint.benchmark.published import (
    AFTER,
    BEFORE,
    PUBLISHED,
    check_published,
    published_value,
)
from semantic_inpaint.masks import PATTERNS


def test_the_one_psnr_that_does_not_follow_is_found_without_being_told():
    checked = check_published()
    wrong = checked[~checked["psnr_follows"]]
    assert list(wrong[["table", "mask", "column"]].itertuples(index=False)) == [
        (1, "stripes", "before")
    ]
    row = wrong.iloc[0]
    assert (row["psnr"], round(row["psnr_of_mse"], 2)) == (15.45, 15.10)


def test_no_column_can_be_of_whole_images_with_exact_known_pixels():
    checked = check_published({"stripes": 0.4375})
    assert not checked["can_be_image"].astype(bool).any()


def test_the_bound_on_whole_images_holds_for_true_ones_and_is_tight():
    rng = np.random.default_rng(0)
    hole = rng.random(1000) < 0.3
    error = np.where(hole, rng.lognormal(size=1000), 0.0)
    assert error.mean() ** 2 / (error**2).mean() < hole.mean()
    flat = hole.astype(float)
    np.testing.assert_allclose(flat.mean() ** 2 / (flat**2).mean(), hole.mean())


def test_without_a_hole_share_nothing_is_said_of_the_stripes():
    checked = check_published()
    unknown = checked[checked["can_be_image"].isna()]
    assert list(unknown["mask"].unique()) == ["stripes"]


def test_both_tables_print_the_same_of_the_centre_hole():
    for column in (BEFORE, AFTER):
        for metric, digits in (("mae", 2), ("mse", 2), ("psnr", 2), ("mssim", 3)):
            first, second = (
                published_value("center", column, metric, table=table)
                for table in (1, 2)
            )
            assert abs(first - second) <= 0.5 * 10**-digits


def test_all_six_patterns_are_there():
    assert {row.mask for row in PUBLISHED} == set(PATTERNS)
    with pytest.raises(KeyError, match="table 2 prints nothing for 'left'"):
        published_value("left", BEFORE, "mse", table=2)
