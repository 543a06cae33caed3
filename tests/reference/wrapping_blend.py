"""The published fault: a Poisson system that runs on across the ends of the rows."""

import numpy as np


def wrapping_blend(source, target, known):
    """Blend one channel `[H, W]` with the neighbours i - 1, i + 1, i - W and i + W.

    In the matrix, the flat index takes the end of one row for the neighbour of the
    start of the next; the right-hand side has the true stencil, 0 outside.
    """
    width, size = known.shape[1], known.size
    edge = np.pad(source, 1)
    neighbours = edge[:-2, 1:-1] + edge[2:, 1:-1] + edge[1:-1, :-2] + edge[1:-1, 2:]
    right = np.where(known, target, 4 * source - neighbours).ravel()
    matrix = np.eye(size)
    for i in np.flatnonzero(~known):
        matrix[i, i] = 4
        for j in (i - 1, i + 1, i - width, i + width):
            if 0 <= j < size:
                matrix[i, j] = -1
    return np.linalg.solve(matrix, right).reshape(known.shape)
