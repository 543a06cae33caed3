"""Train a network that fills holes in one pass.

python pipelines/train_inpainter.py pconv --data data/celeba64 --out runs/pconv
"""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from semantic_inpaint.app.train_inpainter import main

if __name__ == "__main__":
    raise SystemExit(main())
