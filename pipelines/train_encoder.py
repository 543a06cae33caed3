"""Train the encoder of a prior: masked faces to latent codes.

python pipelines/train_encoder.py --prior slim --data data/celeba64 --out runs/encoder
"""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from semantic_inpaint.app.train_encoder import main

if __name__ == "__main__":
    raise SystemExit(main())
