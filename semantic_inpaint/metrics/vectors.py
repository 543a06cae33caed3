"""Two sets of feature vectors: checked, and compared a bounded block at a time."""

from collections.abc import Iterator

import numpy as np

# Entries of one block of float64: 32 MB.
BLOCK_ENTRIES = 1 << 22


def validate_vectors(
    first: np.ndarray, second: np.ndarray, *, least: tuple[int, int]
) -> tuple[np.ndarray, np.ndarray]:
    """Check two sets of vectors, and return them in double precision.

    Args:
        first: float `[N, D]`.
        second: float `[M, D]`.
        least: The smallest N and M.

    Raises:
        ValueError: Other shapes, too few vectors, or values that are not finite.
    """
    first, second = np.asarray(first, np.float64), np.asarray(second, np.float64)
    if first.ndim != 2 or first.shape[1:] != second.shape[1:] or not first.shape[1]:
        raise ValueError(
            "features must be [N, D] and [M, D] with one D; got "
            f"{first.shape} and {second.shape}."
        )
    if len(first) < least[0] or len(second) < least[1]:
        raise ValueError(
            f"the two sets need {least[0]} and {least[1]} vectors or more; got "
            f"{len(first)} and {len(second)}."
        )
    if not (np.isfinite(first).all() and np.isfinite(second).all()):
        raise ValueError("features have values that are not finite. Leave those out.")
    return first, second


def validate_neighbours(neighbours: int) -> None:
    """Check k.

    Raises:
        ValueError: It is not positive.
    """
    if neighbours < 1:
        raise ValueError(f"`neighbours` must be 1 or more; got {neighbours}.")


def squared_radii(vectors: np.ndarray, *, neighbours: int) -> np.ndarray:
    """Measure the ball round each vector that reaches its k-th nearest other one.

    Args:
        vectors: float64 `[N, D]`, more than `neighbours`.
        neighbours: k.

    Returns:
        float64 `[N]`, squared distances.
    """
    radii = np.empty(len(vectors))
    for start, rows in blocks(vectors, columns=len(vectors)):
        # Sorted, place 0 is the vector itself.
        squared = squared_distances(rows, vectors)
        nearest = np.partition(squared, neighbours, axis=1)
        radii[start : start + len(rows)] = nearest[:, neighbours]
    return radii


def squared_distances(rows: np.ndarray, others: np.ndarray) -> np.ndarray:
    """Give float64 `[R, O]` by the expanded square, never below 0."""
    squares = np.square(rows).sum(axis=1)[:, None] + np.square(others).sum(axis=1)
    return np.maximum(squares - 2.0 * (rows @ others.T), 0.0)


def blocks(rows: np.ndarray, *, columns: int = 0) -> Iterator[tuple[int, np.ndarray]]:
    """Cut rows into flat float64 blocks, each with the number of its first row.

    Args:
        rows: `[N, ...]`; a memory map will do.
        columns: Of the table that a block of rows is to be compared in.
    """
    width = max(1, columns, int(np.prod(rows.shape[1:])))
    size = max(1, BLOCK_ENTRIES // width)
    for start in range(0, len(rows), size):
        block = np.asarray(rows[start : start + size], np.float64)
        yield start, block.reshape(len(block), -1)
