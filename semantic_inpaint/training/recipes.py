"""What a prior is trained with: every constant, and the recipes that made ours."""

from __future__ import annotations

import dataclasses
from typing import Any

from semantic_inpaint.losses.adversarial import LOSSES
from semantic_inpaint.training.augmentation import POLICIES


@dataclasses.dataclass(frozen=True)
class PriorRecipe:
    """Architecture and training of one prior.

    A run may be prolonged by another `num_images` or `num_epochs`. The learning rate
    then falls as if the run had that length from its start, but only in the steps
    from there on: those that are done keep theirs. The card of the prior has the
    recipe of the last leg.

    Attributes:
        generator_width: Channels of the generator at 4x4.
        discriminator_width: Channels of the discriminator's first convolution.
        normalization: `"batch"` or `"none"` in the discriminator.
        image_size: Side of the images.
        latent_dim: Length of the code, uniform in [-1, 1].
        batch_size: Images per step.
        num_images: Training images to see in all, which also sets where the learning
            rate falls; None: `num_epochs` decides.
        num_epochs: Passes through the data, where `num_images` is None.
        learning_rate: Adam's, for both networks.
        decay_start: Share of the training after which the learning rate falls,
            linearly; 1 keeps it constant. Prolonging a run moves this point.
        final_rate: Share of the learning rate that is left at the end.
        beta_1: Adam's first decay.
        beta_2: Adam's second decay.
        loss: `"logistic"` (non-saturating), `"hinge"` or `"wasserstein"`.
        real_label: Target of the discriminator for real images.
        r1_gamma: Weight of the R1 penalty; 0 leaves it out.
        r1_interval: Steps between penalties (lazy regularisation: the weight is
            multiplied by the interval).
        slope_weight: Weight of the WGAN-GP penalty, in every step; 0 leaves it out.
        spectral_norm: Divide the kernels of D by their largest singular values.
        augmentation: What differentiable augmentation changes before D looks: some of
            `color`, `translation` and `cutout`, joined by commas; empty: nothing.
        inverse_weight: Weight of the mean squared error with which G gives back real
            faces from the codes that an encoder finds; 0 trains none.
        inverse_interval: Steps between inversions (lazy: G's share of the loss is
            multiplied by the interval).
        inverse_holes: Share of the images that the encoder is shown with a hole.
        flip: Mirror images at random.
        average_half_life: Half-life of the generator's moving average in images; 0
            takes the raw weights.
        average_ramp: The half-life is at most this share of the images seen so far,
            since an average over the first steps is mud.
        shared_backward: Compute the gradients of both losses in one pass through the
            discriminator, for simultaneous updates; needs `normalization="none"` and
            another loss than hinge.
        precision: `"auto"`, `"float32"` or `"bfloat16"`.
        seed: Of the weights, the order of the data, flips and codes.
    """

    generator_width: int = 512
    discriminator_width: int = 48
    normalization: str = "none"
    image_size: int = 64
    latent_dim: int = 100
    batch_size: int = 64
    num_images: int | None = 1_024_000
    num_epochs: float = 25.0
    learning_rate: float = 2e-4
    decay_start: float = 0.4
    final_rate: float = 0.1
    beta_1: float = 0.5
    beta_2: float = 0.99
    loss: str = "logistic"
    real_label: float = 1.0
    r1_gamma: float = 1.0
    r1_interval: int = 16
    slope_weight: float = 0.0
    spectral_norm: bool = False
    augmentation: str = ""
    inverse_weight: float = 0.0
    inverse_interval: int = 1
    inverse_holes: float = 0.5
    flip: bool = True
    average_half_life: float = 50_000.0
    average_ramp: float = 0.1
    shared_backward: bool = True
    precision: str = "auto"
    seed: int = 0

    def __post_init__(self) -> None:
        """Check what no single network can check.

        Raises:
            ValueError: A value that cannot be trained with.
        """
        if self.shared_backward and self.normalization != "none":
            raise ValueError(
                "`shared_backward` needs `normalization='none'`: with batch "
                "normalisation one image's gradient depends on the others. Set "
                "`shared_backward=False`."
            )
        if self.loss not in LOSSES:
            raise ValueError(
                f"`loss` must be one of {', '.join(LOSSES)}; got {self.loss!r}."
            )
        if self.shared_backward and self.loss == "hinge":
            raise ValueError(
                "`shared_backward` cannot give the gradient of the hinge loss where D "
                "is sure. Set `shared_backward=False`."
            )
        if unknown := sorted(set(self.policy) - set(POLICIES)):
            raise ValueError(
                f"`augmentation` may name {', '.join(POLICIES)}; got {unknown}."
            )
        if not 0.0 <= self.inverse_holes <= 1.0:
            raise ValueError(
                f"`inverse_holes` must be in [0, 1]; got {self.inverse_holes}."
            )
        positive = (
            "batch_size",
            "learning_rate",
            "r1_interval",
            "inverse_interval",
            "num_epochs",
        )
        for field in positive:
            if not getattr(self, field) > 0:
                raise ValueError(
                    f"`{field}` must be positive; got {getattr(self, field)}."
                )
        if self.num_images is not None and self.num_images < self.batch_size:
            raise ValueError(
                f"`num_images` must be at least one batch ({self.batch_size}); got "
                f"{self.num_images}."
            )

    @property
    def policy(self) -> tuple[str, ...]:
        """The words of `augmentation`."""
        return tuple(word for word in self.augmentation.split(",") if word)

    def num_steps(self, num_examples: int) -> int:
        """Steps of the whole training on `num_examples` images."""
        num_images = (
            self.num_epochs * num_examples
            if self.num_images is None
            else self.num_images
        )
        return max(1, round(num_images / self.batch_size))

    def learning_rate_at(self, step: int, num_steps: int) -> float:
        """Learning rate of the step after `step` steps of `num_steps`."""
        start = self.decay_start * num_steps
        if step < start:
            return self.learning_rate
        done = (step - start) / (num_steps - start)
        return self.learning_rate * (1.0 - done * (1.0 - self.final_rate))

    def average_decay(self, step: int) -> float:
        """Decay of the moving average, its half-life growing with the images seen."""
        half_life = min(
            self.average_half_life, self.average_ramp * self.batch_size * (step + 1)
        )
        return 0.5 ** (self.batch_size / half_life) if half_life > 0 else 0.0

    def as_dict(self) -> dict[str, Any]:
        """Return the fields, as they go into a card."""
        return dataclasses.asdict(self)


PLAIN = PriorRecipe()
"""The GAN alone: what the compared recipes differ from."""

SLIM = dataclasses.replace(
    PLAIN, inverse_weight=30.0, average_half_life=100_000.0, num_images=5_120_000
)
"""The default: a network that a laptop can search, trained so that it can be searched
(docs/decisions/0009)."""

SLIM_END = dataclasses.replace(
    SLIM, inverse_weight=10.0, inverse_interval=2, num_images=2_336_000
)
"""The last leg of the slim prior: more weight on how faces look (`go_on_from` a run of
`slim`)."""

SAMPLES = dataclasses.replace(
    PLAIN, generator_width=384, discriminator_width=32, num_images=832_000, seed=7
)
"""What draws the sample faces: of other widths and another seed than any shipped prior,
so that none has them in its range."""

FULL = dataclasses.replace(SLIM, generator_width=1024, discriminator_width=64)
"""The papers' width, trained as the slim one; for a GPU."""

PAPER = PriorRecipe(
    generator_width=1024,
    discriminator_width=64,
    normalization="batch",
    num_images=None,
    num_epochs=25,
    learning_rate=2e-4,
    decay_start=1.0,
    beta_1=0.5,
    beta_2=0.9,
    r1_gamma=0.0,
    flip=False,
    average_half_life=0.0,
    shared_backward=False,
    precision="float32",
)
"""Malesevic et al., section 3.2: batch 64, Adam (.5, .9), 25 epochs.

The text says a learning rate of .002, ten times what DCGANs are trained with
everywhere else; pass `learning_rate=0.002` to follow it to the letter.
"""

TINY = PriorRecipe(
    generator_width=8,
    discriminator_width=4,
    image_size=16,
    latent_dim=8,
    batch_size=4,
    num_images=32,
    average_half_life=16.0,
    r1_interval=2,
    precision="float32",
)
"""A few filters at 16x16: trains in seconds, for tests and first tries."""
