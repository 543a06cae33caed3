"""The course of searches: what was shown of them, kept for curves and pictures."""

from __future__ import annotations

import dataclasses
import functools
from collections.abc import Callable

import keras
import numpy as np
from keras import ops

from semantic_inpaint import backend
from semantic_inpaint.latent.engine import Watch
from semantic_inpaint.latent.objective import Objective, SearchTarget

# Codes whose terms are evaluated together; the last few are filled up, so that one
# size is compiled.
BATCH = 64

# Points of a curve that a person can tell apart; each costs a third of a step.
CURVE_POINTS = 8


@dataclasses.dataclass(eq=False)
class _Part:
    """The images that were searched together in one stage; `first` counts them on."""

    objective: Objective
    target: SearchTarget
    first: int
    steps: list[list[int]]
    codes: list[list[np.ndarray]]

    def add(self, rows: np.ndarray, steps: np.ndarray, codes: np.ndarray) -> None:
        for row, step, code in zip(rows, steps, codes, strict=True):
            self.steps[row].append(int(step))
            self.codes[row].append(code)


class SearchCourse:
    """Looks on at the searches of some images, stage after stage.

    Called with a stage, its objective and its target, it returns what `search_latent`
    takes as `watch`. Where the images of a stage are searched part by part, the parts
    are numbered on in the order of these calls.
    """

    def __init__(self) -> None:
        """Begin with nothing seen."""
        self._parts: dict[str, list[_Part]] = {}

    def __call__(self, stage: str, objective: Objective, target: SearchTarget) -> Watch:
        """Begin to look on at a search of the images of `target`.

        Args:
            stage: Such as `"search"` or `"refine"`.
            objective: That is minimised.
            target: Of all images of this search.
        """
        parts = self._parts.setdefault(stage, [])
        first = sum(len(part.steps) for part in parts)
        count = len(target.images)
        empty = [[] for _ in range(count)], [[] for _ in range(count)]
        parts.append(_Part(objective, target, first, *empty))
        return parts[-1].add

    def keep(self, count: int) -> None:
        """Forget all images but the first `count`: they are searched anew."""
        for stage, parts in list(self._parts.items()):
            kept = [part for part in parts if part.first < count]
            for part in kept:
                left = count - part.first
                part.steps, part.codes = part.steps[:left], part.codes[:left]
            self._parts[stage] = kept
            if not kept:
                del self._parts[stage]

    @property
    def stages(self) -> tuple[str, ...]:
        """The stages seen, in their order."""
        return tuple(self._parts)

    def looks(self, stage: str, image: int) -> tuple[np.ndarray, np.ndarray]:
        """Return all that was shown of an image in one stage.

        Returns:
            The steps done, int `[K]`, rising from 0, and the codes at them, float32
            `[K, latent_dim]`.

        Raises:
            IndexError: There is no such image.
        """
        for part in self._parts[stage]:
            row = image - part.first
            if 0 <= row < len(part.steps):
                return np.array(part.steps[row]), np.stack(part.codes[row])
        raise IndexError(f"the stage {stage!r} has no image {image}.")

    def curves(self, stage: str, *, points: int = CURVE_POINTS) -> list[dict]:
        """Evaluate the terms of the loss of each image over the steps.

        Args:
            stage: One of `stages`.
            points: Steps of each curve at the most, evenly chosen from those shown,
                the first and the last among them; 2 or more.

        Returns:
            For each image `{"steps": [...], "terms": {name: [...]}}`, a value of each
            term at each of the steps.
        """
        return [
            curve for part in self._parts[stage] for curve in _part_curves(part, points)
        ]


def _part_curves(part: _Part, points: int) -> list[dict]:
    kept = [
        np.unique(np.linspace(0, len(steps) - 1, points).round().astype(int))
        for steps in part.steps
    ]
    rows = np.repeat(np.arange(len(kept)), [len(looks) for looks in kept])
    codes = [part.codes[row][k] for row, looks in enumerate(kept) for k in looks]
    terms = _terms(part, rows, np.stack(codes))
    return [
        {
            "steps": [part.steps[row][k] for k in looks],
            "terms": {name: v[rows == row].tolist() for name, v in terms.items()},
        }
        for row, looks in enumerate(kept)
    ]


@functools.lru_cache(maxsize=16)
def _compiled(objective: Objective) -> Callable:
    return backend.compile_function(objective.terms)


def _terms(part: _Part, rows: np.ndarray, codes: np.ndarray) -> dict[str, np.ndarray]:
    """Evaluate the terms of codes `[N, latent_dim]` of the images `rows`, int `[N]`."""
    evaluate = _compiled(part.objective)
    size = min(BATCH, len(rows))
    found: dict[str, list[np.ndarray]] = {}
    for start in range(0, len(rows), size):
        # The last block reaches back, so that it is as large as the others.
        begin = min(start, len(rows) - size)
        block = slice(begin, begin + size)
        target = keras.tree.map_structure(
            lambda x, chosen=rows[block]: (
                None if x is None else ops.convert_to_tensor(np.asarray(x)[chosen])
            ),
            part.target,
        )
        for name, values in evaluate(codes[block], target).items():
            new = ops.convert_to_numpy(values)[start - begin :]
            found.setdefault(name, []).append(new)
    return {name: np.concatenate(parts) for name, parts in found.items()}
