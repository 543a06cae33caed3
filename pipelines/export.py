"""Hand a trained network to other programs: ONNX, or a TensorFlow SavedModel.

python pipelines/export.py runs/pconv/network --out pconv.onnx
"""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from semantic_inpaint.app.export import main

if __name__ == "__main__":
    raise SystemExit(main())
