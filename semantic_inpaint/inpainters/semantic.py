"""Semantic inpainting by GAN inversion, with or without the refinement stage."""

from __future__ import annotations

import dataclasses

import numpy as np

from semantic_inpaint.inpainters.blended import (
    blend_generated,
    check_size,
    generate_and_blend,
)
from semantic_inpaint.inpainters.stages import (
    RESTART_STREAM,
    Onlookers,
    Progress,
    Stages,
    Watcher,
)
from semantic_inpaint.latent.intermediate import IntermediateSolution
from semantic_inpaint.latent.presets import FAST, InversionOptions
from semantic_inpaint.latent.search import LatentSolution
from semantic_inpaint.models.encoder import LatentEncoder
from semantic_inpaint.models.prior import GenerativePrior
from semantic_inpaint.problem import (
    InpaintingProblem,
    InpaintingResult,
    concatenate_results,
)


@dataclasses.dataclass(frozen=True, eq=False)
class SemanticInpainter:
    """The cascade of Malesevic et al., fig. 8: invert, blend, refine, blend.

    With `options.second` None it is the method of Yeh et al.: invert, blend. With
    `options.third` a search between the generator's layers, and a blend, follow.

    Attributes:
        prior: Where the images come from.
        options: Of all stages.
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
        watch: Watcher | None = None,
    ) -> InpaintingResult:
        """Fill the holes.

        Args:
            problem: Images of the prior's size.
            seed: Of the codes that the search starts from; those of an image depend
                on it and on the image's number, never on its batch.
            progress: Called with a stage (`"search"`, `"refine"`) and the number of
                steps just done.
            watch: Looks on at the searches.

        Returns:
            The completed images. `generated` is what the last stage made; `stages`
            has `masked`, `generated` and `blended` of stage 1, `refined`, the image
            that stage 2 made, and, where there is a stage 3, `reblended`, what was
            completed before it, and `beyond`, the image that it made. `stats` has the
            final loss, its trace, the number of steps and the codes of each search, the
            last codes, and the discriminator's probability for the completed image; of
            several candidates, those that reached the end, best first, as
            `candidate_codes` `[B, K, latent_dim]` with `candidate_loss`; of stage 3
            `beyond_loss`, `beyond_trace` and `beyond_distance`.

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
                    problem.take(slice(start, start + size)),
                    seed,
                    Onlookers(progress, watch),
                )
                for start in range(0, len(problem), size)
            ]
        )

    def _inpaint_batch(
        self, problem: InpaintingProblem, seed: int, onlookers: Onlookers
    ) -> InpaintingResult:
        options, methods = self.options, Stages(self.prior, self.options, self.encoder)
        given = methods.given_codes(problem)
        target = methods.first_target(problem, given)
        last, several = methods.search_first(problem, target, given, seed, onlookers)
        generated, completed = self._blend(problem, last.z)
        stages = {
            "masked": problem.images,
            "generated": generated,
            "blended": completed,
        }
        stats, statuses = _stats("search", last), [last.status]
        if several is not None:
            stats |= {"candidate_codes": several.z, "candidate_loss": several.loss}
        if options.second is not None:
            codes = last.z
            if options.restart:
                codes = methods.starts(problem, given, seed, stream=RESTART_STREAM)
            target = methods.second_target(problem, completed, given)
            found = methods.search_second(problem, target, codes, seed, onlookers)
            if options.refines_maps:
                generated, completed = self._blend_images(problem, found.generated)
            else:
                last = found
                generated, completed = self._blend(problem, found.z)
            stages["refined"] = generated
            stats |= _stats("refine", found)
            statuses.append(found.status)
        if options.third is not None:
            refine, refined = options.second is not None, completed
            found = methods.search_maps(options.third, last.z, target, refine=refine)
            generated, completed = self._blend_images(problem, found.generated)
            stages |= {"reblended": refined, "beyond": generated}
            stats |= {
                "beyond_loss": found.loss,
                "beyond_trace": found.trace,
                "beyond_distance": found.distance,
            }
        return InpaintingResult(
            completed=completed,
            generated=generated,
            stages=stages,
            status=tuple(map(_worst, zip(*statuses, strict=True))),
            stats={**stats, "codes": last.z, "score": self.prior.score(completed)},
        )

    def _blend(
        self, problem: InpaintingProblem, codes: np.ndarray
    ) -> tuple[np.ndarray, np.ndarray]:
        generated, blended, _ = generate_and_blend(
            self.prior, codes, problem, **self._blending
        )
        return generated, blended

    def _blend_images(
        self, problem: InpaintingProblem, images: np.ndarray
    ) -> tuple[np.ndarray, np.ndarray]:
        generated, blended, _ = blend_generated(images, problem, **self._blending)
        return generated, blended

    @property
    def _blending(self) -> dict[str, str]:
        return {"operator": self.options.operator, "solver": self.options.solver}


def _worst(statuses: tuple[str, ...]) -> str:
    """Say how the last search ended, or that any of them failed."""
    return "nonfinite" if "nonfinite" in statuses else statuses[-1]


def _stats(
    stage: str, found: LatentSolution | IntermediateSolution
) -> dict[str, np.ndarray]:
    return {
        f"{stage}_loss": found.loss,
        f"{stage}_trace": found.trace,
        f"{stage}_steps": found.num_steps,
        f"{stage}_codes": found.z,
    }
