"""Small benchmarks on images of noise."""

import dataclasses
import json

import numpy as np

from semantic_inpaint.benchmark.cells import ImageSet, array_digest
from semantic_inpaint.benchmark.hole_sources import PatternHoles
from semantic_inpaint.benchmark.records import RECORDS_FILE
from semantic_inpaint.benchmark.suite import SuiteOptions, run_suite
from semantic_inpaint.latent.presets import MALESEVIC

# What two runs of one benchmark may differ in: when and by what, not in what came out.
OF_THE_RUN = ("seconds", "versions", "warm", "device")
MASKS = ("center", "random")


def noise_images(count=5, size=16, name="noise", start=0):
    rng = np.random.default_rng(11)
    pixels = rng.random((start + count, size, size, 3), dtype=np.float32)[start:]
    names = tuple(f"noise-{i}" for i in range(start, start + count))
    numbers = np.arange(100 + start, 100 + start + count)
    return ImageSet(pixels, names, numbers, name, array_digest(np.array([7])))


def short(batch_size=2, steps=3):
    return dataclasses.replace(MALESEVIC.with_steps(steps), batch_size=batch_size)


def run(folder, *methods, images=None, masks=MASKS, preset=None, **options):
    """Run a benchmark; words of the suite and of `SuiteOptions` mixed."""
    suite_words = ("prior", "measures", "progress", "tell")
    suite = {word: options.pop(word) for word in suite_words if word in options}
    options.setdefault("check_leaks", False)
    return run_suite(
        folder,
        SuiteOptions(methods, preset=preset or short(), **options),
        noise_images() if images is None else images,
        [PatternHoles(name) for name in masks],
        **suite,
    )


def lasting(records, *, but=()):
    """The records by their keys, without what belongs to one run alone."""
    left_out = {*OF_THE_RUN, *but}
    return {
        record["key"]: {k: v for k, v in record.items() if k not in left_out}
        for record in records
    }


def lines_of(folder):
    text = (folder / RECORDS_FILE).read_text()
    return [json.loads(line) for line in text.splitlines()]
