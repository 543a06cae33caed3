"""The leak guard: does a method's answer depend on what stood in the hole?

A method is asked the same question several times, each time with something else in the
hole: the true pixels, noise, NaN. If its answer changes by a bit, it has read there.
"""

from __future__ import annotations

import contextlib
import dataclasses
from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np

from semantic_inpaint.inpainters.registry import Inpainter
from semantic_inpaint.problem import InpaintingProblem, InpaintingResult

# What is put into the hole, and whether past the problem, which overwrites holes. NaN
# goes through it alone: past it, even a product with 0 would spread it.
POISONS = (
    ("the true pixels", False),
    ("noise", False),
    ("NaN", False),
    ("the true pixels", True),
    ("noise", True),
)
# The stage that shows what a method was given.
GIVEN = "masked"
# A copy of the original counts as one up to a level of 8 bits; to look for one makes
# sense where the negative differs from the original by more than a few.
LEVEL = 1.0 / 255.0
TELLING = 8.0 * LEVEL
COPIED_SHARE = 0.5


class LeakError(ValueError):
    """A method's answer depends on what stood in the hole."""


@dataclasses.dataclass(frozen=True)
class LeakReport:
    """What the guard saw of one method.

    Attributes:
        findings: One sentence for each leak.
    """

    findings: tuple[str, ...]

    @property
    def passed(self) -> bool:
        """Whether no leak was seen."""
        return not self.findings


def find_leaks(
    inpainter: Inpainter,
    problem: InpaintingProblem,
    images: np.ndarray,
    *,
    seed: int = 0,
) -> LeakReport:
    """Run a method with different things in the hole, and compare bit by bit.

    Every result, stage, status and statistic counts. Four ways to cheat are seen:

    - to catch the images before `InpaintingProblem` overwrites their holes;
    - to read what stands in the holes of the problem: it is filled again behind its
      back;
    - to look at the originals beside the problem: `images` is poisoned in place, so
      whoever shares its memory reads poison;
    - to carry a copy of the originals and give it back: the method is also shown the
      negatives, and must not answer with the positives.

    Not seen is a copy that is used for something less plain, such as to choose among
    answers. A method whose seed does not settle all that it draws cannot pass.

    Args:
        inpainter: The method.
        problem: Made of `images`.
        images: float `[B, H, W, 3]` in [0, 1], the originals, ideally the very array
            that everything else in the program uses; writeable. Its holes are
            overwritten for a while and are restored at the end.
        seed: Handed to the method each time.

    Returns:
        What was found.

    Raises:
        TypeError: `images` is not a floating-point array.
        ValueError: `images` is not writeable, out of range or not that of `problem`.
    """
    _validate(problem, images)
    expected = inpainter.inpaint(problem, seed=seed)
    findings = []
    truth = images[problem.hole]
    noise = np.random.default_rng(seed).random(truth.shape)
    fills = {"the true pixels": truth, "noise": noise, "NaN": np.nan}
    for name, past in POISONS:
        with _poisoned(images, problem.hole, fills[name]):
            posed = _pose(images, problem, past=past)
            changed = _changes(inpainter, posed, expected, seed)
        if changed:
            where = "past the problem, " if past else ""
            findings.append(f"{where}with {name} in the hole: {changed}")
    findings += _copies(inpainter, problem, images, seed)
    return LeakReport(tuple(findings))


def check_leak(
    inpainter: Inpainter,
    problem: InpaintingProblem,
    images: np.ndarray,
    *,
    seed: int = 0,
) -> LeakReport:
    """Stop where `find_leaks` finds one; arguments and errors are those of it.

    Raises:
        LeakError: There is a leak.
    """
    report = find_leaks(inpainter, problem, images, seed=seed)
    if not report.passed:
        raise LeakError(
            "the answer depends on what stood in the hole, or on something that the "
            f"seed does not settle: {'; '.join(report.findings)}."
        )
    return report


def leak_record(
    inpainters: Mapping[str, Inpainter],
    problem: InpaintingProblem,
    images: np.ndarray,
    *,
    versions: Mapping[str, str],
    seed: int = 0,
) -> dict[str, Any]:
    """Check several methods, and tell in a form fit for JSON what was checked.

    Args:
        inpainters: By the names under which their answers are reported.
        problem: See `find_leaks`.
        images: See `find_leaks`.
        versions: Of the packages in use, kept with the outcome.
        seed: See `find_leaks`.

    Returns:
        `"passed"` (all of them), `"methods"` (for each `"passed"` and `"findings"`),
        `"poisons"`, `"num_images"`, `"image_size"` (H, W), `"seed"`, `"versions"`.

    Raises:
        TypeError: See `find_leaks`.
        ValueError: See `find_leaks`.
    """
    reports = {
        name: find_leaks(inpainter, problem, images, seed=seed)
        for name, inpainter in inpainters.items()
    }
    return {
        "passed": all(report.passed for report in reports.values()),
        "methods": {
            name: {"passed": report.passed, "findings": list(report.findings)}
            for name, report in reports.items()
        },
        "poisons": [
            f"{name}, past the problem" if past else name for name, past in POISONS
        ],
        "num_images": len(problem),
        "image_size": list(images.shape[1:3]),
        "seed": seed,
        "versions": dict(versions),
    }


def _validate(problem: InpaintingProblem, images: np.ndarray) -> None:
    if not isinstance(images, np.ndarray) or not np.issubdtype(
        images.dtype, np.floating
    ):
        raise TypeError(
            "`images` must be a floating-point array; got "
            f"{getattr(images, 'dtype', type(images).__name__)}. Divide 8-bit images "
            "by 255."
        )
    if not images.flags.writeable:
        raise ValueError(
            "`images` must be writeable, as its holes are poisoned in place; got a "
            "read-only array. Pass a copy."
        )
    known = problem.known
    if images.shape != problem.images.shape or not np.array_equal(
        images[known].astype(np.float32), problem.images[known]
    ):
        raise ValueError(
            "`images` must be those that `problem` was made of; got shape "
            f"{images.shape} or other known pixels."
        )
    # A NaN fails both.
    if not (images.min() >= 0.0 and images.max() <= 1.0):
        raise ValueError(
            "`images` must be finite and in [0, 1] everywhere; got "
            f"[{images.min():g}, {images.max():g}]."
        )


@contextlib.contextmanager
def _poisoned(
    images: np.ndarray, hole: np.ndarray, fill: np.ndarray | float
) -> Iterator[None]:
    """Overwrite the holes of an array in place, for a while."""
    truth = images[hole]
    images[hole] = fill
    try:
        yield
    finally:
        images[hole] = truth


def _pose(
    images: np.ndarray, problem: InpaintingProblem, *, past: bool
) -> InpaintingProblem:
    """Make the problem of the images; `past`: with the holes as they are in them."""
    posed = InpaintingProblem(images, problem.known, problem.indices)
    if past:
        filled = images.astype(np.float32)
        filled.setflags(write=False)
        object.__setattr__(posed, "images", filled)
    return posed


def _changes(
    inpainter: Inpainter,
    posed: InpaintingProblem,
    expected: InpaintingResult,
    seed: int,
) -> str:
    """Name all that differs from the expected answer; empty where nothing does."""
    try:
        found = inpainter.inpaint(posed, seed=seed)
    # Whatever stops a method that ran before, it is the poison that it met.
    except Exception as error:
        return f"stopped by {type(error).__name__}: {error}"
    first, second = _parts(expected), _parts(found)
    names = [
        name
        for name in first | second
        if name not in first
        or name not in second
        or not _equal_bits(first[name], second[name])
    ]
    return f"another {', '.join(names)}" if names else ""


def _parts(result: InpaintingResult) -> dict[str, np.ndarray]:
    stages = {name: s for name, s in result.stages.items() if name != GIVEN}
    parts = {
        "completed": result.completed,
        "generated": result.generated,
        "status": result.status,
        **{f"stage {name!r}": stage for name, stage in stages.items()},
        **{f"statistic {name!r}": value for name, value in result.stats.items()},
    }
    return {name: np.asarray(part) for name, part in parts.items()}


def _equal_bits(first: np.ndarray, second: np.ndarray) -> bool:
    same = (first.dtype, first.shape) == (second.dtype, second.shape)
    return same and first.tobytes() == second.tobytes()


def _copies(
    inpainter: Inpainter, problem: InpaintingProblem, images: np.ndarray, seed: int
) -> list[str]:
    """Show the negatives, and look for the original in the answer."""
    negative = InpaintingProblem(1.0 - images, problem.known, problem.indices)
    completed = inpainter.inpaint(negative, seed=seed).completed
    telling = problem.hole & (np.abs(2.0 * images - 1.0) > TELLING).any(axis=-1)
    equal = (np.abs(completed - images) <= LEVEL).all(axis=-1) & telling
    counts = np.maximum(telling.sum(axis=(1, 2)), 1)
    copied = np.flatnonzero(equal.sum(axis=(1, 2)) > COPIED_SHARE * counts)
    if copied.size == 0:
        return []
    return [
        f"shown the negative of image(s) {copied[:8].tolist()}: answered with the "
        "hole of the original"
    ]
