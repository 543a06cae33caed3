"""Measure how good a generative prior is for inpainting.

python pipelines/evaluate_prior.py --prior slim --data data/celeba64 --out runs/figures
"""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from semantic_inpaint.app.evaluate import main

if __name__ == "__main__":
    raise SystemExit(main())
