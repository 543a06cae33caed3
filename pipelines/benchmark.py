"""Compare methods on masks and images, and keep a record of every answer.

python pipelines/benchmark.py --methods refined encoder biharmonic --limit 200
"""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from semantic_inpaint.app.benchmark import main

if __name__ == "__main__":
    raise SystemExit(main())
