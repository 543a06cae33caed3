"""What a set of records was made with, for whoever would make it again."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Mapping, Sequence
from typing import Any


@dataclasses.dataclass(frozen=True)
class Provenance:
    """What decided the answers, and where they were computed.

    Attributes:
        images: Name and hash of the set.
        num_images: How many of it.
        num_records: After repeated ones were left out.
        seeds: All that were used.
        priors: For each method its prior and encoder, as `"name, sha256"`.
        options: For each method its options, and the masks for which it had these.
        steps: For each method that searches, the steps of its stages.
        versions: For each package all versions that made a record.
        machines: Backends and devices.
        leaks: For each method: whether the leak guard passed it, None where it was
            not asked for every record.
    """

    images: Mapping[str, Any]
    num_images: int
    num_records: int
    seeds: tuple[int, ...]
    priors: Mapping[str, str]
    options: Mapping[str, list[tuple[str, list[str]]]]
    steps: Mapping[str, tuple[int, ...]]
    versions: Mapping[str, tuple[str, ...]]
    machines: tuple[str, ...]
    leaks: Mapping[str, bool | None]


def trace(records: Sequence[Mapping[str, Any]]) -> Provenance:
    """Collect what records say of their making.

    Args:
        records: One or more, checked by `to_frame`.
    """
    versions: dict[str, set[str]] = {}
    for record in records:
        for package, version in (record.get("versions") or {}).items():
            versions.setdefault(package, set()).add(str(version))
    by_method: dict[str, list[Mapping[str, Any]]] = {}
    for record in records:
        by_method.setdefault(record["method"], []).append(record)
    return Provenance(
        images=dict(records[0]["images"]),
        num_images=len({record["image"] for record in records}),
        num_records=len({record["key"] for record in records}),
        seeds=tuple(sorted({record["seed"] for record in records})),
        priors={method: _prior(of[0]) for method, of in by_method.items()},
        options={method: _options(of) for method, of in by_method.items()},
        steps={method: _steps(of[0]) for method, of in by_method.items()},
        versions={name: tuple(sorted(found)) for name, found in versions.items()},
        machines=tuple(
            sorted({f"{r.get('backend')} on {r.get('device')}" for r in records})
        ),
        leaks={method: _leak(of) for method, of in by_method.items()},
    )


def _prior(record: Mapping[str, Any]) -> str:
    prior, encoder = record.get("prior"), record.get("encoder_sha256")
    words = [f"{prior['name']} {prior['sha256'][:12]}"] if prior else []
    return ", ".join(words + ([f"encoder {encoder[:12]}"] if encoder else [])) or "none"


def _options(records: Sequence[Mapping[str, Any]]) -> list[tuple[str, list[str]]]:
    """Every set of options, as JSON, with the masks that it was used for."""
    masks: dict[str, list[str]] = {}
    for record in records:
        text = json.dumps(record.get("options"), sort_keys=True)
        of_text = masks.setdefault(text, [])
        if record["mask"] not in of_text:
            of_text.append(record["mask"])
    return list(masks.items())


def _steps(record: Mapping[str, Any]) -> tuple[int, ...]:
    options = record.get("options") or {}
    stages = [options.get(stage) for stage in ("first", "second")]
    return tuple(stage["num_steps"] for stage in stages if stage)


def _leak(records: Sequence[Mapping[str, Any]]) -> bool | None:
    answers = {record["leak_checked"] for record in records}
    return answers.pop() if len(answers) == 1 else None
