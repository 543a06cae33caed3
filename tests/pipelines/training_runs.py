"""Training commands: started, killed and looked at."""

import dataclasses
import importlib.util
import os
import signal
import subprocess
import sys
import time

import numpy as np
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

from semantic_inpaint.datasets import folder_source, pack_images
from semantic_inpaint.images import save_image
from semantic_inpaint.models.tensors import load_tensors
from semantic_inpaint.training.state import PREVIOUS_FILE, STATE_FILE

NUM_STEPS = 60


def load_main(script):
    """Read a script, and return its `main`."""
    spec = importlib.util.spec_from_file_location(script.stem, script)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module.main


def pack_noise(folder):
    """Pack 20 noise images at 16x16, five of them for validation; return the set."""
    rng = np.random.default_rng(0)
    for number in range(20):
        pixels = rng.random((16, 16, 3), dtype=np.float32)
        save_image(folder / "images" / f"{number:02d}.png", pixels)
    source = dataclasses.replace(
        folder_source(folder / "images"), partitions=(0,) * 10 + (1,) * 5 + (2,) * 5
    )
    pack_images([source], folder / "set", size=16)
    return folder / "set"


def as_words(options):
    return [str(w) for name, value in options.items() for w in (f"--{name}", value)]


def events(out):
    accumulator = EventAccumulator(str(out / "tensorboard"), {"images": 0})
    accumulator.Reload()
    return accumulator


def kill_in_the_middle(script, words, out):
    """Start a script above `out`, which `words` name, and kill it after some states."""
    # From another folder: the script finds the library beside itself.
    environment = {k: v for k, v in os.environ.items() if k != "PYTHONPATH"}
    process = subprocess.Popen(
        [sys.executable, str(script), *words],
        cwd=out.parent,
        env=environment,
        stdout=subprocess.DEVNULL,
    )
    samples = out / "samples"
    while process.poll() is None:
        if samples.is_dir() and len(list(samples.iterdir())) > 3:
            os.kill(process.pid, signal.SIGKILL)
            break
        time.sleep(0.001)
    assert process.wait() == -signal.SIGKILL
    # The kill may have come between the two renames.
    kept = [out / name for name in (STATE_FILE, PREVIOUS_FILE)]
    _, metadata = load_tensors(next(path for path in kept if path.exists()))
    assert 0 < int(metadata["step"]) < NUM_STEPS


def assert_same_end(out, other):
    """Hold the last states of two runs to be equal to the last bit."""
    state, metadata = load_tensors(out / STATE_FILE)
    expected, _ = load_tensors(other / STATE_FILE)
    assert int(metadata["step"]) == NUM_STEPS
    assert state.keys() == expected.keys()
    for name, array in expected.items():
        np.testing.assert_array_equal(state[name], array, err_msg=name)
