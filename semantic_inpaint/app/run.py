"""Fill the holes of images: the command `run`."""

from __future__ import annotations

import dataclasses
import sys
import time
from collections.abc import Sequence
from pathlib import Path

import tyro
from rich.console import Console

from semantic_inpaint.app.options import RunOptions
from semantic_inpaint.app.quiet import load_backend

USAGE_ERROR = 2


def main(argv: Sequence[str] | None = None) -> int:
    """Parse the words, run, and say where the results are.

    Returns:
        0, or 2 after bad input, which is named in one line on stderr.
    """
    options = tyro.cli(
        RunOptions,
        prog="run",
        description="Fill the holes of images by GAN inversion and refinement.",
        args=None if argv is None else list(argv),
    )
    try:
        run(options, Console())
    except (ValueError, TypeError, OSError) as error:
        sys.stderr.write(f"error: {' '.join(str(error).split())}\n")
        return USAGE_ERROR
    return 0


def run(options: RunOptions, console: Console) -> Path:
    """Fill the holes of the images that `options` names.

    Returns:
        The folder with the results.

    Raises:
        ValueError: Bad input; nothing has been written.
        OSError: A file could not be read or written.
    """
    started = time.perf_counter()
    load_backend()
    from semantic_inpaint import backend
    from semantic_inpaint.app import results
    from semantic_inpaint.app.inputs import make_holes, read_images
    from semantic_inpaint.app.progress import search_progress
    from semantic_inpaint.inpainters import SemanticInpainter
    from semantic_inpaint.models.checkpoints import load_prior
    from semantic_inpaint.problem import InpaintingProblem

    inversion = options.inversion()
    with backend.device_scope(options.device):
        prior = load_prior(options.prior)
        images, names, notes = read_images(options, prior.image_size)
        kinds = make_holes(options, len(images), prior.image_size)
        for note in [*notes, *(holes.note for holes in kinds)]:
            if note:
                console.print(f"note: {note}", markup=False, highlight=False)
        out = results.prepare_folder(options.out, options.mask)
        batches = -(-len(images) // inversion.batch_size)
        total = len(kinds) * batches * inversion.num_steps()
        runs = []
        with search_progress(console, total) as progress:
            for holes in kinds:
                inpainter = SemanticInpainter(
                    prior,
                    dataclasses.replace(
                        inversion, consensus_weight=holes.consensus_weight
                    ),
                )
                result = inpainter.inpaint(
                    InpaintingProblem(images, holes.known),
                    seed=options.seed,
                    progress=progress,
                )
                runs.append(results.measure(holes, result, images))
    results.save(
        out,
        runs,
        images=images,
        names=names,
        options={"command": dataclasses.asdict(options), "search": inversion.as_dict()},
        prior=prior,
        seconds=time.perf_counter() - started,
    )
    console.print(results.table(runs))
    console.print(f"results in {out}", soft_wrap=True, markup=False, highlight=False)
    return out
