"""Average the generators of several priors of one training run.

python pipelines/merge_priors.py --priors A B --weights .3 .7 --out C
"""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from semantic_inpaint.app.merge import main

if __name__ == "__main__":
    raise SystemExit(main())
