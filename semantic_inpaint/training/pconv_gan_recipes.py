"""What PConv-GAN is trained with: its phases, and the four models that it compares.

Numbers are those of Lundgren, Bolin & Jersch (2018) unless something else is said.
"""

from __future__ import annotations

import dataclasses
from typing import Any

from semantic_inpaint.losses.pconv_gan import ADVERSARIAL_WEIGHT, VALID_WEIGHT
from semantic_inpaint.models.pconv_gan import CONVOLUTIONS, count_levels
from semantic_inpaint.training.inpainting_recipes import InpaintingRecipe

# Section 4.4: iterations of G alone, of D alone, and of both.
PAPER_PHASES = (25_000, 6_000, 94_000)
PAPER_STEPS = sum(PAPER_PHASES)


@dataclasses.dataclass(frozen=True)
class PConvGanRecipe(InpaintingRecipe):
    """Architecture and training of one PConv-GAN.

    The training has three phases: the generator alone learns to reconstruct, then the
    discriminators alone to tell its images from real ones, then both go on together.
    Their shares of the steps are the paper's at any length; a run that is prolonged
    has its phases where those of the longer run are.

    Attributes:
        width: Filters of the generator's first layer.
        convolution: `"partial"` or `"plain"`.
        discriminator_width: Filters of the discriminators' first layers.
        discriminator_units: Units of each discriminator's dense layer.
        local: Have the two local discriminators beside the global one.
        valid_weight: Weight of the squared error of the known pixels beside that in
            the hole.
        adversarial_weight: Weight of what the discriminators think; 0 trains the
            generator on its squared error alone, all the time.
        generator_share: Share of the steps for the generator alone.
        discriminator_share: Share of the steps after them for the discriminators.
        beta_1: Adam's first decay.
        beta_2: Adam's second decay.
    """

    width: int = 22
    convolution: str = "partial"
    discriminator_width: int = 12
    discriminator_units: int = 128
    local: bool = True
    valid_weight: float = VALID_WEIGHT
    adversarial_weight: float = ADVERSARIAL_WEIGHT
    generator_share: float = PAPER_PHASES[0] / PAPER_STEPS
    discriminator_share: float = PAPER_PHASES[1] / PAPER_STEPS
    beta_1: float = 0.9
    beta_2: float = 0.999

    def __post_init__(self) -> None:
        """Check the numbers.

        Raises:
            ValueError: A value that cannot be trained with.
        """
        super().__post_init__()
        count_levels(self.image_size)
        for field in ("width", "discriminator_width", "discriminator_units"):
            if not getattr(self, field) > 0:
                raise ValueError(
                    f"`{field}` must be positive; got {getattr(self, field)}."
                )
        for field in ("valid_weight", "adversarial_weight"):
            if not getattr(self, field) >= 0:
                raise ValueError(
                    f"`{field}` must be 0 or more; got {getattr(self, field)}."
                )
        if self.convolution not in CONVOLUTIONS:
            raise ValueError(
                f"`convolution` must be one of {', '.join(CONVOLUTIONS)}; got "
                f"{self.convolution!r}."
            )
        shares = (self.generator_share, self.discriminator_share)
        if min(shares) < 0 or sum(shares) > 1:
            raise ValueError(
                "`generator_share` and `discriminator_share` must be 0 or more and "
                f"together at most 1; got {shares[0]} and {shares[1]}."
            )
        if not (0 <= self.beta_1 < 1 and 0 <= self.beta_2 < 1):
            raise ValueError(
                f"betas must be in [0, 1); got {self.beta_1} and {self.beta_2}."
            )

    def network(self) -> tuple[str, dict[str, Any]]:
        """Return the kind of the generator, and how it is built."""
        return "pconv-gan", self.pick("image_size", "width", "convolution")

    def phase_at(self, step: int) -> str:
        """What the step after `step` steps trains.

        Returns:
            `"generator"`, `"discriminator"` or `"both"`.
        """
        alone = round(self.generator_share * self.num_steps)
        judging = round(self.discriminator_share * self.num_steps)
        if self.adversarial_weight == 0 or step < alone:
            return "generator"
        return "discriminator" if step < alone + judging else "both"


PCONV_GAN = PConvGanRecipe(holes="any", learning_rate=1e-3, learning_rate_end=1e-5)
"""The paper's procedure on two cores: 64 px, networks of a third its width, any hole.

The rate falls, as a training a fifth as long has no time to settle by itself. The
generator has 546,048 weights and takes 52 million multiplications for an image.
"""
PCONV_GAN_MSE = dataclasses.replace(PCONV_GAN, adversarial_weight=0.0)
"""Trained on its squared error alone (section 5.1)."""
PCONV_GAN_NO_LOCAL = dataclasses.replace(PCONV_GAN, local=False)
"""Without the two local discriminators (section 5.2)."""
PCONV_GAN_PLAIN = dataclasses.replace(PCONV_GAN, convolution="plain")
"""With convolutions as usual (section 5.3)."""

PCONV_GAN_128 = PConvGanRecipe(
    image_size=128,
    batch_size=16,
    num_images=16 * PAPER_STEPS,
    learning_rate=1e-3,
    holes="two-rectangles",
    flip=False,
    average_halflife=0.0,
    width=64,
    discriminator_width=32,
    discriminator_units=512,
)
"""The paper's own size, hole and length; it names Adam without its rate."""

PCONV_GAN_RECIPES = {
    "pconv-gan": PCONV_GAN,
    "pconv-gan-mse": PCONV_GAN_MSE,
    "pconv-gan-no-local": PCONV_GAN_NO_LOCAL,
    "pconv-gan-plain": PCONV_GAN_PLAIN,
    "pconv-gan-128": PCONV_GAN_128,
}
