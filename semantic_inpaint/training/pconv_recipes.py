"""What a U-Net of partial convolutions, or a twin of it, is trained with."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import Any

from semantic_inpaint.models.pconv_unet import UNETS, plan_unet
from semantic_inpaint.models.perceptual_features import check_source, file_of_source
from semantic_inpaint.training.inpainting_recipes import InpaintingRecipe


@dataclasses.dataclass(frozen=True)
class PConvRecipe(InpaintingRecipe):
    """Architecture and training after Liu et al. (2018), sections 3.2 to 4.2.

    The defaults of the weights are those of equation 7.

    Attributes:
        layer: What the network convolves with: `"pconv"`, `"conv"` or `"gated"`.
        width: Channels of its first row, 64 in the paper.
        valid_weight: Of the error of known pixels.
        hole_weight: Of the error in the hole.
        perceptual_weight: Of the distance in features, for the output and for the
            composite with the known pixels.
        style_weight: Of the distance in style, for both.
        variation_weight: Of the total variation of the composite round the hole.
        perceptual: Whose features: see `load_perceptual_features`; `"none"` leaves
            features and style out.
        perceptual_images: Images of each batch whose features are looked at; None: all.
            At 64 pixels those of one cost half as much as all else.
        perceptual_start: Share of the training after which features are looked at.
        fine_tune_start: Share of the training after which the encoder's batch
            normalisation is frozen; 1: never.
        fine_tune_rate: Learning rate from there on; None: as if there were no such
            stage.
        optimizer: `"adam"`, or `"muon"` for the kernels of convolutions and Adam for
            all else.
        beta_1: Adam's first decay.
        beta_2: Adam's second decay.
    """

    layer: str = "pconv"
    width: int = 64
    valid_weight: float = 1.0
    hole_weight: float = 6.0
    perceptual_weight: float = 0.05
    style_weight: float = 120.0
    variation_weight: float = 0.1
    perceptual: str = "stlpips-vgg16"
    perceptual_images: int | None = None
    perceptual_start: float = 0.0
    fine_tune_start: float = 1.0
    fine_tune_rate: float | None = None
    optimizer: str = "adam"
    beta_1: float = 0.9
    beta_2: float = 0.999

    def __post_init__(self) -> None:
        """Check the numbers and words.

        Raises:
            ValueError: A value that cannot be trained with.
        """
        super().__post_init__()
        if self.layer not in UNETS:
            raise ValueError(
                f"`layer` must be one of {', '.join(UNETS)}; got {self.layer!r}."
            )
        plan_unet(image_size=self.image_size, width=self.width)
        check_source(self.perceptual)
        for field in ("valid", "hole", "perceptual", "style", "variation"):
            if not getattr(self, f"{field}_weight") >= 0:
                raise ValueError(
                    f"`{field}_weight` must be 0 or more; got "
                    f"{getattr(self, f'{field}_weight')}."
                )
        if self.perceptual_images is not None and self.perceptual_images < 1:
            raise ValueError(
                f"`perceptual_images` must be 1 or more, or None for all; got "
                f"{self.perceptual_images}. Use perceptual='none' for no features."
            )
        for field in ("perceptual_start", "fine_tune_start"):
            if not 0.0 <= getattr(self, field) <= 1.0:
                raise ValueError(
                    f"`{field}` must be in [0, 1]; got {getattr(self, field)}."
                )
        if self.fine_tune_rate is not None and not self.fine_tune_rate > 0:
            raise ValueError(
                f"`fine_tune_rate` must be positive; got {self.fine_tune_rate}."
            )
        if self.optimizer not in ("adam", "muon"):
            raise ValueError(
                f"`optimizer` must be 'adam' or 'muon'; got {self.optimizer!r}."
            )
        if not (0 <= self.beta_1 < 1 and 0 <= self.beta_2 < 1):
            raise ValueError(
                f"betas must be in [0, 1); got {self.beta_1} and {self.beta_2}."
            )

    def network(self) -> tuple[str, dict[str, Any]]:
        """Return the kind of the U-Net, and how it is built."""
        return self.layer, self.pick("image_size", "width")

    def files(self) -> dict[str, Path]:
        """Return the file of the features, where they are read from one."""
        path = file_of_source(self.perceptual)
        return {} if path is None else {"perceptual": path}

    def is_fine_tuning(self, step: int) -> bool:
        """Whether the step after `step` steps belongs to the second stage."""
        return step >= self.fine_tune_start * self.num_steps

    def looks_at_features(self, step: int) -> bool:
        """Whether the step after `step` steps has the terms that need features."""
        return (
            self.perceptual != "none" and step >= self.perceptual_start * self.num_steps
        )

    def rate_at(self, step: int) -> float:
        """Learning rate of the step after `step` steps."""
        if self.fine_tune_rate is not None and self.is_fine_tuning(step):
            return self.fine_tune_rate
        return super().rate_at(step)


PCONV_512 = PConvRecipe(
    image_size=512,
    batch_size=6,
    num_images=6_600_000,
    learning_rate=2e-4,
    holes="freeform",
    flip=False,
    average_halflife=0.0,
    precision="float32",
    perceptual="vgg16",
    fine_tune_start=8 / 11,
    fine_tune_rate=5e-5,
)
"""The paper's own, for a large GPU.

Its length is not in the paper, which counts days (10 and 1 for photographs, 3 and 1 for
faces); 800,000 and 300,000 steps are what MMagic takes for the two stages.
"""

PCONV_256 = dataclasses.replace(PCONV_512, image_size=256)
"""The paper's procedure at half its side, a level of the U-Net fewer."""

PCONV_128 = dataclasses.replace(PCONV_512, image_size=128)
"""The paper's procedure at a quarter of its side, two levels fewer."""

PCONV_64 = PConvRecipe(
    holes="any",
    width=32,
    num_images=900_000,
    learning_rate=2e-3,
    learning_rate_end=1e-5,
    perceptual_images=1,
    perceptual_start=0.9,
    fine_tune_start=0.8,
    optimizer="muon",
)
"""Partial convolutions at a size and width that two processor cores can train."""

PCONV_ADAM_64 = dataclasses.replace(PCONV_64, optimizer="adam")
"""The same with the paper's optimiser for all weights, for comparison."""

PCONV_SUPER_RESOLUTION_64 = dataclasses.replace(
    PCONV_64, holes="super-resolution", num_images=128_000
)
"""For images between whose pixels others are missing (section 5.2)."""

CONV_64 = dataclasses.replace(PCONV_64, layer="conv")
"""The same with plain convolutions."""

GATED_64 = dataclasses.replace(PCONV_64, layer="gated", width=23)
"""The same with gated convolutions, narrower, so that it has about as many weights:
3,012,946 instead of 2,911,412."""
