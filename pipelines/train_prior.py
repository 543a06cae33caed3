"""Train the generative prior: a DCGAN on a packed set of faces.

python pipelines/train_prior.py --data data/celeba64 --recipe slim --out runs/slim
"""

from __future__ import annotations

import dataclasses
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

import tyro
from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn


@dataclasses.dataclass(frozen=True)
class Arguments:
    """Train a prior; start it again with the same words to go on where it stopped."""

    data: Path
    """Folder that prepare_data.py made."""
    out: Path
    """Folder of the run: state, TensorBoard events, sample sheets, and at the end the
    prior with its card."""
    recipe: str = "slim"
    """slim, full, paper or tiny."""
    partitions: tuple[int, ...] = (0,)
    """Partitions to train on (CelebA: 0 training, 1 validation, 2 test)."""
    num_images: int | None = None
    """Training images to see in all; default: the recipe's."""
    batch_size: int | None = None
    learning_rate: float | None = None
    precision: str | None = None
    """auto, float32 or bfloat16; default: the recipe's."""
    seed: int | None = None
    max_steps: int | None = None
    """Stop after this many steps in all, to go on later."""
    save_interval: int = 500
    """Steps between states on disk, and between sample sheets."""
    data_note: str = ""
    """For the card: what the images are."""
    licence: str = ""
    """For the card: what the weights may be used for."""


OVERRIDES = ("num_images", "batch_size", "learning_rate", "precision", "seed")


def train(arguments: Arguments, console: Console) -> Path:
    """Run the training; returns the folder of the finished prior."""
    from semantic_inpaint.app.monitor import TensorBoardMonitor
    from semantic_inpaint.datasets.packed import PackedImages
    from semantic_inpaint.images import save_image, tile_images, to_uint8
    from semantic_inpaint.training.export import export_prior
    from semantic_inpaint.training.loop import Report, TrainingData, train_prior
    from semantic_inpaint.training.recipes import get_recipe

    overrides = {
        name: getattr(arguments, name)
        for name in OVERRIDES
        if getattr(arguments, name) is not None
    }
    recipe = dataclasses.replace(get_recipe(arguments.recipe), **overrides)
    packed = PackedImages.open(arguments.data)
    data = TrainingData(
        packed.images, packed.indices(arguments.partitions), packed.sha256
    )
    monitor = TensorBoardMonitor(arguments.out / "tensorboard")
    progress = Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        TextColumn("{task.completed}/{task.total} steps"),
        TimeRemainingColumn(),
        TextColumn("{task.fields[losses]}"),
        console=console,
    )
    task = progress.add_task(arguments.recipe, total=None, losses="")

    def report(state: Report) -> None:
        losses = "D {discriminator_loss:.3f}  G {generator_loss:.3f}"
        progress.update(
            task,
            completed=state.step,
            total=state.num_steps,
            losses=losses.format(**state.scalars),
        )
        monitor.scalars(state.scalars, step=state.step)
        if state.grid is not None:
            sheet = tile_images(state.grid / 2.0 + 0.5)
            monitor.picture("samples", to_uint8(sheet), step=state.step)
            save_image(arguments.out / "samples" / f"{state.step:07d}.png", sheet)
        monitor.flush()

    try:
        with progress:
            result = train_prior(
                recipe,
                data,
                arguments.out,
                report=report,
                save_interval=arguments.save_interval,
                max_steps=arguments.max_steps,
            )
    finally:
        monitor.close()
    return export_prior(
        result,
        data,
        arguments.out / "prior",
        name=arguments.recipe,
        data_note=arguments.data_note,
        licence=arguments.licence,
    )


def main(argv: list[str] | None = None) -> int:
    """Parse, train, and say where the prior is."""
    arguments = tyro.cli(Arguments, description=__doc__, args=argv)
    console = Console()
    try:
        folder = train(arguments, console)
    except (ValueError, TypeError, OSError, FloatingPointError) as error:
        Console(stderr=True).print(f"error: {error}", soft_wrap=True, markup=False)
        return 2
    console.print(f"prior written to {folder}", soft_wrap=True)
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
