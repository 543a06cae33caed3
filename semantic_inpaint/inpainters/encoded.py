"""Inpainting in one pass: encode the known pixels, generate, blend."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable

from semantic_inpaint.blending import OPERATORS, SOLVERS
from semantic_inpaint.inpainters.blended import check_size, generate_and_blend
from semantic_inpaint.inpainters.stages import Watcher
from semantic_inpaint.models.encoder import LatentEncoder
from semantic_inpaint.models.prior import GenerativePrior
from semantic_inpaint.problem import (
    InpaintingProblem,
    InpaintingResult,
    concatenate_results,
)


@dataclasses.dataclass(frozen=True, eq=False)
class EncoderInpainter:
    """The cascade's first half with an encoder in place of the search.

    Attributes:
        prior: Where the images come from.
        encoder: Of this prior.
        operator: D of the blend: `"gradient"`, `"log"`, `"log-printed"` or `"paste"`.
        solver: Of the blend: `"direct"` or `"cvxpy"`.
        batch_size: Images filled together; without effect on the result but for
            rounding.

    Raises:
        ValueError: An unknown operator or solver, no positive batch size, or the
            encoder is that of another prior.
    """

    prior: GenerativePrior
    encoder: LatentEncoder
    operator: str = "gradient"
    solver: str = "direct"
    batch_size: int = 64

    def __post_init__(self) -> None:
        """Check the words, and that the encoder is this prior's."""
        for field, words in (("operator", OPERATORS), ("solver", SOLVERS)):
            if (value := getattr(self, field)) not in words:
                raise ValueError(
                    f"`{field}` must be one of {', '.join(words)}; got {value!r}."
                )
        if self.batch_size < 1:
            raise ValueError(f"`batch_size` must be 1 or more; got {self.batch_size}.")
        self.encoder.require_prior(self.prior)

    @property
    def num_steps(self) -> int:
        """What `progress` counts up to for each batch: the one pass."""
        return 1

    def inpaint(
        self,
        problem: InpaintingProblem,
        *,
        seed: int = 0,
        progress: Callable[[str, int], None] | None = None,
        watch: Watcher | None = None,
    ) -> InpaintingResult:
        """Fill the holes.

        Args:
            problem: Images of the prior's size.
            seed: Taken as by every method, and without effect: nothing is drawn.
            progress: Called with `"encode"` and 1 for each batch.
            watch: Taken as by every method, and never called: nothing is searched.

        Returns:
            The completed images, with the stages `masked`, `generated` and `blended`,
            the codes, and the discriminator's probability for the completed image.
            The status is `"converged"`, as there is nothing left to iterate, or
            `"nonfinite"` where the networks overflowed.

        Raises:
            ValueError: The images are not of the prior's size.
        """
        check_size(problem, self.prior)
        results = []
        for start in range(0, len(problem), self.batch_size):
            batch = problem.take(slice(start, start + self.batch_size))
            results.append(self._inpaint_batch(batch))
            if progress is not None:
                progress("encode", 1)
        return concatenate_results(results)

    def _inpaint_batch(self, problem: InpaintingProblem) -> InpaintingResult:
        codes = self.encoder.encode(problem.images, problem.known)
        generated, blended, finite = generate_and_blend(
            self.prior, codes, problem, operator=self.operator, solver=self.solver
        )
        return InpaintingResult(
            completed=blended,
            generated=generated,
            stages={
                "masked": problem.images,
                "generated": generated,
                "blended": blended,
            },
            status=tuple(
                "converged" if good else "nonfinite" for good in finite.tolist()
            ),
            stats={"codes": codes, "score": self.prior.score(blended)},
        )
