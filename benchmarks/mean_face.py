"""What the mean face alone is worth in each hole: a floor for every method.

Run from the repository root: `python -m benchmarks.mean_face --data data/celeba64`.
The mean of every tenth training face fills the holes of the first 200 faces of
partition 1, without any search or blend. Writes `benchmarks/results/mean-face.json`.
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path

import numpy as np

from semantic_inpaint.datasets.packed import PackedImages
from semantic_inpaint.masks import PATTERNS, make_known
from semantic_inpaint.metrics import pooled_psnr

RESULT = Path(__file__).parent / "results" / "mean-face.json"
COUNT = 200


def main() -> None:
    """Measure, print and write."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, required=True)
    packed = PackedImages.open(parser.parse_args().data)
    images = packed.images[packed.indices([1])[:COUNT]].astype(np.float32) / 255.0
    training = packed.images[packed.indices((0, 2))[::10]]
    mean = training.mean(axis=0, dtype=np.float64).astype(np.float32) / 255.0
    record = {"data_sha256": packed.sha256, "count": len(images), "masks": {}}
    for name in PATTERNS:
        known = make_known(name, *images.shape[:3])
        filled = np.where(known[..., None], images, mean)
        found = {
            "hole_psnr_pooled": pooled_psnr(filled, images, ~known),
            "image_psnr_pooled": pooled_psnr(filled, images),
        }
        record["masks"][name] = found
        print(name, {key: round(value, 2) for key, value in found.items()})
    RESULT.write_text(json.dumps(record, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
