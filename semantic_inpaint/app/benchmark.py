"""Compare methods on masks and images: the command `benchmark`."""

from __future__ import annotations

import contextlib
import sys
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from rich.console import Console
from rich.progress import (
    BarColumn,
    Progress,
    TaskProgressColumn,
    TextColumn,
    TimeElapsedColumn,
    TimeRemainingColumn,
)

from semantic_inpaint.app.benchmark_options import BenchmarkOptions, parse
from semantic_inpaint.app.quiet import load_backend
from semantic_inpaint.app.refusal import interrupt, refuse

if TYPE_CHECKING:
    from semantic_inpaint.benchmark.cells import ImageSet
    from semantic_inpaint.benchmark.measure import Measures
    from semantic_inpaint.benchmark.suite import Progress as TellProgress
    from semantic_inpaint.datasets.landmarks import NumberedLandmarks
    from semantic_inpaint.models.inpainting_networks import InpaintingNetwork
    from semantic_inpaint.models.prior import GenerativePrior


def main(argv: Sequence[str] | None = None) -> int:
    """Parse the words, run, and say where the records are.

    Returns:
        0, or 2 after bad input, or 130 where it was stopped, which is named in one
        line on stderr.
    """
    console = Console(soft_wrap=True, markup=False, highlight=False)
    try:
        run(parse(sys.argv[1:] if argv is None else argv), console)
    except (ValueError, TypeError, OSError, RuntimeError, ImportError) as error:
        return refuse(error)
    except KeyboardInterrupt:
        return interrupt()
    return 0


def run(options: BenchmarkOptions, console: Console) -> None:
    """Compute what `options.out` has no records of yet.

    Raises:
        ValueError: Bad input, or the folder holds another benchmark.
        OSError: A file could not be read or written.
    """
    load_backend()
    from semantic_inpaint import backend
    from semantic_inpaint.app.benchmark_inputs import make_sources
    from semantic_inpaint.app.benchmark_table import table
    from semantic_inpaint.benchmark.records import RECORDS_FILE, read_records
    from semantic_inpaint.benchmark.suite import SuiteOptions, run_suite
    from semantic_inpaint.inpainters import check_method

    for method in options.methods:
        check_method(method)
    suite = SuiteOptions(
        methods=options.methods,
        seeds=options.seeds,
        preset=options.as_run().inversion(),
        num_pictures=options.pictures,
        check_leaks=options.check_leaks,
        device=options.device,
    )
    sources = make_sources(options)
    with backend.device_scope(options.device):
        prior, networks, images, landmarks = _load(options)
        console.print(
            f"{len(options.methods)} methods, {len(sources)} masks, {len(images)} "
            f"images ({images.name}), {len(options.seeds)} seeds; records in "
            f"{options.out}"
        )
        with _progress(console) as progress:
            added = run_suite(
                options.out,
                suite,
                images,
                sources,
                prior=prior,
                networks=networks,
                landmarks=landmarks,
                measures=_measures(options, prior),
                progress=progress,
                tell=console.print,
            )
    records = read_records(options.out)
    console.print(table(records))
    path = options.out / RECORDS_FILE
    console.print(f"{added} records added, {len(records)} in {path}")


def _load(
    options: BenchmarkOptions,
) -> tuple[
    GenerativePrior | None,
    dict[str, InpaintingNetwork],
    ImageSet,
    NumberedLandmarks | None,
]:
    """Load the prior and the networks of the methods, then images to go with them."""
    from semantic_inpaint.app.benchmark_inputs import (
        choose_landmarks,
        choose_size,
        read_image_set,
    )
    from semantic_inpaint.inpainters import needs_prior
    from semantic_inpaint.models.checkpoints import load_prior

    some = any(map(needs_prior, options.methods))
    prior = load_prior(options.prior) if some else None
    networks = _load_networks(options)
    images = read_image_set(options, choose_size(options, prior, networks))
    return prior, networks, images, choose_landmarks(options, images, networks)


def _load_networks(options: BenchmarkOptions) -> dict[str, InpaintingNetwork]:
    """Load the networks of the methods, those that are named or those that ship."""
    from semantic_inpaint.inpainters import FEED_FORWARD, find_network
    from semantic_inpaint.models.inpainting_files import load_network

    networks = {}
    for folder in options.networks:
        network = load_network(folder)
        if network.kind not in options.methods or network.kind in networks:
            raise ValueError(
                f"{folder} holds a network {network.kind!r}; --networks takes one for "
                f"each of the methods, and those are {', '.join(options.methods)}."
            )
        networks[network.kind] = network
    return {
        method: find_network(method, networks.get(method))
        for method in options.methods
        if method in FEED_FORWARD
    }


def _measures(options: BenchmarkOptions, prior: GenerativePrior | None) -> Measures:
    """Load the further distances, and what judges a search."""
    from semantic_inpaint.app.diagnostics import (
        known_residual,
        residual_limit,
        verdict,
    )
    from semantic_inpaint.benchmark.measure import Measures
    from semantic_inpaint.benchmark.perceptual import load_perceptual
    from semantic_inpaint.problem import InpaintingProblem, InpaintingResult

    distances = {name: load_perceptual(name) for name in options.perceptual}
    if prior is None:
        return Measures(distances)
    limit = residual_limit(prior.card)

    def judge(problem: InpaintingProblem, result: InpaintingResult) -> list[str]:
        residuals = known_residual(result.generated, problem)
        return [
            verdict(status, residual, limit=limit)
            for status, residual in zip(result.status, residuals, strict=True)
        ]

    return Measures(distances, judge)


@contextlib.contextmanager
def _progress(console: Console) -> Iterator[TellProgress]:
    """Show how much of the whole is done, and the time that is left."""
    bar = Progress(
        TextColumn("{task.description:<32}"),
        BarColumn(),
        TaskProgressColumn(),
        TimeElapsedColumn(),
        TextColumn("left"),
        TimeRemainingColumn(),
        console=console,
        # A batch of a search tells of itself rarely, and the speed is that of many.
        speed_estimate_period=600.0,
    )
    with bar:
        task = bar.add_task("starting", total=None)

        def tell(done: int, total: int, title: str) -> None:
            bar.update(task, completed=done, total=total, description=title)

        yield tell
