"""Merge priors of one training run: the command `merge`."""

from __future__ import annotations

import dataclasses
import sys
from collections.abc import Sequence
from pathlib import Path

import tyro

from semantic_inpaint.app.quiet import load_backend
from semantic_inpaint.app.refusal import refuse


@dataclasses.dataclass(frozen=True)
class MergeOptions:
    """Average the generators of several priors of one training run."""

    priors: tuple[Path, ...]
    """Folders of the priors, the one that was trained longest last; it gives the
    discriminator."""
    weights: tuple[float, ...]
    """Weight of each."""
    out: Path
    """Folder of the merged prior."""
    name: str = "merged"


def main(argv: Sequence[str] | None = None) -> int:
    """Parse the words, merge, and say where the prior is.

    Returns:
        0, or 2 after bad input, which is named in one line on stderr.
    """
    options = tyro.cli(
        MergeOptions,
        prog="merge_priors",
        description="Average the generators of several priors of one training run.",
        args=None if argv is None else list(argv),
    )
    load_backend()
    from semantic_inpaint.training.merge import merge_priors

    try:
        folder = merge_priors(
            options.priors, options.weights, options.out, name=options.name
        )
    except (ValueError, OSError) as error:
        return refuse(error)
    sys.stdout.write(f"prior written to {folder}\n")
    return 0
