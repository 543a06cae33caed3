"""Several devices: shares of the images, the answers of one device."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from semantic_inpaint.inpainters.spread import SpreadInpainter

ROOT = Path(__file__).resolve().parents[2]

# A processor divided into two devices stands for two GPUs.
DIVIDE = {
    "tensorflow": """
import tensorflow as tf
cpu, = tf.config.list_physical_devices("CPU")
parts = 2 * [tf.config.LogicalDeviceConfiguration()]
tf.config.set_logical_device_configuration(cpu, parts)
""",
    "jax": """
import jax
jax.config.update("jax_num_cpu_devices", 2)
""",
}
COMPARE = """
import sys
import numpy as np
from semantic_inpaint import backend
from semantic_inpaint.inpainters import SemanticInpainter
from semantic_inpaint.inpainters.spread import SpreadInpainter
from semantic_inpaint.latent.presets import FAST
from semantic_inpaint.masks import make_known
from semantic_inpaint.models.checkpoints import load_prior
from semantic_inpaint.problem import InpaintingProblem

assert backend.device_names() == ["cpu", "cpu:1"]
made = []


def make(device):
    made.append(load_prior(sys.argv[1]))
    return SemanticInpainter(made[-1], FAST.with_steps(4))


images = np.random.default_rng(0).random((5, 16, 16, 3), dtype=np.float32)
problem = InpaintingProblem(images, make_known("center", 5, 16, 16))
alone = make(None).inpaint(problem, seed=3)
steps = []
method = SpreadInpainter(make, ("cpu", "cpu:1"))
for _ in range(2):
    spread = method.inpaint(problem, seed=3, progress=lambda _, n: steps.append(n))
assert len(made) == 3
assert sum(steps) == 2 * method.num_steps
# Networks and all on a device of their own.
places = {str(v.value.device) for prior in made[1:] for v in prior.generator.weights}
assert len(places) == 2, places
np.testing.assert_allclose(spread.completed, alone.completed, atol=1 / 255)
assert spread.status == alone.status
one = method.inpaint(problem.take([4]), seed=3)
np.testing.assert_allclose(one.completed, alone.completed[4:], atol=1 / 255)
"""


@pytest.mark.slow
@pytest.mark.parametrize("name", ["tensorflow", "jax"])
def test_two_devices_answer_as_one_does(name, tiny_prior_folder):
    done = subprocess.run(
        [sys.executable, "-c", DIVIDE[name] + COMPARE, str(tiny_prior_folder)],
        cwd=ROOT,
        env=os.environ | {"KERAS_BACKEND": name},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize("devices", [(), ("cpu", "cpu")])
def test_no_device_and_one_twice_are_refused(devices):
    with pytest.raises(ValueError, match="one or more devices, each once"):
        SpreadInpainter(lambda device: None, devices)
