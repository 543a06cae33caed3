"""Train a feed-forward inpainter: what `pipelines/train_inpainter.py` runs."""

from __future__ import annotations

import dataclasses
import time
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import tyro
from rich.console import Console

from semantic_inpaint.app.quiet import load_backend
from semantic_inpaint.app.training import (
    open_training_data,
    run_training,
    training_report,
)

if TYPE_CHECKING:
    from semantic_inpaint.datasets import PackedImages
    from semantic_inpaint.datasets.landmarks import Landmarks
    from semantic_inpaint.training.inpainting import InpaintingTraining, Spread
    from semantic_inpaint.training.inpainting_recipes import InpaintingRecipe
    from semantic_inpaint.training.loop import TrainingData
    from semantic_inpaint.training.steps import Report

# Words that are fields of recipes, though not each of every recipe.
OVERRIDES = (
    "image_size",
    "width",
    "model_size",
    "variant",
    "perceptual",
    "num_images",
    "batch_size",
    "learning_rate",
    "holes",
    "flip",
    "precision",
    "seed",
)
# What is measured on other images stands under this in the reports.
MEASURE = "validation_psnr_"
# As many scalars stand behind the progress bar.
SHOWN = 4


@dataclasses.dataclass(frozen=True)
class InpainterOptions:
    """Train an inpainter; start it again with the same words to go on where it stopped.

    Words without a default of their own take the recipe's.
    """

    recipe: tyro.conf.Positional[str]
    """pconv, conv, gated, iconv, pconv-gan, or another of training/inpainting_table.py;
    tiny for a first try."""
    data: Path
    """Folder that prepare_data.py made."""
    out: Path
    """Folder of the run: state, TensorBoard events, sheets, and at the end the network
    with its card, in the subfolder network."""
    partitions: tuple[int, ...] = (0, 2)
    """Partitions to train on (CelebA: 0 training, 1 validation, 2 test). A set without
    partitions is used whole."""
    validation_images: int = 256
    """So many images of partition 1, where it is not trained on, are measured at every
    state on disk, and all of them at the end, for the card; 0: none."""
    landmarks: Path | None = None
    """Landmarks of the faces, for recipes that use them: CelebA's
    list_landmarks_align_celeba.txt, or an array [N, 2 L] or [N, L, 2] in [0, 1] as
    .npy, in the order of the set; FDF's landmarks.npy, and other sets whose files are
    called by plain numbers, in the order of the numbers."""
    image_size: int | None = None
    """Side of the images, which prepare_data.py --size packs."""
    width: int | None = None
    """Channels of the first row; of recipes but those of iconv."""
    model_size: int | None = None
    """Channels of the deepest maps; of iconv and its kin."""
    variant: str | None = None
    """Of the imputed convolution, official or paper; of iconv and its kin."""
    perceptual: str | None = None
    """Features to compare images by, of pconv, conv, gated and their kin: none;
    stlpips-vgg16, of the extra evaluate; vgg16, which Keras downloads; or vgg16:PATH, a
    file of Keras' or torchvision's weights."""
    num_images: int | None = None
    """Training images to see in all."""
    batch_size: int | None = None
    learning_rate: float | None = None
    holes: str | None = None
    """mixed, any, freeform, two-rectangles, super-resolution, or a pattern such as
    center; several, as any+center, are each as likely."""
    flip: bool | None = None
    """Mirror images at random."""
    precision: str | None = None
    """auto, float32 or bfloat16."""
    seed: int | None = None
    devices: tuple[str, ...] = ()
    """Several devices that share each batch, such as gpu:0 gpu:1; on the JAX backend.
    Default: one, a GPU where there is one."""
    go_on_from: Path | None = None
    """Folder of a run with another recipe, or of a network, or the name of a network
    that ships: a new run begins at its weights and step."""
    max_steps: int | None = None
    """Stop after this many steps in all, to go on later."""
    save_interval: int = 500
    """Steps between states on disk, between sheets, and between validations."""
    data_note: str = ""
    """For the card: what the images are."""
    licence: str = ""
    """For the card: what the weights may be used for."""

    def overrides(self) -> dict[str, int | float | str]:
        """Return the fields of the recipe that were given."""
        given = {name: getattr(self, name) for name in OVERRIDES}
        return {name: value for name, value in given.items() if value is not None}


def main(argv: Sequence[str] | None = None) -> int:
    """Parse the words, train, and say where the network is.

    Returns:
        0, or 2 after bad input or a loss that is no longer finite, or 130 where it was
        stopped, which is named in one line on stderr.
    """
    options = tyro.cli(
        InpainterOptions,
        description="Train a network that fills holes in one pass.",
        args=None if argv is None else list(argv),
    )
    return run_training(lambda console: [train(options, console)], "network")


def train(options: InpainterOptions, console: Console) -> Path:
    """Train, or go on training, what `options` asks for.

    Returns:
        The folder of the network.

    Raises:
        ValueError: Bad input, or `options.out` holds another run.
        OSError: A file could not be read or written.
        FloatingPointError: A loss is no longer finite.
    """
    load_backend()
    from semantic_inpaint.app.inpainter_validation import evaluate_composites
    from semantic_inpaint.training.inpainting_export import export_inpainter

    if options.validation_images < 0:
        raise ValueError(
            f"--validation-images must be 0 or more; got {options.validation_images}. "
            "Use 0 to measure none."
        )
    recipe = _recipe(options)
    packed, data = open_training_data(options.data, options.partitions)
    recipe, landmarks = _with_landmarks(options, packed, recipe)
    result = _train(options, console, recipe, packed, data, landmarks)
    evaluation = {}
    if options.validation_images > 0:
        model = result.trainer.generator(result.state)
        evaluation = evaluate_composites(model, packed, recipe, data, landmarks)
    return export_inpainter(
        result,
        data,
        options.out / "network",
        landmarks=landmarks,
        data_note=options.data_note,
        licence=options.licence,
        evaluation=evaluation,
    )


def _train(
    options: InpainterOptions,
    console: Console,
    recipe: InpaintingRecipe,
    packed: PackedImages,
    data: TrainingData,
    landmarks: Landmarks | None,
) -> InpaintingTraining:
    """Go through the steps, and show how they go."""
    from semantic_inpaint.app.inpainter_validation import make_validation
    from semantic_inpaint.training.inpainting import SHEET_COLUMNS, train_inpainter
    from semantic_inpaint.training.inpainting_table import make_trainer

    count = options.validation_images
    with training_report(
        console,
        options.out,
        title=options.recipe,
        losses=_shown,
        columns=2 * SHEET_COLUMNS,
    ) as tell:

        def report(state: Report) -> None:
            tell(state)
            _tell_validation(console, state)

        return train_inpainter(
            make_trainer(recipe),
            data,
            options.out,
            landmarks=landmarks,
            spread=_spread(options, recipe),
            report=report,
            save_interval=options.save_interval,
            max_steps=options.max_steps,
            go_on_from=options.go_on_from,
            clock=time.perf_counter,
            validate=make_validation(
                packed, recipe, data, landmarks, count=count, prefix=MEASURE
            ),
        )


def _recipe(options: InpainterOptions) -> InpaintingRecipe:
    """Look up the recipe, and put what was given into its fields."""
    from semantic_inpaint.training.inpainting_table import get_inpainting_recipe

    recipe = get_inpainting_recipe(options.recipe)
    _check_words(options, recipe)
    return dataclasses.replace(recipe, **options.overrides())


def _check_words(options: InpainterOptions, recipe: InpaintingRecipe) -> None:
    """Refuse words that set a field which the recipe does not have."""
    from semantic_inpaint.training.inpainting_table import INPAINTING_RECIPES

    def has(recipe: InpaintingRecipe, field: str) -> bool:
        return field in {found.name for found in dataclasses.fields(recipe)}

    sets = {**{name: name for name in OVERRIDES}, "landmarks": "num_landmarks"}
    for word, field in sets.items():
        if getattr(options, word) is not None and not has(recipe, field):
            takers = [n for n, other in INPAINTING_RECIPES.items() if has(other, field)]
            raise ValueError(
                f"--{word.replace('_', '-')} means nothing to the recipe "
                f"{options.recipe!r}; leave it out, or use one of {', '.join(takers)}."
            )


def _with_landmarks(
    options: InpainterOptions, packed: PackedImages, recipe: InpaintingRecipe
) -> tuple[InpaintingRecipe, Landmarks | None]:
    """Read the landmarks, if any, and tell the recipe how many they are."""
    from semantic_inpaint.datasets.landmarks import load_landmarks

    if options.landmarks is None:
        return recipe, None
    landmarks = load_landmarks(options.landmarks, packed.ids)
    count = landmarks.points.shape[1] // 2
    return dataclasses.replace(recipe, num_landmarks=count), landmarks


def _spread(options: InpainterOptions, recipe: InpaintingRecipe) -> Spread | None:
    from semantic_inpaint.training.inpainting_devices import spread_over

    if not options.devices:
        return None
    return spread_over(options.devices, recipe.batch_size)


def _shown(scalars: dict[str, float]) -> str:
    losses = [
        f"{name} {value:.4f}"
        for name, value in scalars.items()
        if not name.startswith(MEASURE)
    ]
    return "  ".join(losses[:SHOWN])


def _tell_validation(console: Console, state: Report) -> None:
    """Print what was measured, where a report has any of it."""
    found = [
        f"{name.removeprefix(MEASURE)} {value:.2f} dB"
        for name, value in state.scalars.items()
        if name.startswith(MEASURE)
    ]
    if found:
        console.print(f"step {state.step}: PSNR in the hole: {', '.join(found)}")
