"""The stages of an inversion: what each minimises, where it begins, its search."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from typing import Protocol

import numpy as np

from semantic_inpaint.images import to_network
from semantic_inpaint.latent.candidates import (
    Candidates,
    candidate_starts,
    search_candidates,
)
from semantic_inpaint.latent.engine import Watch
from semantic_inpaint.latent.intermediate import (
    IntermediateOptions,
    IntermediateSolution,
    refine_activations,
)
from semantic_inpaint.latent.objective import (
    Objective,
    SearchTarget,
    refinement_target,
    semantic_target,
)
from semantic_inpaint.latent.options import SearchOptions
from semantic_inpaint.latent.presets import InversionOptions
from semantic_inpaint.latent.search import LatentSolution, search_latent
from semantic_inpaint.latent.through_blend import BlendedObjective, blend_target
from semantic_inpaint.latent.weights import importance_weights
from semantic_inpaint.masks import consensus_weight_for
from semantic_inpaint.models.encoder import LatentEncoder
from semantic_inpaint.models.prior import GenerativePrior
from semantic_inpaint.problem import InpaintingProblem

Progress = Callable[[str, int], None]

# Codes of a restarted second stage come from another stream than those of the first.
SEARCH_STREAM, RESTART_STREAM = 0, 1


class Watcher(Protocol):
    """Looks on at searches; `latent.course.SearchCourse` is one."""

    def __call__(self, stage: str, objective: Objective, target: SearchTarget) -> Watch:
        """Return what is to be shown of the search of a stage."""
        ...

    def keep(self, count: int) -> None:
        """Forget all images but the first `count`: they are searched anew."""
        ...


@dataclasses.dataclass(frozen=True, eq=False)
class Onlookers:
    """Whom a search tells of its course.

    Attributes:
        progress: Called with the stage and the number of steps just done.
        watch: Shown the codes.
    """

    progress: Progress | None = None
    watch: Watcher | None = None


@dataclasses.dataclass(frozen=True, eq=False)
class Stages:
    """Both stages of one inversion.

    Attributes:
        prior: To search in.
        options: With the start decided.
        encoder: Of the start; None without.
    """

    prior: GenerativePrior
    options: InversionOptions
    encoder: LatentEncoder | None = None

    def given_codes(self, problem: InpaintingProblem) -> np.ndarray | None:
        """Return the encoder's codes `[B, latent_dim]`, where the search uses them."""
        if self.encoder is None or self.options.start != "encoder":
            return None
        return self.encoder.encode(problem.images, problem.known)

    def starts(
        self,
        problem: InpaintingProblem,
        given: np.ndarray | None,
        seed: int,
        *,
        stream: int,
    ) -> np.ndarray:
        """Return one start for each image: the given one, or else a random one."""
        if given is not None:
            return given
        codes = self.prior.codes_for(
            problem.indices,
            seed=seed,
            stream=stream,
            distribution=self.options.start_distribution,
        )
        return np.float32(self.options.start_scale) * codes

    def objective(self, *, refine: bool) -> Objective:
        """Return what stage 1 or the refinement minimises."""
        options = self.options
        kind = BlendedObjective if options.through_blend else Objective
        return kind(
            self.prior,
            options.prior_weight,
            refine=refine,
            anchor_weight=options.anchor_weight,
            distance=options.distance,
            prior_loss=options.prior_loss,
            prior_interval=options.prior_interval,
        )

    def first_target(
        self, problem: InpaintingProblem, given: np.ndarray | None
    ) -> SearchTarget:
        """Target of stage 1 (eq. 3): the known pixels round the hole."""
        options = self.options
        weights = importance_weights(
            problem.known,
            window_size=options.window_size,
            kind=options.weight_kind,
            cap=options.weight_cap,
        )
        target = semantic_target(
            to_network(problem.images),
            weights,
            reduction=options.reduction,
            anchor=self._anchor(given),
        )
        return self._blended(target, problem)

    def second_target(
        self,
        problem: InpaintingProblem,
        blended: np.ndarray,
        given: np.ndarray | None,
    ) -> SearchTarget:
        """Target of stage 2 (eq. 9): all pixels of the blended image."""
        options = self.options
        consensus_weight = (
            consensus_weight_for(problem.known)
            if options.consensus_weight is None
            else np.full(len(problem), options.consensus_weight)
        )
        target = refinement_target(
            to_network(blended),
            problem.known,
            consensus_weight,
            reduction=options.reduction,
            anchor=self._anchor(given),
        )
        return self._blended(target, problem)

    def search_first(
        self,
        problem: InpaintingProblem,
        target: SearchTarget,
        given: np.ndarray | None,
        seed: int,
        onlookers: Onlookers,
    ) -> tuple[LatentSolution, Candidates | None]:
        """Search stage 1; from several codes there are candidates to choose from.

        Several searches of one image are not watched.
        """
        options, objective = self.options, self.objective(refine=False)
        several = options.candidates
        if several.pool == several.restarts == 1:
            starts = self.starts(problem, given, seed, stream=SEARCH_STREAM)
        else:
            starts = candidate_starts(
                objective,
                target,
                problem.indices,
                several,
                seed=seed,
                stream=SEARCH_STREAM,
                start_scale=options.start_scale,
                distribution=options.start_distribution,
                slots=options.batch_size,
                given=given,
            )
            if several.restarts > 1:
                found = search_candidates(
                    objective,
                    starts,
                    target,
                    options.first,
                    halvings=several.halvings,
                    slots=options.batch_size,
                    indices=problem.indices,
                    seed=seed,
                    progress=_named(onlookers.progress, "search"),
                )
                return found.solution, found
            starts = starts[:, 0]
        search = options.first
        return self._search(
            "search", objective, starts, target, search, problem, seed, onlookers
        ), None

    def search_second(
        self,
        problem: InpaintingProblem,
        target: SearchTarget,
        codes: np.ndarray,
        seed: int,
        onlookers: Onlookers,
    ) -> LatentSolution | IntermediateSolution:
        """Search stage 2 from some codes."""
        objective, search = self.objective(refine=True), self.options.second
        if self.options.refines_maps:
            tell = _named(onlookers.progress, "refine")
            return self.search_maps(search, codes, target, refine=True, progress=tell)
        return self._search(
            "refine", objective, codes, target, search, problem, seed, onlookers
        )

    def search_maps(
        self,
        search: IntermediateOptions,
        codes: np.ndarray,
        target: SearchTarget,
        *,
        refine: bool,
        progress: Callable[[int], None] | None = None,
    ) -> IntermediateSolution:
        """Search between the layers, for the loss of stage 1 or the refinement."""
        return refine_activations(
            self.objective(refine=refine),
            codes,
            target,
            dataclasses.replace(search, batch_size=self.options.batch_size),
            progress=progress,
        )

    def _search(
        self,
        stage: str,
        objective: Objective,
        starts: np.ndarray,
        target: SearchTarget,
        search: SearchOptions,
        problem: InpaintingProblem,
        seed: int,
        onlookers: Onlookers,
    ) -> LatentSolution:
        watch = onlookers.watch
        return search_latent(
            objective,
            starts,
            target,
            search,
            slots=self.options.batch_size,
            indices=problem.indices,
            seed=seed,
            progress=_named(onlookers.progress, stage),
            watch=watch and watch(stage, objective, target),
        )

    def _anchor(self, given: np.ndarray | None) -> np.ndarray | None:
        return given if self.options.anchor_weight > 0 else None

    def _blended(
        self, target: SearchTarget, problem: InpaintingProblem
    ) -> SearchTarget:
        if not self.options.through_blend:
            return target
        return blend_target(target, problem.known, operator=self.options.operator)


def _named(progress: Progress | None, stage: str) -> Callable[[int], None] | None:
    return progress and (lambda steps: progress(stage, steps))
