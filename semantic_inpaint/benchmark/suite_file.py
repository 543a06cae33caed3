"""What one folder of records consists of, and what may be added to it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from semantic_inpaint.benchmark.cells import HoleSource, ImageSet
from semantic_inpaint.benchmark.lineup import Lineup
from semantic_inpaint.benchmark.records import SCHEMA, read_suite, write_suite

# Of each kind of hole its own, so that no method has one alone.
_PER_MASK = "consensus_weight"


def describe_suite(
    images: ImageSet,
    sources: Sequence[HoleSource],
    lineup: Lineup,
    distances: Sequence[str],
) -> dict[str, Any]:
    """Describe what is asked for, apart from how much of it.

    Raises:
        ValueError: Two kinds of holes of one name.
    """
    names = [source.name for source in sources]
    if not names or len(set(names)) < len(names):
        raise ValueError(
            f"the kinds of holes must be one or more, each of another name; got "
            f"{names}."
        )
    methods = {}
    for method in lineup.methods:
        identity = lineup.identify(method, None)
        options = {k: v for k, v in identity.options.items() if k != _PER_MASK}
        methods[method] = {"options": options, "encoder_sha256": identity.encoder}
    prior = next(filter(None, map(lineup.prior_of, lineup.methods)), None)
    return {
        "schema": SCHEMA,
        "images": {
            "name": images.name,
            "sha256": images.sha256,
            "size": list(images.pixels.shape[1:3]),
        },
        "prior": prior and {"name": prior.name, "sha256": prior.sha256},
        "distances": sorted(distances),
        "methods": methods,
        "masks": {source.name: source.identity for source in sources},
        "asked": [],
    }


def join_suite(folder: Path, suite: dict[str, Any], asked: Mapping[str, Any]) -> None:
    """Note in a folder what is to be computed in it.

    More methods, masks, seeds and images of the same set may join those that are
    there; nothing may bear the name of something else.

    Args:
        folder: Of the benchmark.
        suite: Of `describe_suite`.
        asked: How much of it; noted if it was not asked before.

    Raises:
        ValueError: The folder holds a benchmark of other images, another prior, or
            with a method or mask of the same name that is another.
    """
    old = read_suite(folder)
    if old is not None:
        _compare(folder, "images", old["images"], suite["images"])
        if old["prior"] and suite["prior"]:
            _compare(folder, "prior", old["prior"], suite["prior"])
        _compare(folder, "distances", old["distances"], suite["distances"])
        for kind in ("methods", "masks"):
            for name in old[kind].keys() & suite[kind].keys():
                what = f"{kind[:-1]} {name!r}"
                _compare(folder, what, old[kind][name], suite[kind][name])
            suite = {**suite, kind: {**old[kind], **suite[kind]}}
        suite = {
            **suite,
            "prior": old["prior"] or suite["prior"],
            "asked": old["asked"],
        }
    if dict(asked) not in suite["asked"]:
        suite = {**suite, "asked": [*suite["asked"], dict(asked)]}
    if suite != old:
        write_suite(folder, suite)


def _compare(folder: Path, what: str, old: object, new: object) -> None:
    """Refuse what has the same name and is not the same."""
    difference = _first_difference(old, new)
    if difference is not None:
        where, before, now = difference
        raise ValueError(
            f"{folder} holds a benchmark with another {what}: {where or 'it'} is "
            f"{_short(before)} there and {_short(now)} here. Name another folder, so "
            "that the two are not mixed."
        )


def _first_difference(
    old: object, new: object, where: str = ""
) -> tuple[str, object, object] | None:
    """Find the first place in which two values differ."""
    if isinstance(old, dict) and isinstance(new, dict):
        for key in sorted(old.keys() | new.keys()):
            inner = f"{where}.{key}" if where else key
            found = _first_difference(old.get(key), new.get(key), inner)
            if found is not None:
                return found
        return None
    return None if old == new else (where, old, new)


def _short(value: object) -> str:
    text = repr(value)
    return text if len(text) <= 40 else f"{text[:37]}..."
