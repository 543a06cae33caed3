"""Train the generative prior: a DCGAN on a packed set of faces.

python pipelines/train_prior.py --data data/celeba64 --recipe slim --out runs/slim
"""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from semantic_inpaint.app.train import main

if __name__ == "__main__":
    raise SystemExit(main())
