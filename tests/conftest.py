"""Settings that must stand before any test module imports a framework."""

import atexit
import os
import shutil
import tempfile

# A person's own Keras settings (float type, backend, layout) must not change a test.
KERAS_HOME = tempfile.mkdtemp(prefix="semantic-inpaint-keras-")
os.environ["KERAS_HOME"] = KERAS_HOME
atexit.register(shutil.rmtree, KERAS_HOME, ignore_errors=True)
os.environ.setdefault("KERAS_BACKEND", "tensorflow")

# Only errors: the start-up notes of TensorFlow would hide a failing test's own output.
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")

# Figures are saved, never shown.
os.environ.setdefault("MPLBACKEND", "Agg")
