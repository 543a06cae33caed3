"""A batch on several devices: the step of one device, and what is refused."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from semantic_inpaint import backend
from semantic_inpaint.training.inpainting_devices import spread_over

ROOT = Path(__file__).resolve().parents[2]

# One step on the first of two devices, and the same on both.
PROGRAM = """
import dataclasses
import jax, numpy as np
from semantic_inpaint.training.inpainting import draw_inpainting_batch
from semantic_inpaint.training.inpainting_devices import spread_over
from semantic_inpaint.training.inpainting_table import TINY, make_trainer
from semantic_inpaint.training.loop import TrainingData

images = np.random.default_rng(0).integers(0, 256, (8, 16, 16, 3), np.uint8)
data = TrainingData(images, np.arange(8), "", (0,))
trainer = make_trainer(TINY)
ends = []
for spread in (lambda batch: batch, spread_over(("cpu:0", "cpu:1"), 4)):
    state = trainer.initial_state()
    for step in range(2):
        batch = spread(draw_inpainting_batch(TINY, data, step))
        state, scalars = trainer.step(state, batch, step, learning_rate=1e-3)
    ends.append(state)
assert len(batch.images.sharding.device_set) == 2
alone, together = ends
assert len(together["generator"][0].sharding.device_set) == 2
for group in ("generator", "generator_stats", "average"):
    for one, other in zip(alone[group], together[group], strict=True):
        # Adam divides by the size of a gradient: where that is rounding alone, a step
        # may go either way, by the learning rate.
        np.testing.assert_allclose(one, other, atol=4e-3, rtol=1e-3)
        assert np.abs(np.asarray(one) - np.asarray(other)).mean() < 1e-4
for devices in (("cpu:0", "cpu:7"), ("cpu:0", "cpu:0"), ("cpu",), ("cpu:0",) * 3):
    try:
        spread_over(devices, 4)
    except ValueError as error:
        print(error)
"""


@pytest.mark.slow
def test_two_devices_take_the_step_of_one():
    environment = {
        **os.environ,
        "KERAS_BACKEND": "jax",
        "XLA_FLAGS": "--xla_force_host_platform_device_count=2",
        "JAX_PLATFORMS": "cpu",
        "PYTHONPATH": str(ROOT),
    }
    shown = subprocess.run(
        [sys.executable, "-c", PROGRAM],
        cwd=ROOT,
        env=environment,
        capture_output=True,
        text=True,
    )
    assert shown.returncode == 0, shown.stderr
    lines = shown.stdout.splitlines()
    assert lines[0] == "no such devices cpu:0, cpu:7; there are cpu:0, cpu:1."
    assert lines[1].startswith("no such devices cpu:0, cpu:0")
    assert lines[2].startswith("a batch of 4 cannot be shared evenly between 1 devices")
    assert lines[3].startswith("a batch of 4 cannot be shared evenly between 3 devices")


@pytest.mark.both_backends
def test_another_backend_or_a_single_device_is_refused():
    message = (
        "cannot be shared" if backend.name() == "jax" else r"pip install jax.*=jax,"
    )
    with pytest.raises(ValueError, match=message):
        spread_over(("cpu",), 4)
