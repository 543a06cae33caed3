"""Synthetic images on disk; no face of a real person."""

import io
import zipfile

import numpy as np
import pytest
from PIL import Image


def png(height, width, *, seed):
    rng = np.random.default_rng(seed)
    pixels = rng.integers(0, 256, (height, width, 3), dtype=np.uint8)
    stream = io.BytesIO()
    Image.fromarray(pixels).save(stream, "PNG")
    return stream.getvalue()


@pytest.fixture
def write_zip():
    """Write noise images of one size into a zip, each drawn with its own seed."""

    def write(path, names, *, height=8, width=8, seed=0):
        with zipfile.ZipFile(path, "w") as archive:
            for number, name in enumerate(names):
                archive.writestr(name, png(height, width, seed=seed + number))
        return path

    return write


@pytest.fixture
def write_folder():
    """Write noise images of one size into a folder, each drawn with its own seed."""

    def write(path, names, *, height=8, width=8, seed=0):
        for number, name in enumerate(names):
            (path / name).parent.mkdir(parents=True, exist_ok=True)
            (path / name).write_bytes(png(height, width, seed=seed + number))
        return path

    return write
