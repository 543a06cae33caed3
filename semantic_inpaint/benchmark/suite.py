"""Methods x holes x images x seeds: planned, filled batch by batch, recorded.

Killed at any moment and started again, it loses at most the batch in flight.
"""

from __future__ import annotations

import dataclasses
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from semantic_inpaint import backend
from semantic_inpaint.benchmark.cells import (
    HoleBatch,
    HoleSource,
    ImageSet,
    array_digest,
)
from semantic_inpaint.benchmark.gallery import Gallery
from semantic_inpaint.benchmark.leak import LeakError, check_leak
from semantic_inpaint.benchmark.lineup import COMPLETED, Lineup, stages_of
from semantic_inpaint.benchmark.measure import Answered, Measures, make_records
from semantic_inpaint.benchmark.plan import Cell, Plan
from semantic_inpaint.benchmark.records import append_records, read_records
from semantic_inpaint.benchmark.suite_file import describe_suite, join_suite
from semantic_inpaint.benchmark.versions import versions
from semantic_inpaint.datasets.landmarks import NumberedLandmarks
from semantic_inpaint.datasets.lock import locked_folder
from semantic_inpaint.inpainters import Inpainter
from semantic_inpaint.latent.presets import FAST, InversionOptions
from semantic_inpaint.models.inpainting_networks import InpaintingNetwork
from semantic_inpaint.models.prior import GenerativePrior
from semantic_inpaint.problem import InpaintingProblem, InpaintingResult

# Called with what is done, of how much, and what is worked on; in image steps.
Progress = Callable[[int, int, str], None]

LEAK_IMAGES = 2


@dataclasses.dataclass(frozen=True)
class SuiteOptions:
    """What a benchmark computes.

    Attributes:
        methods: Names of the registry.
        seeds: Of random holes and of what a method draws.
        preset: Options of the methods that search or blend, and the size of a batch.
        num_pictures: Images, the first by number, whose pictures of the first seed
            are kept.
        check_leaks: Whether each method is tried, before its first batch, for a leak
            of what stands in the hole; see `benchmark.leak`.
        device: That the caller chose, for the records; None: the backend's own choice.

    Raises:
        ValueError: No seed, one named twice or negative, or a negative number.
    """

    methods: tuple[str, ...]
    seeds: tuple[int, ...] = (0,)
    preset: InversionOptions = FAST
    num_pictures: int = 0
    check_leaks: bool = True
    device: str | None = None

    def __post_init__(self) -> None:
        """Check the seeds; the methods are checked where they are made."""
        once = len(set(self.seeds)) == len(self.seeds)
        if not self.seeds or not once or min(self.seeds) < 0:
            raise ValueError(
                f"`seeds` must be numbers of 0 or more, each once; got {self.seeds}."
            )
        if self.num_pictures < 0:
            raise ValueError(
                f"`num_pictures` must be 0 or more; got {self.num_pictures}."
            )


def run_suite(
    folder: Path,
    options: SuiteOptions,
    images: ImageSet,
    sources: Sequence[HoleSource],
    *,
    prior: GenerativePrior | None = None,
    networks: Mapping[str, InpaintingNetwork] | None = None,
    landmarks: NumberedLandmarks | None = None,
    measures: Measures | None = None,
    progress: Progress | None = None,
    tell: Callable[[str], None] | None = None,
) -> int:
    """Compute what the folder has no records of yet.

    Batches are laid out by the images' places alone: what one run computes does not
    depend on where another was stopped.

    Args:
        folder: Of the benchmark; new, or one that was begun with the same images.
        options: Methods and seeds.
        images: To fill.
        sources: Kinds of holes.
        prior: Of the methods that need one.
        networks: Of the feed-forward methods, by their names; default: those that
            ship.
        landmarks: Of the images, for networks that take them; default: where they lie
            on average.
        measures: What to measure beside the usual; default: nothing.
        progress: Told of the whole, also within a batch.
        tell: Called with a sentence where memory ran out.

    Returns:
        The number of records that were added.

    Raises:
        ValueError: Bad options, or the folder holds another benchmark; nothing has
            been computed. Or a method leaks.
        ImportError: The library of a method is not installed.
    """
    lineup = Lineup(
        options.methods,
        options.preset,
        prior,
        tell or (lambda sentence: None),
        networks or {},
        landmarks,
    )
    measures = measures or Measures()
    suite = describe_suite(images, sources, lineup, sorted(measures.distances))
    plan = Plan(images, sources, lineup, options.seeds)
    with locked_folder(folder):
        present = {record["key"] for record in read_records(folder)}
        cells = list(plan.missing(present))
        join_suite(folder, suite, _asked(options, images, sources))
        course = _Course(progress, sum(cell.num_units for cell in cells))
        run = _Run(folder, options, plan, measures, present, course)
        run.work(cells)
    return run.num_added


@dataclasses.dataclass(eq=False)
class _Course:
    """Tells how much of the whole is done."""

    progress: Progress | None
    total: int
    done: int = 0

    def tell(self, within: int, title: str) -> None:
        """Tell what is done, with `within` units of the batch in flight."""
        if self.progress is not None:
            self.progress(self.done + within, self.total, title)


@dataclasses.dataclass(eq=False)
class _Run:
    """One process at work in a folder."""

    folder: Path
    options: SuiteOptions
    plan: Plan
    measures: Measures
    present: set[str]
    course: _Course
    num_added: int = 0

    def __post_init__(self) -> None:
        images = self.plan.images
        self.gallery = Gallery(self.folder, images, self.options.num_pictures)
        self.facts = {
            "versions": versions(),
            "backend": backend.name(),
            "device": self.options.device or backend.device_names()[0],
        }
        self.checked: set[str] = set()
        self.compiled: set[tuple[str, int]] = set()

    def work(self, cells: Sequence[Cell]) -> None:
        """Fill, measure and record, batch by batch."""
        for cell in cells:
            holes = cell.source.holes(self.plan.images, seed=cell.seed)
            inpainter = self.plan.lineup.make(cell.method, holes.consensus_weight)
            for rows in cell.batches:
                self._check_leaks(cell, inpainter, holes, rows)
                self._record(self._fill(cell, inpainter, holes, rows))
                self.course.done += cell.num_steps * len(rows)
        self.course.tell(0, "done")

    def _fill(
        self, cell: Cell, inpainter: Inpainter, holes: HoleBatch, rows: np.ndarray
    ) -> Answered:
        plan, problem = self.plan, self._problem(holes, rows)
        result, seconds = self._timed(cell, inpainter, problem)
        return Answered(
            images=plan.images,
            rows=rows,
            problem=problem,
            result=result,
            identity=plan.lineup.identify(cell.method, holes.consensus_weight),
            prior=plan.lineup.prior_of(cell.method),
            stages={
                stage: result.completed if name == COMPLETED else result.stages[name]
                for stage, name in stages_of(cell.method).items()
            },
            mask=cell.source.name,
            mask_ids=[holes.ids[row] for row in rows],
            known_digests=[array_digest(holes.known[row]) for row in rows],
            image_digests=[plan.image_digests[row] for row in rows],
            seed=cell.seed,
            seconds=seconds,
        )

    def _record(self, answered: Answered) -> None:
        """Measure a batch, and have its records on the disk."""
        if answered.seed == self.options.seeds[0]:
            self.gallery.save(answered)
        method = answered.identity.name
        shape = (method, len(answered.rows))
        facts = {
            **self.facts,
            "warm": shape in self.compiled,
            "leak_checked": method in self.checked,
        }
        records = [
            record
            for record in make_records(answered, self.measures, facts)
            if record["key"] not in self.present
        ]
        append_records(self.folder, records)
        self.compiled.add(shape)
        self.present |= {record["key"] for record in records}
        self.num_added += len(records)

    def _timed(
        self, cell: Cell, inpainter: Inpainter, problem: InpaintingProblem
    ) -> tuple[InpaintingResult, float]:
        """Fill a batch; what is measured of it afterwards costs no time here."""
        steps = 0

        def advance(_: str, done: int) -> None:
            nonlocal steps
            steps = min(steps + done, cell.num_steps)
            self.course.tell(steps * len(problem), cell.title)

        self.course.tell(0, cell.title)
        start = time.perf_counter()
        result = inpainter.inpaint(problem, seed=cell.seed, progress=advance)
        return result, time.perf_counter() - start

    def _check_leaks(
        self, cell: Cell, inpainter: Inpainter, holes: HoleBatch, rows: np.ndarray
    ) -> None:
        """Try a method once in a process, on some of the images that it is to fill."""
        if not self.options.check_leaks or cell.method in self.checked:
            return
        self.course.tell(0, f"{cell.method}, leak check")
        # The very memory of the images, not a copy, so that a peek at it is seen too.
        some = slice(rows[0], rows[0] + LEAK_IMAGES)
        originals = self.plan.images.pixels[some]
        problem = self._problem(
            holes, np.arange(some.start, some.start + len(originals))
        )
        try:
            check_leak(inpainter, problem, originals, seed=cell.seed)
        except LeakError as error:
            raise LeakError(f"the method {cell.method!r}: {error}") from None
        self.checked.add(cell.method)

    def _problem(self, holes: HoleBatch, rows: np.ndarray) -> InpaintingProblem:
        images = self.plan.images
        return InpaintingProblem(
            images.pixels[rows], holes.known[rows], images.numbers[rows]
        )


def _asked(
    options: SuiteOptions, images: ImageSet, sources: Sequence[HoleSource]
) -> dict[str, Any]:
    """Return how much is asked for, as `suite.json` notes it."""
    return {
        "methods": list(options.methods),
        "masks": [source.name for source in sources],
        "num_images": len(images),
        "seeds": list(options.seeds),
    }
