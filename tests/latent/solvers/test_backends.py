"""TensorFlow and JAX find the same codes."""

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

ROOT = Path(__file__).resolve().parents[3]
PROGRAM = """
import sys
import types

import numpy as np
from keras import ops

from semantic_inpaint.latent.options import SearchOptions
from semantic_inpaint.latent.search import search_latent


class Valley:
    prior = types.SimpleNamespace(support=1.0)

    def __call__(self, codes, target):
        residual, weight = self.residuals(codes, target)
        return 0.5 * ops.sum(weight * ops.square(residual), axis=1)

    def residuals(self, codes, target):
        residual = ops.concatenate(
            [codes - target, 0.3 * ops.sin(2.0 * codes[:, :1] * codes[:, 1:])], axis=1
        )
        return residual, ops.ones_like(residual)


rng = np.random.default_rng(0)
start, target = rng.uniform(-1, 1, (2, 5, 6)).astype(np.float32)
searches = {
    "adam": {"learning_rate": 0.03, "tolerance": 0.02},
    "noise": {"learning_rate": 0.03, "noise": 0.1, "schedule": "cosine"},
    "stochastic": {"learning_rate": 0.1, "projection": "stochastic"},
    "tanh": {"learning_rate": 0.1, "projection": "tanh"},
    "nesterov": {"learning_rate": 0.02, "method": "nesterov"},
    "lbfgs": {"method": "lbfgs"},
    "gauss-newton": {"method": "gauss-newton"},
}
found = {}
for name, options in searches.items():
    solution = search_latent(
        Valley(), start, target, SearchOptions(num_steps=40, **options), slots=3, seed=4
    )
    found[name] = solution.z
    found[name + " steps"] = solution.num_steps
np.savez(sys.argv[1], **found)
"""


def codes_on(backend, path):
    environment = {**os.environ, "KERAS_BACKEND": backend, "PYTHONPATH": str(ROOT)}
    subprocess.run(
        [sys.executable, "-c", PROGRAM, str(path)],
        cwd=ROOT,
        env=environment,
        check=True,
        capture_output=True,
    )
    with np.load(path) as file:
        return dict(file)


# On each backend every method is also held to SciPy, in test_solvers.py.
@pytest.mark.slow
def test_both_backends_find_the_same_codes_by_every_method(tmp_path):
    tensorflow = codes_on("tensorflow", tmp_path / "tensorflow.npz")
    jax = codes_on("jax", tmp_path / "jax.npz")
    assert len(tensorflow) == 14
    for name, codes in tensorflow.items():
        # 40 steps of float32, whose sums and sines differ in the last digit.
        np.testing.assert_allclose(jax[name], codes, atol=1e-3, err_msg=name)
