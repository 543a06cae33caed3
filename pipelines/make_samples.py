"""Make the sample faces of people who do not exist that ship with the package.

python pipelines/make_samples.py --prior runs/independent/prior --data data/celeba64
"""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from semantic_inpaint.app.make_samples import main

if __name__ == "__main__":
    raise SystemExit(main())
