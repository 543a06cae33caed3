"""Write the report of a benchmark from its records alone.

python pipelines/report.py --records reports/runs/NAME --out reports/NAME
"""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from semantic_inpaint.app.report import main

if __name__ == "__main__":
    raise SystemExit(main())
