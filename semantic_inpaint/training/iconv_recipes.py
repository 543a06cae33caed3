"""What IConv is trained with (Hukkelås et al. 2020), and its configs A to E."""

from __future__ import annotations

import dataclasses
import math
from typing import Any

from semantic_inpaint.losses.iconv import get_penalty
from semantic_inpaint.models.iconv_convolutions import CONVOLUTIONS
from semantic_inpaint.models.iconv_generator import POSES
from semantic_inpaint.models.imputed_conv import VARIANTS
from semantic_inpaint.training.inpainting_recipes import InpaintingRecipe

# At 4x4, so that a code has 512 numbers.
LATENT_CHANNELS = 32


@dataclasses.dataclass(frozen=True)
class IConvRecipe(InpaintingRecipe):
    """Architecture and training of one IConv network; the default is config E.

    The defaults of learning rate and average are the authors'. Adam's step is in units
    of each layer's initial scale (the equalised learning rate), so that .001 is not as
    large as it looks.

    Attributes:
        model_size: Channels from 4x4 up to `full_width_side`.
        full_width_side: The channels are halved at each doubling of the side above it;
            32 in the paper.
        convolution: `"imputed"`, `"plain"` or `"gated"`, in the generator.
        variant: Of the imputed convolution, `"official"` or `"paper"`.
        latent_dim: Length of the code, 16 for each of its channels; 0: none.
        num_landmarks: Landmarks of the pose, 5 with CelebA's; 0: none.
        generator_pose: `"scalar"` or `"one-hot"`, where there are landmarks.
        discriminator_pose: `"scalar"` or `"one-hot"`.
        residual: Residual connections in the critic.
        critic_gain: Of the critic's kernels: what they and their steps are multiplied
            by. At 1, the authors' choice, each layer halves the power of what goes
            through it; sqrt(2) nearly keeps it (He et al. 2015).
        critic_lead: How many times as large as the generator's the critic's rate is;
            the recipe's rate is the critic's (Heusel et al. 2017).
        constrain_output: Put the known pixels back (eq. 12).
        penalty: `"revised"` (eq. 10), `"hole"` (eq. 9) or `"standard"` (eq. 8).
        penalty_weight: Lambda of eq. 11.
        penalty_interval: Steps between penalties (lazy regularisation: the weight is
            multiplied by the interval).
        drift_weight: Weight of the squared value of real images, which holds the
            critic's values near 0 (Karras et al. 2018).
        beta_1: Adam's first decay.
        beta_2: Adam's second decay.
    """

    learning_rate: float = 1e-3
    model_size: int = 64
    full_width_side: int = 8
    convolution: str = "imputed"
    variant: str = "official"
    latent_dim: int = 16 * LATENT_CHANNELS
    num_landmarks: int = 0
    generator_pose: str = "scalar"
    discriminator_pose: str = "scalar"
    residual: bool = True
    critic_gain: float = 1.0
    critic_lead: float = 1.0
    constrain_output: bool = True
    penalty: str = "revised"
    penalty_weight: float = 10.0
    penalty_interval: int = 16
    drift_weight: float = 1e-3
    beta_1: float = 0.0
    beta_2: float = 0.99

    def __post_init__(self) -> None:
        """Check the words and numbers.

        Raises:
            ValueError: A value that cannot be trained with.
        """
        super().__post_init__()
        words = {
            "convolution": tuple(CONVOLUTIONS),
            "variant": VARIANTS,
            "generator_pose": POSES,
            "discriminator_pose": POSES,
        }
        for field, known_words in words.items():
            if getattr(self, field) not in known_words:
                raise ValueError(
                    f"`{field}` must be one of {', '.join(known_words)}; got "
                    f"{getattr(self, field)!r}."
                )
        get_penalty(self.penalty)
        if self.latent_dim % 16:
            raise ValueError(
                "`latent_dim` must be 0 or a multiple of 16, the places of a 4x4 map; "
                f"got {self.latent_dim}."
            )
        for field in ("critic_gain", "critic_lead"):
            if not getattr(self, field) > 0:
                raise ValueError(
                    f"`{field}` must be positive; got {getattr(self, field)}."
                )
        if self.penalty_interval < 1:
            raise ValueError(
                f"`penalty_interval` must be 1 or more; got {self.penalty_interval}."
            )
        if min(self.penalty_weight, self.drift_weight) < 0:
            raise ValueError(
                "`penalty_weight` and `drift_weight` must be 0 or more; got "
                f"{self.penalty_weight} and {self.drift_weight}."
            )
        if not (0 <= self.beta_1 < 1 and 0 <= self.beta_2 < 1):
            raise ValueError(
                f"betas must be in [0, 1); got {self.beta_1} and {self.beta_2}."
            )

    def network(self) -> tuple[str, dict[str, Any]]:
        """Return the kind of the generator, and how it is built."""
        names = ("model_size", "full_width_side", "latent_channels", "num_landmarks")
        names += ("convolution", "variant", "constrain_output")
        architecture = self.pick("image_size", *names)
        return "iconv", {**architecture, "pose": self.generator_pose}

    @property
    def latent_channels(self) -> int:
        """Channels of the code when it is folded to 4x4."""
        return self.latent_dim // 16

    @property
    def lazy_share(self) -> float:
        """How much less the critic learns in a step, as some steps update it twice.

        With an interval of k there are k + 1 updates in k steps: rate and betas are
        those of k / (k + 1) of an update (Karras et al. 2020, appendix B).
        """
        if self.penalty_weight == 0:
            return 1.0
        return self.penalty_interval / (self.penalty_interval + 1)


CONFIG_E = IConvRecipe(
    holes="any", num_images=416_000, learning_rate_end=5e-5, average_halflife=40_000.0
)
"""Table 1's config E on images without landmarks, narrow enough for a processor.

The rate falls and the average is long, since the training is short; the authors' rate
is constant, over 20 million images.
"""

CRITIC_GAIN = dataclasses.replace(CONFIG_E, critic_gain=math.sqrt(2.0))
"""Config E with a critic that is of use sooner (docs/decisions/0020)."""

ICONV_64 = dataclasses.replace(
    CRITIC_GAIN,
    num_images=288_000,
    critic_lead=2.0,
    learning_rate=4e-3,
)
"""What ships: the critic also learns faster than the generator, and both faster."""

CONFIG_D = dataclasses.replace(CONFIG_E, residual=False, discriminator_pose="one-hot")
"""Imputed convolutions, without what came with MSG: the critic's residual connections
and scalar pose. Trained at all scales at once, as all of these, and not grown
(docs/decisions/0020)."""

CONFIG_C = dataclasses.replace(CONFIG_D, convolution="plain")
"""Scalar pose in the generator; without landmarks this is config B."""

CONFIG_B = dataclasses.replace(CONFIG_C, generator_pose="one-hot")
"""The revised penalty (eq. 10) and the constrained output (eq. 12)."""

CONFIG_A = dataclasses.replace(CONFIG_B, penalty="standard", constrain_output=False)
"""The baseline: plain convolutions and the penalty of eq. 8."""

CONFIGS = {
    "A": CONFIG_A,
    "B": CONFIG_B,
    "C": CONFIG_C,
    "D": CONFIG_D,
    "E": CONFIG_E,
}

WITHOUT_LATENT = dataclasses.replace(CONFIG_E, latent_dim=0)
"""Config E without its code: one answer to a hole."""

PLAIN_CONVOLUTIONS = dataclasses.replace(CONFIG_E, convolution="plain")
"""Config E but for the layer."""

STANDARD_PENALTY = dataclasses.replace(CONFIG_E, penalty="standard")
"""Config E but for the penalty, that of eq. 8."""

HOLE_PENALTY = dataclasses.replace(CONFIG_E, penalty="hole")
"""Config E but for the penalty, that of eq. 9."""

PAPER_FACES = dataclasses.replace(
    CONFIG_E,
    image_size=128,
    batch_size=32,
    num_images=20_000_000,
    learning_rate_end=None,
    average_halflife=10_000.0,
    model_size=128,
    full_width_side=32,
)
"""Config E as in table 1, at 128x128; give `num_landmarks` where there are any."""

PAPER_FREE_FORM = dataclasses.replace(
    PAPER_FACES,
    image_size=256,
    model_size=256,
    learning_rate=1.5e-3,
    holes="freeform",
)
"""The network of table 2, at 256x256, of twice the channels."""

ICONV_RECIPES = {
    "iconv": ICONV_64,
    "iconv-critic-gain": CRITIC_GAIN,
    **{f"iconv-{letter.lower()}": recipe for letter, recipe in CONFIGS.items()},
    "iconv-no-latent": WITHOUT_LATENT,
    "iconv-plain": PLAIN_CONVOLUTIONS,
    "iconv-standard-penalty": STANDARD_PENALTY,
    "iconv-hole-penalty": HOLE_PENALTY,
    "iconv-128": PAPER_FACES,
    "iconv-256": PAPER_FREE_FORM,
}
