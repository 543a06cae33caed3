"""Speed of Poisson blending: the prefactored solver against cvxpy, in one run.

Run from the repository root: `python -m benchmarks.blending`. Every time is the
least of some repeats, the one that other programs disturbed least, at 64x64x3. The
direct solver blends a batch of 64 float32 images through `poisson_blend`, checks
included, with its factorisation at hand; cvxpy solves image by image. The holes are
the six of `masks.PATTERNS`, as `make_known` draws the first of each with seed 0.
Writes `benchmarks/results/blending.json`.
"""

import json
import platform
import time
from collections.abc import Callable
from importlib.metadata import version
from pathlib import Path

import numpy as np

from semantic_inpaint.blending import poisson_blend
from semantic_inpaint.blending.direct import PoissonSolver
from semantic_inpaint.blending.poisson import solve_cvxpy
from semantic_inpaint.masks import PATTERNS, make_known

SIDE, BATCH = 64, 64
RESULT = Path(__file__).parent / "results" / "blending.json"


def least_ms(work: Callable[[], object], repeats: int) -> float:
    """Least wall time of `work` in milliseconds, after one call to warm up."""
    work()
    times = []
    for _ in range(repeats):
        start = time.perf_counter()
        work()
        times.append(1000 * (time.perf_counter() - start))
    return min(times)


def measure(name: str, known: np.ndarray, operator: str) -> dict[str, object]:
    """Time both solvers on one hole pattern and compare what they return."""
    generated, observed = np.random.default_rng(1).random(
        (2, BATCH, SIDE, SIDE, 3), dtype=np.float32
    )
    all_known = np.broadcast_to(known, (BATCH, SIDE, SIDE))

    def direct() -> np.ndarray:
        return poisson_blend(generated, observed, all_known, operator=operator)

    def reference() -> np.ndarray:
        return solve_cvxpy(generated[:1], observed[:1], known, operator=operator)

    factor_ms = least_ms(lambda: PoissonSolver(known, operator), 15)
    direct_ms = least_ms(direct, 15) / BATCH
    cvxpy_ms = least_ms(reference, 4)
    return {
        "operator": operator,
        "hole": name,
        "factor_ms": round(factor_ms, 3),
        "direct_ms_per_image": round(direct_ms, 4),
        "cvxpy_ms_per_image": round(cvxpy_ms, 1),
        "ratio": round(cvxpy_ms / direct_ms),
        "max_difference": float(np.abs(direct()[:1] - reference()).max()),
    }


def main() -> None:
    """Measure, print the table, write the JSON."""
    holes = {name: make_known(name, 1, SIDE, SIDE)[0] for name in PATTERNS}
    rows = [measure(*item, o) for o in ("gradient", "log") for item in holes.items()]
    print(" | ".join(rows[0]))
    for row in rows:
        print(" | ".join(str(value) for value in row.values()))
    RESULT.parent.mkdir(exist_ok=True)
    about = {name: version(name) for name in ("numpy", "scipy", "cvxpy")}
    about["python"] = platform.python_version()
    size = {"side": SIDE, "channels": 3, "batch": BATCH, "dtype": "float32"}
    RESULT.write_text(json.dumps({**about, **size, "rows": rows}, indent=2) + "\n")


if __name__ == "__main__":
    main()
