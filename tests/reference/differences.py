"""Derivatives by central differences, in float64."""

import numpy as np


def central_differences(function, x, *, step=1e-5):
    """Return the gradient of the scalar `function` at `x`, entry by entry."""
    x = np.asarray(x, np.float64)
    gradient = np.empty_like(x)
    for place in np.ndindex(x.shape):
        shift = np.zeros_like(x)
        shift[place] = step
        gradient[place] = (function(x + shift) - function(x - shift)) / (2 * step)
    return gradient
