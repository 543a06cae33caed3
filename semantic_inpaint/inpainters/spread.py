"""Any method on several devices: each takes a share of the images."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor

import numpy as np

from semantic_inpaint import backend
from semantic_inpaint.inpainters.registry import Inpainter
from semantic_inpaint.inpainters.stages import Watcher
from semantic_inpaint.problem import (
    InpaintingProblem,
    InpaintingResult,
    concatenate_results,
)


@dataclasses.dataclass(eq=False)
class SpreadInpainter:
    """One method on several devices at once, a thread and a copy of it on each.

    What is drawn for an image depends on its number alone, so that the answers are
    those of one device.

    Attributes:
        make: Makes the method, networks and all, for a device by its name, which is
            set while it is called; called once for each.
        devices: Names as `backend.device_scope` takes them, each once.

    Raises:
        ValueError: No device, or one named twice.
    """

    make: Callable[[str], Inpainter]
    devices: Sequence[str]
    _methods: dict[str, Inpainter] = dataclasses.field(default_factory=dict, init=False)

    def __post_init__(self) -> None:
        """Check the devices, and make the method on the first of them."""
        if not self.devices or len(set(self.devices)) < len(self.devices):
            raise ValueError(
                "`devices` must name one or more devices, each once; got "
                f"{list(self.devices)}."
            )
        self._method_on(self.devices[0])

    @property
    def num_steps(self) -> int:
        """What `progress` counts up to for each problem; all devices go in step."""
        return self._methods[self.devices[0]].num_steps

    def inpaint(
        self,
        problem: InpaintingProblem,
        *,
        seed: int = 0,
        progress: Callable[[str, int], None] | None = None,
        watch: Watcher | None = None,
    ) -> InpaintingResult:
        """Fill the holes; consecutive images go to the same device.

        Args:
            problem: As the method takes it.
            seed: Of the method.
            progress: Told of the first device, whose share is the largest.
            watch: Looks on where all goes to one device; at several it sees nothing.
        """
        count = min(len(self.devices), len(problem))
        shares = np.array_split(np.arange(len(problem)), count)

        def fill(number: int) -> InpaintingResult:
            device = self.devices[number]
            method = self._method_on(device)
            with backend.device_scope(device):
                return method.inpaint(
                    problem.take(shares[number]),
                    seed=seed,
                    progress=progress if number == 0 else None,
                    watch=watch if count == 1 else None,
                )

        with ThreadPoolExecutor(count) as threads:
            return concatenate_results(list(threads.map(fill, range(count))))

    def _method_on(self, device: str) -> Inpainter:
        if device not in self._methods:
            with backend.device_scope(device):
                self._methods[device] = self.make(device)
        return self._methods[device]
