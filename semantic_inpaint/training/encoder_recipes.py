"""What an encoder is trained with: every constant."""

from __future__ import annotations

import dataclasses
import math
from typing import Any


@dataclasses.dataclass(frozen=True)
class EncoderRecipe:
    """Architecture and training of the encoder of one prior.

    A run may be prolonged by another `num_images`; the learning rate then falls as if
    the run had that length from its start, but only in the steps from there on.

    Attributes:
        width: Channels after the first convolution.
        hidden: Units of the layer before the code.
        batch_size: Real images per step.
        num_images: Real images to see in all, which also sets where the learning rate
            reaches 0.
        learning_rate: Adam's, falling on a cosine.
        beta_1: Adam's first decay.
        beta_2: Adam's second decay.
        code_weight: Weight of the squared error of the code beside that of the image,
            both means, where the code is known.
        pair_share: Generated images, whose code is known, as a share of the real ones.
        flip: Mirror real images at random.
        average_half_life: Half-life of the moving average of the weights in images; 0
            takes the raw weights.
        average_ramp: The half-life is at most this share of the images seen so far.
        precision: `"auto"`, `"float32"` or `"bfloat16"`.
        seed: Of the weights, the order of the data, flips, holes and codes.
    """

    width: int = 48
    hidden: int = 256
    batch_size: int = 64
    num_images: int = 400_000
    learning_rate: float = 5e-4
    beta_1: float = 0.9
    beta_2: float = 0.99
    code_weight: float = 0.1
    pair_share: float = 0.25
    flip: bool = True
    average_half_life: float = 10_000.0
    average_ramp: float = 0.1
    precision: str = "auto"
    seed: int = 0

    def __post_init__(self) -> None:
        """Check the numbers.

        Raises:
            ValueError: A value that cannot be trained with.
        """
        for field in ("width", "hidden", "batch_size", "learning_rate"):
            if not getattr(self, field) > 0:
                raise ValueError(
                    f"`{field}` must be positive; got {getattr(self, field)}."
                )
        for field in ("code_weight", "pair_share", "average_half_life", "seed"):
            if not getattr(self, field) >= 0:
                raise ValueError(
                    f"`{field}` must be 0 or more; got {getattr(self, field)}."
                )
        if not (0 <= self.beta_1 < 1 and 0 <= self.beta_2 < 1):
            raise ValueError(
                f"betas must be in [0, 1); got {self.beta_1} and {self.beta_2}."
            )
        if self.num_images < self.batch_size:
            raise ValueError(
                f"`num_images` must be at least one batch ({self.batch_size}); got "
                f"{self.num_images}."
            )

    @property
    def num_pairs(self) -> int:
        """Generated images per step."""
        return round(self.pair_share * self.batch_size)

    @property
    def num_steps(self) -> int:
        """Steps of the whole training."""
        return max(1, round(self.num_images / self.batch_size))

    def learning_rate_at(self, step: int, num_steps: int) -> float:
        """Learning rate of the step after `step` steps of `num_steps`."""
        return self.learning_rate * 0.5 * (1.0 + math.cos(math.pi * step / num_steps))

    def average_decay_at(self, step: int) -> float:
        """Decay of the moving average, its half-life growing with the images seen."""
        seen = self.batch_size * (step + 1)
        half_life = min(self.average_half_life, self.average_ramp * seen)
        return 0.5 ** (self.batch_size / half_life) if half_life > 0 else 0.0

    def as_dict(self) -> dict[str, Any]:
        """Return the fields, as they go into a card."""
        return dataclasses.asdict(self)
