"""Batches that are drawn while the device works on the ones before."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Generic, TypeVar

Batch = TypeVar("Batch")


@dataclasses.dataclass(eq=False)
class Ahead(Generic[Batch]):
    """Draws the batch of the next step while the device works on this one.

    Brush strokes may take as long to draw as a GPU to learn from; a batch is a function
    of its step, so that nothing depends on who draws it.
    """

    draw: Callable[[int], Batch]
    thread: ThreadPoolExecutor
    _next: tuple[int, Future[Batch]] | None = None

    def take(self, step: int) -> Batch:
        """Return the batch of a step, and begin with that of the next."""
        if self._next is not None and self._next[0] == step:
            batch = self._next[1].result()
        else:
            batch = self.draw(step)
        self._next = step + 1, self.thread.submit(self.draw, step + 1)
        return batch
