"""Semantic inpainting by GAN inversion, with or without the refinement stage."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable

import numpy as np

from semantic_inpaint.images import to_network
from semantic_inpaint.inpainters.blended import check_size, generate_and_blend
from semantic_inpaint.latent.objective import (
    Objective,
    refinement_target,
    semantic_target,
)
from semantic_inpaint.latent.presets import FAST, InversionOptions
from semantic_inpaint.latent.search import LatentSolution, search_latent
from semantic_inpaint.latent.weights import importance_weights
from semantic_inpaint.masks import consensus_weight_for
from semantic_inpaint.models.encoder import LatentEncoder
from semantic_inpaint.models.prior import GenerativePrior
from semantic_inpaint.problem import (
    InpaintingProblem,
    InpaintingResult,
    concatenate_results,
)

Progress = Callable[[str, int], None]

# Codes of a restarted second stage come from another stream than those of the first.
SEARCH_STREAM, RESTART_STREAM = 0, 1


@dataclasses.dataclass(frozen=True, eq=False)
class SemanticInpainter:
    """The cascade of Malesevic et al., fig. 8: invert, blend, refine, blend.

    With `options.second` None it is the method of Yeh et al.: invert, blend.

    Attributes:
        prior: Where the images come from.
        options: Of both stages.
        encoder: Where the search starts with `options.start` `"encoder"`; else unused.

    Raises:
        ValueError: The options need an encoder and there is none, or it is that of
            another prior.
    """

    prior: GenerativePrior
    options: InversionOptions = FAST
    encoder: LatentEncoder | None = None

    def __post_init__(self) -> None:
        """Decide where to start, and check that the options can be followed."""
        options = self.options.resolved(has_encoder=self.encoder is not None)
        object.__setattr__(self, "options", options)
        if self.options.start != "encoder":
            return
        if self.encoder is None:
            raise ValueError(
                "`start='encoder'` needs the encoder of the prior; pass `encoder`, or "
                "use `make_inpainter`, which loads it."
            )
        self.encoder.require_prior(self.prior)

    @property
    def num_steps(self) -> int:
        """What `progress` counts up to for each batch of `options.batch_size`."""
        return self.options.num_steps()

    def inpaint(
        self,
        problem: InpaintingProblem,
        *,
        seed: int = 0,
        progress: Progress | None = None,
    ) -> InpaintingResult:
        """Fill the holes.

        Args:
            problem: Images of the prior's size.
            seed: Of the codes that the search starts from; those of an image depend
                on it and on the image's number, never on its batch.
            progress: Called with a stage (`"search"`, `"refine"`) and the number of
                steps just done.

        Returns:
            The completed images. `generated` is `G(z)` of the last stage; `stages`
            has `masked`, `generated` and `blended` of stage 1, and `refined`, `G(z)`
            of stage 2, where there is one. `stats` has the final loss, its trace,
            the number of steps and the codes of each stage, the last codes, and the
            discriminator's probability for the completed image.

        Raises:
            ValueError: The images are not of the prior's size.
        """
        check_size(problem, self.prior)
        # Where a search may end early, all images wait for the slots that it frees.
        early = self.options.may_end_early
        size = len(problem) if early else self.options.batch_size
        return concatenate_results(
            [
                self._inpaint_batch(
                    problem.take(slice(start, start + size)), seed, progress
                )
                for start in range(0, len(problem), size)
            ]
        )

    def _inpaint_batch(
        self, problem: InpaintingProblem, seed: int, progress: Progress | None
    ) -> InpaintingResult:
        start = self._start(problem, seed, stream=SEARCH_STREAM)
        anchor = start if self.options.anchor_weight > 0 else None
        first = self._search(problem, start, anchor, seed, progress)
        generated, blended = self._blend(problem, first.z)
        stages = {"masked": problem.images, "generated": generated, "blended": blended}
        stats = _stats("search", first)
        last = first
        completed = blended
        if self.options.second is not None:
            codes = first.z
            if self.options.restart:
                codes = self._start(problem, seed, stream=RESTART_STREAM)
            last = self._refine(problem, blended, codes, anchor, seed, progress)
            generated, completed = self._blend(problem, last.z)
            stages["refined"] = generated
            stats |= _stats("refine", last)
        return InpaintingResult(
            completed=completed,
            generated=generated,
            stages=stages,
            status=tuple(
                "nonfinite" if "nonfinite" in pair else pair[1]
                for pair in zip(first.status, last.status, strict=True)
            ),
            stats={**stats, "codes": last.z, "score": self.prior.score(completed)},
        )

    def _search(
        self,
        problem: InpaintingProblem,
        codes: np.ndarray,
        anchor: np.ndarray | None,
        seed: int,
        progress: Progress | None,
    ) -> LatentSolution:
        """Stage 1 (eq. 3): fit the known pixels round the hole."""
        options = self.options
        weights = importance_weights(
            problem.known,
            window_size=options.window_size,
            kind=options.weight_kind,
            cap=options.weight_cap,
        )
        return search_latent(
            Objective(
                self.prior, options.prior_weight, anchor_weight=options.anchor_weight
            ),
            codes,
            semantic_target(
                to_network(problem.images),
                weights,
                reduction=options.reduction,
                anchor=anchor,
            ),
            options.first,
            slots=options.batch_size,
            indices=problem.indices,
            seed=seed,
            progress=progress and (lambda steps: progress("search", steps)),
        )

    def _refine(
        self,
        problem: InpaintingProblem,
        blended: np.ndarray,
        codes: np.ndarray,
        anchor: np.ndarray | None,
        seed: int,
        progress: Progress | None,
    ) -> LatentSolution:
        """Stage 2 (eq. 9): fit all pixels of the blended image."""
        options = self.options
        consensus_weight = (
            consensus_weight_for(problem.known)
            if options.consensus_weight is None
            else np.full(len(problem), options.consensus_weight)
        )
        return search_latent(
            Objective(
                self.prior,
                options.prior_weight,
                refine=True,
                anchor_weight=options.anchor_weight,
            ),
            codes,
            refinement_target(
                to_network(blended),
                problem.known,
                consensus_weight,
                reduction=options.reduction,
                anchor=anchor,
            ),
            options.second,
            slots=options.batch_size,
            indices=problem.indices,
            seed=seed,
            progress=progress and (lambda steps: progress("refine", steps)),
        )

    def _start(
        self, problem: InpaintingProblem, seed: int, *, stream: int
    ) -> np.ndarray:
        if self.encoder is not None and self.options.start == "encoder":
            return self.encoder.encode(problem.images, problem.known)
        codes = self.prior.codes_for(problem.indices, seed=seed, stream=stream)
        return np.float32(self.options.start_scale) * codes

    def _blend(
        self, problem: InpaintingProblem, codes: np.ndarray
    ) -> tuple[np.ndarray, np.ndarray]:
        generated, blended, _ = generate_and_blend(
            self.prior,
            codes,
            problem,
            operator=self.options.operator,
            solver=self.options.solver,
        )
        return generated, blended


def _stats(stage: str, found: LatentSolution) -> dict[str, np.ndarray]:
    return {
        f"{stage}_loss": found.loss,
        f"{stage}_trace": found.trace,
        f"{stage}_steps": found.num_steps,
        f"{stage}_codes": found.z,
    }
