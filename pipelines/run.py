"""Fill the holes of images and show every stage.

python pipelines/run.py --mask center
"""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from semantic_inpaint.app.run import main

if __name__ == "__main__":
    raise SystemExit(main())
