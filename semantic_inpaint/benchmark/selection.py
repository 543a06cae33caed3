"""Which answers of a benchmark are shown, by rules that do not see the pictures."""

from __future__ import annotations

import pandas as pd


def first_by_number(frame: pd.DataFrame, mask: str, count: int) -> list[str]:
    """Choose the images that stand for a mask: the first by number, whatever came out.

    Args:
        frame: Of `to_frame`.
        mask: Whose images are chosen.
        count: At most so many.
    """
    of_mask = frame[frame["mask"] == mask]
    ordered = of_mask.sort_values(["image_number", "image"], kind="stable")
    return list(dict.fromkeys(ordered["image"]))[:count]


def by_gain(
    frame: pd.DataFrame, before: tuple[str, str], after: tuple[str, str]
) -> pd.DataFrame:
    """Sort all pairs of one image and hole by their gain in PSNR over the hole.

    Args:
        frame: Of `to_frame`.
        before: Method and stage.
        after: Method and stage.

    Returns:
        `"mask"`, `"image"`, `"before"`, `"after"`, `"gain"` in decibels, the largest
        gain first, of the smallest seed of each; pairs without a finite gain are left
        out.
    """
    keys = ["mask", "mask_id", "image", "known_sha256", "seed"]
    sides = []
    for method, stage in (before, after):
        chosen = frame[(frame["method"] == method) & (frame["stage"] == stage)]
        sides.append(chosen.set_index(keys)["hole_psnr"])
    pairs = pd.concat(sides, axis=1, keys=["before", "after"], join="inner")
    pairs["gain"] = pairs["after"] - pairs["before"]
    pairs = pairs[pairs["gain"].abs() < float("inf")].reset_index()
    first = pairs.sort_values("seed", kind="stable").drop_duplicates(["mask", "image"])
    order = first.sort_values(["gain", "mask", "image"], ascending=[False, True, True])
    return order[["mask", "image", "before", "after", "gain"]].reset_index(drop=True)
