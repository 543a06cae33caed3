"""Any method with a batch, in as much memory as there is."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable

from semantic_inpaint import backend
from semantic_inpaint.inpainters.registry import Inpainter
from semantic_inpaint.inpainters.stages import Watcher
from semantic_inpaint.problem import (
    InpaintingProblem,
    InpaintingResult,
    concatenate_results,
)


@dataclasses.dataclass(eq=False)
class HalvingInpainter:
    """A method that goes on with half the batch where memory runs out.

    A smaller batch stays for the problems to come.

    Attributes:
        make: Makes the method for a number of images at once.
        batch_size: To begin with; what it has become.
        tell: Called with one sentence at each halving.
    """

    make: Callable[[int], Inpainter]
    batch_size: int
    tell: Callable[[str], None]
    _method: Inpainter | None = dataclasses.field(default=None, init=False)

    @property
    def num_steps(self) -> int:
        """What `progress` counts up to for each problem of one batch or less."""
        return self._made().num_steps

    def inpaint(
        self,
        problem: InpaintingProblem,
        *,
        seed: int = 0,
        progress: Callable[[str, int], None] | None = None,
        watch: Watcher | None = None,
    ) -> InpaintingResult:
        """Fill the holes, with the batch as large as memory allows.

        Args:
            problem: As the method takes it; no result depends on the batch.
            seed: Of the method.
            progress: As of the method for one batch, however many it takes.
            watch: Looks on; what it saw of a batch that failed it forgets.

        Raises:
            RuntimeError: One image alone is too much.
        """
        tell = progress and _ProgressOnce(progress, self.num_steps, len(problem))
        results: list[InpaintingResult] = []
        while (filled := sum(map(len, results))) < len(problem):
            batch = problem.take(slice(filled, filled + self.batch_size))
            if tell is not None:
                tell.begin(filled, len(batch))
            try:
                results.append(
                    self._made().inpaint(batch, seed=seed, progress=tell, watch=watch)
                )
            except Exception as error:
                if not backend.is_out_of_memory(error):
                    raise
                self._halve(error)
                if watch is not None:
                    watch.keep(filled)
        return concatenate_results(results)

    def _made(self) -> Inpainter:
        if self._method is None:
            self._method = self.make(self.batch_size)
        return self._method

    def _halve(self, error: Exception) -> None:
        if self.batch_size == 1:
            raise RuntimeError(
                "there is no memory for even one image; close what else uses the "
                "device, take another (--device cpu), or a smaller prior."
            ) from error
        size = self.batch_size // 2
        self.tell(
            f"out of memory with {self.batch_size} images at once; going on with {size}"
        )
        self.batch_size, self._method = size, None


@dataclasses.dataclass(eq=False)
class _ProgressOnce:
    """Tells the steps of many batches as if they were one, and none twice.

    Attributes:
        progress: To tell.
        num_steps: Of a batch, and of all together.
        num_images: Of all batches.
    """

    progress: Callable[[str, int], None]
    num_steps: int
    num_images: int
    _told: int = 0
    _begun: float = 0.0
    _share: float = 0.0
    _count: int = 0

    def begin(self, filled: int, size: int) -> None:
        """Begin, or begin anew, a batch of `size` images after `filled` others."""
        self._begun = self.num_steps * filled / self.num_images
        self._share = size / self.num_images
        self._count = 0

    def __call__(self, stage: str, steps: int) -> None:
        self._count += steps
        now = round(self._begun + self._share * self._count)
        if now > self._told:
            self.progress(stage, now - self._told)
            self._told = now
