"""What a record says of the software and the machine that made it."""

from __future__ import annotations

import importlib.metadata
import platform

from semantic_inpaint import __version__

PACKAGES = (
    "keras",
    "tensorflow",
    "jax",
    "numpy",
    "scipy",
    "scikit-image",
    "opencv-python-headless",
    "pypatchmatch",
)


def versions() -> dict[str, str]:
    """Return the versions of the package, of Python and of what computes."""
    found = {
        "semantic_inpaint": __version__,
        "python": platform.python_version(),
        "machine": platform.machine(),
    }
    for name in PACKAGES:
        try:
            found[name] = importlib.metadata.version(name)
        except importlib.metadata.PackageNotFoundError:
            continue
    return found
