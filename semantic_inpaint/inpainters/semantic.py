"""Semantic inpainting by GAN inversion, with or without the refinement stage."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable

import numpy as np

from semantic_inpaint.blending import poisson_blend
from semantic_inpaint.images import to_network
from semantic_inpaint.latent.objective import (
    Objective,
    refinement_target,
    semantic_target,
)
from semantic_inpaint.latent.presets import FAST, InversionOptions
from semantic_inpaint.latent.search import LatentSolution, search_latent
from semantic_inpaint.latent.weights import importance_weights
from semantic_inpaint.masks import consensus_weight_for
from semantic_inpaint.models.prior import GenerativePrior
from semantic_inpaint.problem import (
    HOLE_VALUE,
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
    """

    prior: GenerativePrior
    options: InversionOptions = FAST

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
            of stage 2, where there is one. `stats` has the final loss and its trace
            for each stage, the codes, and the discriminator's probability for the
            completed image.

        Raises:
            ValueError: The images are not of the prior's size.
        """
        side = self.prior.image_size
        if problem.images.shape[1:3] != (side, side):
            raise ValueError(
                f"the prior {self.prior.name!r} makes {side}x{side} images; got "
                f"{problem.images.shape[1]}x{problem.images.shape[2]}. Fit them with "
                "`images.fit_image`."
            )
        size = self.options.batch_size
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
        first = self._search(problem, seed, progress)
        generated, blended = self._blend(problem, first.z)
        stages = {"masked": problem.images, "generated": generated, "blended": blended}
        stats = {"search_loss": first.loss, "search_trace": first.trace}
        last = first
        completed = blended
        if self.options.second is not None:
            last = self._refine(problem, blended, first.z, seed, progress)
            generated, completed = self._blend(problem, last.z)
            stages["refined"] = generated
            stats |= {"refine_loss": last.loss, "refine_trace": last.trace}
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
        self, problem: InpaintingProblem, seed: int, progress: Progress | None
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
            Objective(self.prior, options.prior_weight),
            self._start(problem, seed, stream=SEARCH_STREAM),
            semantic_target(
                to_network(problem.images), weights, reduction=options.reduction
            ),
            options.first,
            progress=progress and (lambda steps: progress("search", steps)),
        )

    def _refine(
        self,
        problem: InpaintingProblem,
        blended: np.ndarray,
        codes: np.ndarray,
        seed: int,
        progress: Progress | None,
    ) -> LatentSolution:
        """Stage 2 (eq. 9): fit all pixels of the blended image."""
        options = self.options
        if options.restart:
            codes = self._start(problem, seed, stream=RESTART_STREAM)
        consensus_weight = (
            consensus_weight_for(problem.known)
            if options.consensus_weight is None
            else np.full(len(problem), options.consensus_weight)
        )
        return search_latent(
            Objective(self.prior, options.prior_weight, refine=True),
            codes,
            refinement_target(
                to_network(blended),
                problem.known,
                consensus_weight,
                reduction=options.reduction,
            ),
            options.second,
            progress=progress and (lambda steps: progress("refine", steps)),
        )

    def _start(
        self, problem: InpaintingProblem, seed: int, *, stream: int
    ) -> np.ndarray:
        codes = self.prior.codes_for(problem.indices, seed=seed, stream=stream)
        return np.float32(self.options.start_scale) * codes

    def _blend(
        self, problem: InpaintingProblem, codes: np.ndarray
    ) -> tuple[np.ndarray, np.ndarray]:
        """Generate, and blend into the known pixels (eq. 6); overshoot is cut off.

        An image that the generator cannot make becomes grey, so that it spoils no
        other; its status says so.
        """
        generated = np.nan_to_num(
            self.prior.generate(codes), nan=HOLE_VALUE, posinf=1.0, neginf=0.0
        )
        blended = poisson_blend(
            generated,
            problem.images,
            problem.known,
            operator=self.options.operator,
            solver=self.options.solver,
        )
        return generated, np.clip(blended, 0.0, 1.0)
