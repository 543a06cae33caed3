"""Inpainting in one pass of a network trained for it: no prior, no search."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Callable
from typing import Any

import numpy as np

from semantic_inpaint.blending import OPERATORS, SOLVERS
from semantic_inpaint.datasets.landmarks import NumberedLandmarks
from semantic_inpaint.inpainters.blended import blend_generated
from semantic_inpaint.inpainters.several import SeveralResult
from semantic_inpaint.inpainters.stages import Watcher
from semantic_inpaint.inpainters.tiling import fill_in_tiles, round_up
from semantic_inpaint.latent.draws import copy_numbers
from semantic_inpaint.metrics import hole_diversity, uncertainty_map
from semantic_inpaint.models.inpainting_networks import InpaintingNetwork
from semantic_inpaint.problem import (
    InpaintingProblem,
    InpaintingResult,
    concatenate_results,
)

# Stream of the codes, beside those of other methods.
CODES = 20
# Share of a tile's side that neighbours have in common.
OVERLAP = 0.25
# Of the tiles that a network is given together, lest a large picture take all memory.
MAX_PIXELS_TOGETHER = 2**22


@dataclasses.dataclass(frozen=True, eq=False)
class FeedForwardInpainter:
    """A trained network, with the known pixels put back.

    Pictures of any size are filled. A network that takes any size sees the whole
    picture, padded to what it can halve, up to `max_pixels`; a larger picture, and any
    picture larger than a network of one fixed size, is filled in overlapping tiles. A
    hole larger than a tile leaves the network nothing to go by: there fit the picture
    to the network first.

    Attributes:
        network: Fills the holes.
        operator: D of the blend: `"paste"` (none: the network's pixels in the hole),
            `"gradient"`, `"log"` or `"log-printed"`.
        solver: Of the blend: `"direct"` or `"cvxpy"`.
        batch_size: Images, or tiles, filled together, or fewer of large ones; without
            effect on the result but for rounding.
        max_pixels: Largest picture that is filled as a whole.
        landmarks: Of the images that are filled, by their numbers, for a network
            trained with landmarks and pictures of its own size; None: where they lie
            on average.

    Raises:
        ValueError: An unknown operator or solver, a number that is not positive, or
            landmarks that the network does not take.
    """

    network: InpaintingNetwork
    operator: str = "paste"
    solver: str = "direct"
    batch_size: int = 64
    max_pixels: int = 2**20
    landmarks: NumberedLandmarks | None = None

    def __post_init__(self) -> None:
        """Check the words and numbers."""
        for field, words in (("operator", OPERATORS), ("solver", SOLVERS)):
            if (value := getattr(self, field)) not in words:
                raise ValueError(
                    f"`{field}` must be one of {', '.join(words)}; got {value!r}."
                )
        for field in ("batch_size", "max_pixels"):
            if (value := getattr(self, field)) < 1:
                raise ValueError(f"`{field}` must be 1 or more; got {value}.")
        wanted, given = self.network.num_landmarks, self.landmarks
        if given is not None and given.count != wanted:
            raise ValueError(
                f"the network {self.network.kind!r} takes {wanted or 'no'} landmarks; "
                f"got {given.count} of each image. Leave them out, or use a network "
                "that was trained with them."
            )

    @property
    def num_steps(self) -> int:
        """What `progress` counts up to for each batch: the one pass."""
        return 1

    @property
    def settings(self) -> dict[str, Any]:
        """Constants that decide the answers, weights included."""
        return {
            "network": self.network.sha256,
            "operator": self.operator,
            "solver": self.solver,
            "max_pixels": self.max_pixels,
            # Left out where there are none, as in the records of before.
            **({"landmarks": self.landmarks.sha256} if self.landmarks else {}),
        }

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
            problem: Images of any size.
            seed: Of the code of each image, for networks that have one; of no effect
                on the others.
            progress: Called with `"generate"` and 1 for each batch.
            watch: Taken as by every method, and never called: nothing is searched.

        Returns:
            The completed images, with the stages `masked` and `generated`, and
            `blended` where a blend was asked for. The status is `"converged"`, as
            there is nothing left to iterate, or `"nonfinite"` where the network
            overflowed.

        Raises:
            ValueError: There are landmarks, but not of every image, or the images are
                not of the network's own size.
        """
        results = []
        for start in range(0, len(problem), self.batch_size):
            batch = problem.take(slice(start, start + self.batch_size))
            results.append(self._inpaint_batch(batch, seed))
            if progress is not None:
                progress("generate", 1)
        return concatenate_results(results)

    def _inpaint_batch(self, problem: InpaintingProblem, seed: int) -> InpaintingResult:
        generated, blended, finite = blend_generated(
            self._generate(problem, seed),
            problem,
            operator=self.operator,
            solver=self.solver,
        )
        stages = {"masked": problem.images, "generated": generated}
        if self.operator != "paste":
            stages["blended"] = blended
        return InpaintingResult(
            completed=blended,
            generated=generated,
            stages=stages,
            status=tuple(
                "converged" if good else "nonfinite" for good in finite.tolist()
            ),
        )

    def _generate(self, problem: InpaintingProblem, seed: int) -> np.ndarray:
        codes = draw_codes(problem.indices, self.network.latent_dim, seed=seed)
        points = self._landmarks_of(problem)

        def fill(images: np.ndarray, known: np.ndarray, rows: np.ndarray) -> np.ndarray:
            # All tiles of an image have its code.
            landmarks = None if points is None else points[rows]
            return self.network.generate(
                images, known, codes=codes[rows], landmarks=landmarks
            )

        tile = self._tile(*problem.images.shape[1:3])
        return fill_in_tiles(
            fill,
            problem.images,
            problem.known,
            tile=tile,
            overlap=int(OVERLAP * min(tile)),
            batch_size=self._together(tile),
        )

    def _landmarks_of(self, problem: InpaintingProblem) -> np.ndarray | None:
        if self.landmarks is None:
            return None
        side, sides = self.network.image_size, problem.images.shape[1:3]
        # Shares of a padded picture, or of a tile, would be others.
        if sides != (side, side):
            raise ValueError(
                f"landmarks go with pictures of the network's own size, {side}x{side}; "
                f"got {sides[0]}x{sides[1]}. Fit them, or leave the landmarks out."
            )
        return self.landmarks.of(problem.indices)

    def _tile(self, height: int, width: int) -> tuple[int, int]:
        """Choose rows and columns of a tile: the whole picture where that can be."""
        network = self.network
        if not network.any_size:
            return network.image_size, network.image_size
        multiple = network.multiple
        whole = round_up(height, multiple), round_up(width, multiple)
        if math.prod(whole) <= self.max_pixels:
            return whole
        side = max(multiple, math.isqrt(self.max_pixels) // multiple * multiple)
        return min(side, whole[0]), min(side, whole[1])

    def _together(self, tile: tuple[int, int]) -> int:
        """Choose how many tiles the network is given at once."""
        return max(1, min(self.batch_size, MAX_PIXELS_TOGETHER // math.prod(tile)))


def fill_several(
    inpainter: FeedForwardInpainter,
    problem: InpaintingProblem,
    *,
    num_samples: int,
    seed: int = 0,
) -> SeveralResult:
    """Fill each hole in several ways, from as many codes.

    Args:
        inpainter: Of a network with a code.
        problem: Images of any size.
        num_samples: S, answers for each image, two or more; the first is that of
            `inpaint` with the same seed.
        seed: Of the codes; those of an image depend on it and on the image's number.

    Returns:
        The answers in the order they were drawn. They have no `loss`, as nothing was
        searched.

    Raises:
        ValueError: The network has no code, or fewer than two samples.
    """
    network = inpainter.network
    require_code(network)
    if num_samples < 2:
        raise ValueError(
            f"`num_samples` must be 2 or more; got {num_samples}. For a single answer "
            "use `inpaint`."
        )
    numbers = copy_numbers(problem.indices, np.arange(num_samples)).reshape(-1)
    copies = InpaintingProblem(
        np.repeat(problem.images, num_samples, axis=0),
        np.repeat(problem.known, num_samples, axis=0),
        numbers,
    )
    if inpainter.landmarks is not None:
        points = np.repeat(inpainter.landmarks.of(problem.indices), num_samples, axis=0)
        landmarks = NumberedLandmarks(points, numbers, inpainter.landmarks.sha256)
        inpainter = dataclasses.replace(inpainter, landmarks=landmarks)
    result = inpainter.inpaint(copies, seed=seed)
    shape = len(problem), num_samples
    completed = result.completed.reshape(*shape, *result.completed.shape[1:])
    return SeveralResult(
        completed=completed,
        codes=draw_codes(numbers, network.latent_dim, seed=seed).reshape(*shape, -1),
        loss=None,
        uncertainty=uncertainty_map(completed),
        diversity=hole_diversity(completed, problem.known),
    )


def require_code(network: InpaintingNetwork) -> None:
    """Check that a network has more than one answer to a hole.

    Raises:
        ValueError: It takes no code.
    """
    if not network.latent_dim:
        raise ValueError(
            f"the network {network.kind!r} has one answer to a hole, as it takes no "
            "code; ask for one sample, or use a method that has many, such as 'iconv'."
        )


def draw_codes(numbers: np.ndarray, latent_dim: int, *, seed: int) -> np.ndarray:
    """Draw a code for each numbered image, a function of its number and the seed.

    Returns:
        float32 `[B, latent_dim]`, standard normal.

    Raises:
        ValueError: The seed is negative.
    """
    if seed < 0:
        raise ValueError(f"`seed` must be 0 or more; got {seed}.")
    codes = [
        np.random.default_rng([seed, CODES, int(number)]).standard_normal(latent_dim)
        for number in numbers
    ]
    return np.asarray(codes, np.float32).reshape(len(numbers), latent_dim)
