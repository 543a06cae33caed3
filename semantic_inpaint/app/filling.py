"""Fill holes batch by batch, and hand each batch on to the records and to disk."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from pathlib import Path

from rich.console import Console

from semantic_inpaint.app.animation import save_animation
from semantic_inpaint.app.diagnostics import diagnose, diagnose_pass
from semantic_inpaint.app.inputs import Holes
from semantic_inpaint.app.methods import Methods
from semantic_inpaint.app.options import RunOptions
from semantic_inpaint.app.parts import Part
from semantic_inpaint.app.progress import search_progress
from semantic_inpaint.app.results import FIGURE_ROWS, MaskRecord, mask_file
from semantic_inpaint.app.several import SeveralRecord
from semantic_inpaint.inpainters import FeedForwardInpainter, Inpainter
from semantic_inpaint.inpainters.feedforward import fill_several
from semantic_inpaint.inpainters.several import inpaint_several
from semantic_inpaint.latent.course import SearchCourse
from semantic_inpaint.problem import InpaintingProblem, InpaintingResult


@dataclasses.dataclass(frozen=True, eq=False)
class Filling:
    """What is filled, how, and where to.

    Attributes:
        folder: Of the results.
        methods: To make the method for each mask.
        parts: To fill; each in batches of its own.
        options: The words of the command.
        console: For progress.
    """

    folder: Path
    methods: Methods
    parts: list[Part]
    options: RunOptions
    console: Console

    def run(self) -> list[MaskRecord]:
        """Fill all; only what the tables need stays in memory."""
        kinds = self.parts[0].kinds
        inpainters = [self.methods.make(holes.consensus_weight) for holes in kinds]
        size = self.methods.batch_size
        batches = [
            (part, slice(start, start + size))
            for part in self.parts
            for start in range(0, len(part.images.names), size)
        ]
        total = len(batches) * sum(inpainter.num_steps for inpainter in inpainters)
        records = [MaskRecord(holes.name) for holes in kinds]
        with search_progress(self.console, total) as progress:
            for kind, (record, inpainter) in enumerate(
                zip(records, inpainters, strict=True)
            ):
                for part, rows in batches:
                    self._fill(record, part, kind, inpainter, rows, progress)
        return records

    def _fill(
        self,
        record: MaskRecord,
        part: Part,
        kind: int,
        inpainter: Inpainter,
        rows: slice,
        progress: Callable[[str, int], None],
    ) -> None:
        holes = part.kinds[kind]
        batch, known = part.images.take(rows), holes.known[rows]
        problem = InpaintingProblem(batch.pixels, known, batch.indices)
        seed, course = self.options.seed, SearchCourse()
        result = inpainter.inpaint(problem, seed=seed, progress=progress, watch=course)
        if self.methods.prior is None:
            diagnoses = diagnose_pass(problem, result)
        else:
            diagnoses = diagnose(
                problem,
                result,
                course,
                prior=self.methods.prior,
                second_look=self.options.diagnose,
                seed=seed,
            )
        several = None
        if self.options.num_samples > 1:
            several = self._several(holes, problem, result)
        record.add(self.folder, result, batch, known, diagnoses, several)
        if self.options.animate and rows.start == 0:
            name = mask_file("search.gif", holes.name, len(part.kinds))
            save_animation(
                self.folder / name,
                course,
                problem.take(slice(FIGURE_ROWS)),
                prior=self.methods.prior,
                operator=self.methods.search.operator,
            )

    def _several(
        self, holes: Holes, problem: InpaintingProblem, result: InpaintingResult
    ) -> SeveralRecord:
        inpainter = self.methods.make_plain(holes.consensus_weight)
        count, seed = self.options.num_samples, self.options.seed
        if isinstance(inpainter, FeedForwardInpainter):
            found = fill_several(inpainter, problem, num_samples=count, seed=seed)
        else:
            found = inpaint_several(
                inpainter,
                problem,
                num_samples=count,
                way=self.options.way,
                seed=seed,
                answer=result,
            )
        return SeveralRecord(found)
