"""Make the mask pack: the six patterns and twelve free-form groups, with a manifest.

python pipelines/make_masks.py
"""

from __future__ import annotations

import dataclasses
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

import tyro
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn

from semantic_inpaint.app.refusal import refuse
from semantic_inpaint.masks import write_pack
from semantic_inpaint.masks.pack import PACK_VERSION

PACK = Path(__file__).resolve().parents[1] / "masks"


@dataclasses.dataclass(frozen=True)
class Arguments:
    """Without further words, this makes the pack of the repository to the byte."""

    out: Path = PACK
    """Folder of the pack."""
    size: int = 64
    """Side of the masks; below 32 some groups have no room."""
    count: int = 64
    """Masks of a group; the patterns that draw nothing have one."""
    seed: int = 0
    """Of the random ones."""
    version: str = PACK_VERSION
    """Under which the pack is cited; give another one a version of its own."""


def main(argv: list[str] | None = None) -> int:
    """Parse, make the masks, and say where they are."""
    arguments = tyro.cli(Arguments, description=__doc__, args=argv)
    console = Console(soft_wrap=True, markup=False, highlight=False)
    columns = (TextColumn("groups"), BarColumn(), MofNCompleteColumn())
    try:
        with Progress(*columns, console=console) as bar:
            task = bar.add_task("", total=None)
            manifest = write_pack(
                arguments.out,
                size=arguments.size,
                count=arguments.count,
                seed=arguments.seed,
                version=arguments.version,
                progress=lambda done, total: bar.update(
                    task, completed=done, total=total
                ),
            )
    except (ValueError, TypeError, OSError) as error:
        return refuse(error)
    groups = manifest["groups"]
    number = sum(len(group["masks"]) for group in groups.values())
    print(f"{number} masks in {len(groups)} groups in {arguments.out}.")
    print(f"mask pack {manifest['version']}, sha256 {manifest['sha256']}")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
