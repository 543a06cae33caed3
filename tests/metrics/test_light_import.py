import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
CODE = """
import sys, semantic_inpaint.{module}
print(sorted({{"tensorflow", "keras", "jax", "torch", "cvxpy"}} & set(sys.modules)))
"""


@pytest.mark.parametrize("module", ["metrics", "masks"])
def test_importing_loads_no_network_framework(module):
    done = subprocess.run(
        [sys.executable, "-c", CODE.format(module=module)],
        capture_output=True,
        text=True,
        check=False,
        cwd=ROOT,
    )
    assert (done.stdout, done.stderr) == ("[]\n", "")
