"""What every feed-forward inpainter is trained with, whatever its network."""

from __future__ import annotations

import dataclasses
import math
from pathlib import Path
from typing import Any, ClassVar

from semantic_inpaint.training.holes import check_holes

# The moving average's half-life is at most this share of the images seen so far, since
# an average over the first steps is mud.
AVERAGE_RAMP = 0.1


@dataclasses.dataclass(frozen=True)
class InpaintingRecipe:
    """Training of one inpainting network; each paper's recipe adds its own fields.

    A run may be prolonged by another `num_images`; a falling learning rate then falls
    as if the run had that length from its start, but only in the steps from there on.

    Attributes:
        image_size: Side of the images.
        batch_size: Images per step.
        num_images: Images to see in all, which also sets where the learning rate
            reaches its end.
        learning_rate: Adam's, at the first step.
        learning_rate_end: What it falls to on a cosine; None: it stays.
        holes: What is missing: a word of `training.holes.HOLE_KINDS`, a published
            pattern, or several of these joined by "+".
        flip: Mirror images at random.
        average_halflife: Half-life of the moving average of the weights in images; 0
            takes the raw weights.
        precision: `"auto"`, `"float32"` or `"bfloat16"`.
        seed: Of the weights, the order of the data, flips, holes and codes.
    """

    image_size: int = 64
    batch_size: int = 16
    num_images: int = 400_000
    learning_rate: float = 2e-4
    learning_rate_end: float | None = None
    holes: str = "mixed"
    flip: bool = True
    average_halflife: float = 10_000.0
    precision: str = "auto"
    seed: int = 0

    # What a batch has beside images and holes; a recipe that needs them has fields of
    # these names.
    latent_dim: ClassVar[int] = 0
    num_landmarks: ClassVar[int] = 0

    def __post_init__(self) -> None:
        """Check the numbers that all have in common.

        Raises:
            ValueError: A value that cannot be trained with.
        """
        for field in ("image_size", "batch_size", "learning_rate"):
            if not getattr(self, field) > 0:
                raise ValueError(
                    f"`{field}` must be positive; got {getattr(self, field)}."
                )
        for field in ("average_halflife", "seed", "latent_dim", "num_landmarks"):
            if not getattr(self, field) >= 0:
                raise ValueError(
                    f"`{field}` must be 0 or more; got {getattr(self, field)}."
                )
        if self.learning_rate_end is not None and not self.learning_rate_end >= 0:
            raise ValueError(
                f"`learning_rate_end` must be 0 or more, or None for a constant rate; "
                f"got {self.learning_rate_end}."
            )
        if self.num_images < self.batch_size:
            raise ValueError(
                f"`num_images` must be at least one batch ({self.batch_size}); got "
                f"{self.num_images}."
            )
        check_holes(self.holes, self.image_size)

    def network(self) -> tuple[str, dict[str, Any]]:
        """Return the kind of network that is trained, and how it is built.

        Returns:
            A key of `models.inpainting_networks.NETWORKS`, and the keywords of its
            builder but `dtype` and `seed`: trainer and card both build by them.
        """
        raise NotImplementedError

    def files(self) -> dict[str, Path]:
        """Return the files that are trained with, by the fields that name them."""
        return {}

    @property
    def num_steps(self) -> int:
        """Steps of the whole training."""
        return max(1, round(self.num_images / self.batch_size))

    def rate_at(self, step: int) -> float:
        """Learning rate of the step after `step` steps; a schedule overrides this."""
        if self.learning_rate_end is None:
            return self.learning_rate
        left = 0.5 * (1.0 + math.cos(math.pi * step / self.num_steps))
        return self.learning_rate_end + left * (
            self.learning_rate - self.learning_rate_end
        )

    def learning_rate_at(self, step: int, num_steps: int) -> float:
        """Learning rate as the loop asks for it; `num_steps` is the recipe's own."""
        return self.rate_at(step)

    def average_decay_at(self, step: int) -> float:
        """Decay of the moving average, its half-life growing with the images seen."""
        seen = self.batch_size * (step + 1)
        half_life = min(self.average_halflife, AVERAGE_RAMP * seen)
        return 0.5 ** (self.batch_size / half_life) if half_life > 0 else 0.0

    def as_dict(self) -> dict[str, Any]:
        """Return the fields, as they go into a card."""
        return dataclasses.asdict(self)

    def pick(self, *names: str) -> dict[str, Any]:
        """Return some of the fields and properties by name."""
        return {name: getattr(self, name) for name in names}
