"""Why a picture is filled badly: the figures of each image, and a verdict."""

from __future__ import annotations

from typing import Any

import numpy as np

from semantic_inpaint.app.evaluation_parts import AT_BOUND
from semantic_inpaint.images import to_network
from semantic_inpaint.latent.course import CURVE_POINTS, SearchCourse
from semantic_inpaint.latent.objective import semantic_target
from semantic_inpaint.latent.search import search_latent
from semantic_inpaint.latent.unmasked import UNMASKED_SEARCH, SquaredObjective
from semantic_inpaint.metrics import relative_seam_energy, seam_energy
from semantic_inpaint.models.prior import GenerativePrior
from semantic_inpaint.problem import InpaintingProblem, InpaintingResult

FINE = "fine"
NOT_CONVERGED = "not converged"
BAD_BASIN = "bad basin"
OUTSIDE = "outside the generator's range"
POOR = "poor fit"
NONFINITE = "not a number"
# What can be said without a search, which alone shows how well a hole could be filled.
FILLED = "filled"

# A residual this many times what whole faces are inverted to on average is well above
# it: with the default and a centre hole there lie 2 of 24 faces that the shipped prior
# never saw, and 1 of 24 images that it made itself.
WELL_ABOVE = 1.5

# For a prior without figures, 20 dB: an error of 25 levels of 255 is plainly seen.
PLAIN_RESIDUAL = 0.1

# The second look minimises the residual itself, not the loss of the search, which alone
# takes off up to a fifth. A code that is better by more lies elsewhere.
BETTER = 0.75

# It begins at the codes found and at some others, far from the streams of a search.
NUM_FRESH_STARTS = 3
FRESH_STREAM = 1000
FRESH_SCALE = 0.3
SLOTS = 64


def residual_limit(card: dict[str, Any]) -> float:
    """Return the residual up to which an image counts as fitted.

    Args:
        card: Of the prior. Where it has the figures of an evaluation, the limit is
            `WELL_ABOVE` times the RMS error that belongs to the mean PSNR of whole
            faces inverted; else `PLAIN_RESIDUAL`.
    """
    parts = card.get("figures", {}).get("parts", {})
    if "inversion" not in parts:
        return PLAIN_RESIDUAL
    return WELL_ABOVE * 10.0 ** (-parts["inversion"]["psnr_mean"] / 20.0)


def verdict(
    status: str, residual: float, *, limit: float, elsewhere: float | None = None
) -> str:
    """Say what is wrong with the answer to one image, if anything.

    Args:
        status: Of its search: `"converged"`, `"max_steps"` (in the last tenth of the
            steps the loss still fell by more than a thousandth of its whole fall) or
            `"nonfinite"`.
        residual: RMS error of `G(z)` on the known pixels.
        limit: Up to which it fits; see `residual_limit`.
        elsewhere: Smallest residual that a second look found, from where the search
            ended or from another code; None: nobody looked.

    Returns:
        `"not a number"`; `"fine"` where it fits, converged or not. Where it does not,
        and a second look found nothing that fits or is better by a quarter: `"outside
        the generator's range"`. Where it did, or nobody looked: `"not converged"` if
        the loss was still falling; if not, `"bad basin"` after a second look and
        `"poor fit"` without.
    """
    if status == "nonfinite":
        return NONFINITE
    if residual <= limit:
        return FINE
    if elsewhere is not None and elsewhere > max(limit, BETTER * residual):
        return OUTSIDE
    if status == "max_steps":
        return NOT_CONVERGED
    return POOR if elsewhere is None else BAD_BASIN


def diagnose(
    problem: InpaintingProblem,
    result: InpaintingResult,
    course: SearchCourse,
    *,
    prior: GenerativePrior,
    second_look: bool = False,
    seed: int = 0,
) -> list[dict[str, Any]]:
    """Measure the answers to a batch.

    Args:
        problem: The known pixels.
        result: The answers; its `stats` have the codes.
        course: That looked on at the searches.
        prior: The search was in.
        second_look: Whether images that fit poorly are searched once more.
        seed: Of the codes that this begins at.

    Returns:
        For each image: `verdict`, `residual` (RMS of `G(z)` on the known pixels, of a
        range of 1), `residual_limit`, `residual_elsewhere` (of the second look, or
        None), `at_bound` (share of the code's coordinates), `seam_energy`,
        `relative_seam_energy` (None where undefined) and `curves`, for each stage the
        terms of the loss at some steps, or of a search of maps their sum.
    """
    residual = known_residual(result.generated, problem)
    limit = residual_limit(prior.card)
    codes = np.asarray(result.stats["codes"])
    elsewhere = np.full(len(problem), np.nan)
    poor = np.flatnonzero((residual > limit) & (np.array(result.status) != "nonfinite"))
    if second_look and len(poor):
        elsewhere[poor] = _look_again(prior, problem.take(poor), codes[poor], seed=seed)
    seam = seam_energy(result.completed, problem.known)
    relative = relative_seam_energy(result.completed, problem.known)
    curves = {stage: course.curves(stage) for stage in course.stages}
    if "refine" not in curves and "refine_trace" in result.stats:
        curves["refine"] = _whole_losses(result.stats["refine_trace"])
    return [
        {
            "verdict": verdict(
                result.status[i],
                residual[i],
                limit=limit,
                elsewhere=_number(elsewhere[i]),
            ),
            "residual": float(residual[i]),
            "residual_limit": limit,
            "residual_elsewhere": _number(elsewhere[i]),
            "at_bound": float((np.abs(codes[i]) >= AT_BOUND * prior.support).mean()),
            "seam_energy": float(seam[i]),
            "relative_seam_energy": _number(relative[i]),
            "curves": {stage: of_all[i] for stage, of_all in curves.items()},
        }
        for i in range(len(problem))
    ]


def _whole_losses(traces: np.ndarray) -> list[dict[str, Any]]:
    """Take curves from traces `[B, S + 1]` of a search that nobody looked on at."""
    steps = np.linspace(0, traces.shape[1] - 1, CURVE_POINTS).round().astype(int)
    steps = np.unique(steps)
    return [
        {"steps": steps.tolist(), "terms": {"consensus": trace[steps].tolist()}}
        for trace in traces
    ]


def diagnose_pass(
    problem: InpaintingProblem, result: InpaintingResult
) -> list[dict[str, Any]]:
    """Measure the answers of one pass of a network without a prior.

    Returns:
        For each image: `verdict`, `"filled"` or `"not a number"`; `seam_energy`,
        `relative_seam_energy` (None where undefined) and `curves`, which are none.
    """
    seam = seam_energy(result.completed, problem.known)
    relative = relative_seam_energy(result.completed, problem.known)
    return [
        {
            "verdict": NONFINITE if status == "nonfinite" else FILLED,
            "seam_energy": float(seam[i]),
            "relative_seam_energy": _number(relative[i]),
            "curves": {},
        }
        for i, status in enumerate(result.status)
    ]


def known_residual(generated: np.ndarray, problem: InpaintingProblem) -> np.ndarray:
    """Return the RMS error on the known pixels, float64 `[B]`.

    Args:
        generated: float `[B, H, W, 3]` in [0, 1], `G(z)`.
        problem: The known pixels.
    """
    squared = np.square(generated.astype(np.float64) - problem.images).mean(axis=-1)
    return np.sqrt(squared.mean(axis=(1, 2), where=problem.known))


def _look_again(
    prior: GenerativePrior, problem: InpaintingProblem, codes: np.ndarray, *, seed: int
) -> np.ndarray:
    """Minimise the residual itself, from `codes` and from others; the least, `[B]`."""
    target = semantic_target(
        to_network(problem.images), problem.known.astype(np.float32), reduction="mean"
    )
    starts = [codes] + [
        np.float32(FRESH_SCALE)
        * prior.codes_for(problem.indices, seed=seed, stream=FRESH_STREAM + number)
        for number in range(NUM_FRESH_STARTS)
    ]
    residuals = []
    for start in starts:
        found = search_latent(
            SquaredObjective(prior),
            start,
            target,
            UNMASKED_SEARCH,
            slots=SLOTS,
            indices=problem.indices,
            seed=seed,
        )
        residuals.append(known_residual(prior.generate(found.z), problem))
    return np.min(residuals, axis=0)


def _number(value: float) -> float | None:
    return float(value) if np.isfinite(value) else None
