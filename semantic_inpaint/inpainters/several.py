"""Many answers to one problem: what the known pixels leave open.

A hole in a face has more than one filling that fits. They come from searches begun at
different random codes (`"restarts"`), or from chains that wander round the answer of
one search (`"langevin"`).
"""

from __future__ import annotations

import dataclasses

import numpy as np

from semantic_inpaint.inpainters.blended import generate_and_blend
from semantic_inpaint.inpainters.semantic import SemanticInpainter
from semantic_inpaint.inpainters.stages import Stages
from semantic_inpaint.latent.draws import copy_numbers
from semantic_inpaint.latent.langevin import LangevinOptions, sample_around
from semantic_inpaint.metrics import hole_diversity, uncertainty_map
from semantic_inpaint.problem import InpaintingProblem, InpaintingResult

WAYS = ("restarts", "langevin")


@dataclasses.dataclass(frozen=True)
class SeveralOptions:
    """How answers come to differ.

    Attributes:
        start_scale: Of `"restarts"`: share of the support that random codes start
            from. At 1 each starts at a random face; near 0 they hardly differ.
        excess: Of `"langevin"`: how far above the answer's own loss those of samples
            may lie, as a share of it; the temperature of an image follows from it. Of
            an objective without an anchor 2 is much, as nothing else holds a face
            together.
        langevin: Of the chains.
    """

    start_scale: float = 0.6
    excess: float = 2.0
    langevin: LangevinOptions = dataclasses.field(default_factory=LangevinOptions)

    def __post_init__(self) -> None:
        """Check the values.

        Raises:
            ValueError: A number out of its range.
        """
        if not 0 < self.start_scale <= 1:
            raise ValueError(
                f"`start_scale` must be in (0, 1]; got {self.start_scale}. At 0 all "
                "searches would begin at the same code."
            )
        if not self.excess > 0:
            raise ValueError(f"`excess` must be positive; got {self.excess}.")


@dataclasses.dataclass(frozen=True, eq=False)
class SeveralResult:
    """Several answers for each image.

    Those of a search come with the least loss first, those of one pass of a network in
    the order they were drawn.

    Attributes:
        completed: float32 `[B, S, H, W, 3]` in [0, 1]; known pixels are bit-exact.
        codes: float32 `[B, S, latent_dim]`, what they were generated from.
        loss: float32 `[B, S]`, that of the search (its first stage): how well each fits
            the known pixels; None of one pass.
        uncertainty: float64 `[B, H, W]`, see `metrics.uncertainty_map`.
        diversity: float64 `[B]`, see `metrics.hole_diversity`.
        acceptance: float32 `[B]`, share of accepted steps of `"langevin"`; None of
            all others.
    """

    completed: np.ndarray
    codes: np.ndarray
    loss: np.ndarray | None
    uncertainty: np.ndarray
    diversity: np.ndarray
    acceptance: np.ndarray | None = None


def inpaint_several(
    inpainter: SemanticInpainter,
    problem: InpaintingProblem,
    *,
    num_samples: int,
    way: str = "langevin",
    options: SeveralOptions | None = None,
    seed: int = 0,
    answer: InpaintingResult | None = None,
) -> SeveralResult:
    """Fill each hole in several ways.

    - `"restarts"`: every answer is one of the inpainter's, from a random code of its
      own. Where its options start at an encoder, that start and the anchor to it are
      left out: they would lead all answers to the same place.
    - `"langevin"`: every answer is a code drawn from exp(-loss / T), the loss being
      that of stage 1 (with its anchor, if any), by a chain begun at the inpainter's
      own answer, then generated and blended. There is no refinement. T is such that
      the losses would lie `options.excess` of the least above it, were the loss
      quadratic: T = 2 * excess * loss / latent_dim.

    Args:
        inpainter: The method.
        problem: Images of the prior's size.
        num_samples: S, answers for each image, two or more.
        way: `"restarts"` or `"langevin"`.
        options: Of both ways; default: `SeveralOptions()`.
        seed: Of all that is drawn. The answers of an image depend on it and on the
            image's number, never on its batch.
        answer: What `inpainter` made of `problem` with this seed, round which
            `"langevin"` wanders; None: it is made.

    Returns:
        The answers, sorted by their losses; nothing of them is chosen by what stood in
        the hole.

    Raises:
        ValueError: An unknown way, fewer than two samples, or images that are not of
            the prior's size.
    """
    if way not in WAYS:
        raise ValueError(f"`way` must be one of {', '.join(WAYS)}; got {way!r}.")
    if num_samples < 2:
        raise ValueError(
            f"`num_samples` must be 2 or more; got {num_samples}. For a single answer "
            "use `inpaint`."
        )
    options = options or SeveralOptions()
    numbers = copy_numbers(problem.indices, np.arange(num_samples)).reshape(-1)
    copies = _repeated(problem, num_samples, numbers)
    acceptance = None
    if way == "restarts":
        codes, loss, completed = _restarted(inpainter, copies, options, seed)
    else:
        codes, loss, completed, acceptance = _sampled(
            inpainter,
            answer or inpainter.inpaint(problem, seed=seed),
            problem,
            copies,
            options,
            seed,
        )
    return _sorted(problem, codes, loss, completed, acceptance)


def _restarted(
    inpainter: SemanticInpainter,
    copies: InpaintingProblem,
    options: SeveralOptions,
    seed: int,
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    method = SemanticInpainter(
        inpainter.prior,
        dataclasses.replace(
            inpainter.options,
            start="random",
            anchor_weight=0.0,
            start_scale=options.start_scale,
        ),
    )
    result = method.inpaint(copies, seed=seed)
    return result.stats["codes"], result.stats["search_loss"], result.completed


def _sampled(
    inpainter: SemanticInpainter,
    answer: InpaintingResult,
    problem: InpaintingProblem,
    copies: InpaintingProblem,
    options: SeveralOptions,
    seed: int,
) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    inversion = inpainter.options
    stages = Stages(inpainter.prior, inversion, inpainter.encoder)
    loss = answer.stats["search_loss"]
    temperature = 2.0 * options.excess * loss / inpainter.prior.latent_dim
    samples = sample_around(
        stages.objective(refine=False),
        answer.stats["search_codes"],
        stages.first_target(problem, stages.given_codes(problem)),
        num_samples=len(copies) // len(problem),
        # Where there was no loss there is nothing to wander in, at any temperature.
        temperature=np.where(np.isfinite(loss) & (loss > 0), temperature, 1.0),
        options=options.langevin,
        slots=inversion.batch_size,
        indices=problem.indices,
        seed=seed,
    )
    codes = samples.z.reshape(len(copies), -1)
    _, completed, _ = generate_and_blend(
        inpainter.prior,
        codes,
        copies,
        operator=inversion.operator,
        solver=inversion.solver,
    )
    return codes, samples.loss.reshape(-1), completed, samples.acceptance


def _repeated(
    problem: InpaintingProblem, num_samples: int, numbers: np.ndarray
) -> InpaintingProblem:
    images = np.repeat(problem.images, num_samples, axis=0)
    return InpaintingProblem(
        images, np.repeat(problem.known, num_samples, axis=0), numbers
    )


def _sorted(
    problem: InpaintingProblem,
    codes: np.ndarray,
    loss: np.ndarray,
    completed: np.ndarray,
    acceptance: np.ndarray | None,
) -> SeveralResult:
    """Put the answers of each image in the order of their losses."""
    count = len(problem)
    order = np.argsort(loss.reshape(count, -1), axis=1, kind="stable")
    codes, loss, completed = (
        np.stack([answers[places] for answers, places in zip(rows, order, strict=True)])
        for rows in (
            values.reshape(count, -1, *values.shape[1:])
            for values in (codes, loss, completed)
        )
    )
    return SeveralResult(
        completed=completed,
        codes=codes,
        loss=loss,
        uncertainty=uncertainty_map(completed),
        diversity=hole_diversity(completed, problem.known),
        acceptance=acceptance,
    )
