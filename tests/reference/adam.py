"""Adam as Kingma & Ba (2015) write it down, algorithm 1, in float64."""

import numpy as np


def reference_adam(
    parameter, gradients, *, learning_rate, beta_1, beta_2, epsilon=1e-8
):
    """Return `parameter` after one step for each of `gradients`."""
    x = np.asarray(parameter, np.float64)
    m, v = np.zeros_like(x), np.zeros_like(x)
    for t, g in enumerate(np.asarray(gradients, np.float64), start=1):
        m = beta_1 * m + (1 - beta_1) * g
        v = beta_2 * v + (1 - beta_2) * g**2
        m_hat, v_hat = m / (1 - beta_1**t), v / (1 - beta_2**t)
        x = x - learning_rate * m_hat / (np.sqrt(v_hat) + epsilon)
    return x
