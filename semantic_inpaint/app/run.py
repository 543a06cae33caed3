"""Fill the holes of images: the command `run`."""

from __future__ import annotations

import dataclasses
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import tyro
from rich.console import Console

from semantic_inpaint.app.folder import RunFolder
from semantic_inpaint.app.options import RunOptions
from semantic_inpaint.app.quiet import load_backend
from semantic_inpaint.app.refusal import INTERRUPTED, refuse

if TYPE_CHECKING:
    from semantic_inpaint.app.parts import Part


def main(argv: Sequence[str] | None = None) -> int:
    """Parse the words, run, and say where the results are.

    Returns:
        0, or 2 after bad input, which is named in one line on stderr.
    """
    options = tyro.cli(
        RunOptions,
        prog="semantic-inpaint run",
        description="Fill the holes of images: by GAN inversion and refinement, or in "
        "one pass of a network.",
        args=None if argv is None else list(argv),
    )
    try:
        run(options, Console())
    except (ValueError, TypeError, OSError, RuntimeError, ImportError) as error:
        return refuse(error)
    except KeyboardInterrupt:
        sys.stderr.write("stopped\n")
        return INTERRUPTED
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
    from semantic_inpaint.app.filling import Filling
    from semantic_inpaint.app.inputs import read_landmarks
    from semantic_inpaint.app.methods import Methods
    from semantic_inpaint.app.parts import read_parts

    devices = options.devices()
    with backend.device_scope(devices[0] if devices else None):
        methods = Methods.named(options, devices, console.print)
        parts = read_parts(options, options.size or methods.image_size)
        methods.landmarks = read_landmarks(options, parts[0].images.indices)
        _tell(console, parts)
        folder = RunFolder(options.out, Path(options.mask).stem)
        filling = Filling(folder.work, methods, parts, options, console)
        try:
            records = filling.run()
            results.save(
                folder.work,
                records,
                seconds=time.perf_counter() - started,
                provenance=results.provenance(
                    {**dataclasses.asdict(options), "out": folder.path},
                    methods=methods,
                    parts=parts,
                ),
            )
            folder.finish()
        except BaseException as error:
            left = folder.abandon()
            if left is not None and isinstance(error, Exception):
                raise OSError(f"{error}; what was finished is in {left}") from error
            raise
    console.print(results.table(records))
    console.print(f"verdicts: {results.verdicts(records)}", highlight=False)
    console.print(
        f"results in {folder.path}", soft_wrap=True, markup=False, highlight=False
    )
    return folder.path


def _tell(console: Console, parts: list[Part]) -> None:
    """Say what was done to fit images and mask, the same words once."""
    said: dict[str, list[str]] = {}
    for images in (part.images for part in parts):
        for name, note in zip(images.names, images.notes, strict=True):
            if note:
                said.setdefault(note, []).append(name)
    for note, names in said.items():
        who = names[0] if len(names) == 1 else f"{len(names)} images"
        console.print(f"note: {who}: {note}", markup=False, highlight=False)
    for holes in parts[0].kinds:
        if holes.note:
            console.print(f"note: mask: {holes.note}", markup=False, highlight=False)
