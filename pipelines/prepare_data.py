"""Pack images for training: one memory-mapped array and its manifest.

python pipelines/prepare_data.py --source celeba --out data/celeba64
"""

from __future__ import annotations

import collections
import dataclasses
import sys
from pathlib import Path
from typing import Literal

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

import numpy as np
import tyro
from rich.console import Console
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    TextColumn,
    TimeRemainingColumn,
)

from semantic_inpaint.app.refusal import refuse
from semantic_inpaint.datasets import (
    ImageSource,
    PackedImages,
    celeba_sources,
    folder_source,
    is_celeba,
    pack_images,
    paper_split,
)

PARTITION_NAMES = {0: "training", 1: "validation", 2: "test", -1: "no partition"}


@dataclasses.dataclass(frozen=True)
class Arguments:
    """Pack images; start it again with the same words to go on where it stopped."""

    source: tuple[Path, ...]
    """Folders or zips of images; a folder with img_align_celeba in it is taken as
    CelebA, in its official layout. Of others name the folder of the images alone:
    CelebA-HQ-img, FDF's images/128, ImageNet's Data/CLS-LOC."""
    out: Path
    """Folder of the packed set."""
    size: int = 64
    """Side of the packed images."""
    split: Literal["official", "paper", "none"] = "official"
    """official: CelebA's own partitions; of others those of folders train, val and test
    (or as in Places2's archives) at the top, of which some may be missing; where an
    image lies elsewhere, none. paper: 2000 validation and 2000 test images drawn with
    the seed, the rest training. none: no partitions."""
    seed: int = 0
    """Of the paper's split."""
    max_skipped_fraction: float = 0.01
    """Largest share of unreadable images to leave out."""


def find_sources(arguments: Arguments) -> list[ImageSource]:
    """List the images of every path, with the partitions that were asked for."""
    sources = []
    for path in arguments.source:
        sources += celeba_sources(path) if is_celeba(path) else [folder_source(path)]
    if arguments.split == "official":
        return sources
    ids = [name for source in sources for name in source.ids]
    if arguments.split == "paper":
        partitions = paper_split(ids, seed=arguments.seed)
    else:
        partitions = np.full(len(ids), -1)
    ends = np.cumsum([len(source) for source in sources])
    parts = [p.tolist() for p in np.split(partitions, ends[:-1])]
    return [
        dataclasses.replace(source, partitions=tuple(part))
        for source, part in zip(sources, parts, strict=True)
    ]


def prepare(arguments: Arguments, console: Console) -> PackedImages:
    """Pack, with a progress bar."""
    label, remaining = TextColumn("packing"), TimeRemainingColumn()
    columns = (label, BarColumn(), MofNCompleteColumn(), remaining)
    with Progress(*columns, console=console) as bar:
        task = bar.add_task("", total=None)
        return pack_images(
            find_sources(arguments),
            arguments.out,
            size=arguments.size,
            max_skipped_fraction=arguments.max_skipped_fraction,
            progress=lambda done, total: bar.update(task, completed=done, total=total),
        )


def main(argv: list[str] | None = None) -> int:
    """Parse, pack, and say what was packed."""
    arguments = tyro.cli(Arguments, description=__doc__, args=argv)
    console = Console(soft_wrap=True, markup=False, highlight=False)
    try:
        packed = prepare(arguments, console)
    except (ValueError, TypeError, OSError) as error:
        return refuse(error)
    skipped = packed.manifest["skipped"]
    counts = collections.Counter(packed.partitions.tolist())
    parts = ", ".join(f"{counts[i]} {PARTITION_NAMES[i]}" for i in sorted(counts))
    print(f"{len(packed)} images packed in {arguments.out}: {parts}.")
    print(f"sha256 of the pixels: {packed.sha256}")
    if skipped:
        images = "image" if len(skipped) == 1 else "images"
        print(f"{len(skipped)} {images} left out as unreadable:")
        print("\n".join(f"  {reason}" for _, reason in skipped))
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
