"""The folder of a benchmark: records appended batch by batch, and what was asked."""

from __future__ import annotations

import json
import lzma
import math
import os
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

RECORDS_FILE = "records.jsonl"
# Records that no more are appended to: a tenth of the size, beside their report.
ARCHIVE_FILE = "records.jsonl.xz"
# Says, while a batch is being appended, where it begins and where it will end.
JOURNAL_FILE = "records.pending.json"
SUITE_FILE = "suite.json"
SCHEMA = 1

Record = dict[str, Any]


def append_records(folder: str | os.PathLike[str], records: Iterable[Record]) -> None:
    """Append a batch of records: all of them, or none if the process is killed.

    A batch that was cut short before is removed first. When this returns, the batch is
    on the disk. One process at a time may append to a folder.

    Args:
        folder: Of the benchmark; made where missing.
        records: Fit for JSON; numbers that are infinite or undefined become null.

    Raises:
        TypeError: A value that JSON does not know.
        OSError: The disk is full, or the folder cannot be written.
    """
    content = _lines(records)
    folder = Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    path, journal = folder / RECORDS_FILE, folder / JOURNAL_FILE
    with path.open("ab") as file:
        file.truncate(_whole_size(folder))
        begin = path.stat().st_size
        _write_json(journal, {"begin": begin, "end": begin + len(content)})
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
    journal.unlink()
    _sync_folder(folder)


def read_records(folder: str | os.PathLike[str]) -> list[Record]:
    """Read all records; a batch or a last line that was cut short is left out.

    Args:
        folder: Of the benchmark, or of its report, where they are compressed.

    Returns:
        The records in the order of their making, compressed ones first and others
        only where they are not among those; empty where there are none yet.

    Raises:
        ValueError: A line before the last is no record, or one of another schema; or
            what is compressed is damaged.
    """
    path, archive = Path(folder) / RECORDS_FILE, Path(folder) / ARCHIVE_FILE
    records = []
    if archive.is_file():
        try:
            content = lzma.decompress(archive.read_bytes())
        except lzma.LZMAError as error:
            raise ValueError(
                f"{archive} is damaged ({error}); get it again, or the report anew."
            ) from None
        records += _parsed(content, archive)
    if path.is_file():
        # A report may have been written into the folder of its own benchmark.
        compressed = {record["key"] for record in records}
        with path.open("rb") as file:
            found = _parsed(file.read(_whole_size(Path(folder))), path)
        records += [record for record in found if record["key"] not in compressed]
    return records


def compress_records(records: Sequence[Mapping[str, Any]]) -> bytes:
    """Compress records as an `ARCHIVE_FILE` holds them.

    Raises:
        TypeError: A value that JSON does not know.
    """
    return lzma.compress(_lines(records))


def _lines(records: Iterable[Mapping[str, Any]]) -> bytes:
    lines = [json.dumps(_plain(record), allow_nan=False) for record in records]
    return "".join(f"{line}\n" for line in lines).encode()


def _parsed(content: bytes, path: Path) -> list[Record]:
    lines = content.splitlines()
    records = []
    for number, line in enumerate(lines, start=1):
        try:
            record = json.loads(line)
            schema = record["schema"]
        except (ValueError, KeyError, TypeError):
            raise ValueError(
                f"{path}, line {number}, is no record. Remove the line; what it was "
                "will be computed again."
            ) from None
        if schema != SCHEMA:
            raise ValueError(
                f"{path}, line {number}, has schema {schema}; expected {SCHEMA}. Read "
                "it with the version that wrote it."
            )
        records.append(record)
    return records


def write_suite(folder: str | os.PathLike[str], suite: Mapping[str, Any]) -> None:
    """Write what a benchmark consists of, complete or not at all."""
    folder = Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    _write_json(folder / SUITE_FILE, _plain(suite))
    _sync_folder(folder)


def read_suite(folder: str | os.PathLike[str]) -> dict[str, Any] | None:
    """Read what a benchmark consists of; None where none was begun.

    Raises:
        ValueError: The file is damaged, or of another schema.
    """
    path = Path(folder) / SUITE_FILE
    if not path.is_file():
        return None
    try:
        suite = json.loads(path.read_text(encoding="utf-8"))
        if suite["schema"] != SCHEMA:
            raise ValueError(f"schema {suite['schema']}, not {SCHEMA}")
    except (ValueError, KeyError, TypeError) as error:
        raise ValueError(
            f"{path} is no description of a benchmark ({error}); name another folder."
        ) from None
    return suite


def _whole_size(folder: Path) -> int:
    """Count the bytes up to the end of the last batch that was written to its end."""
    path = folder / RECORDS_FILE
    size = path.stat().st_size
    try:
        journal = json.loads((folder / JOURNAL_FILE).read_text(encoding="utf-8"))
    except FileNotFoundError:
        journal = None
    if journal is not None and journal["begin"] <= size < journal["end"]:
        return journal["begin"]
    # A copy of a folder may have been cut short as well, without a word about it.
    with path.open("rb") as file:
        while size > 0:
            begin = max(0, size - 65536)
            file.seek(begin)
            newline = file.read(size - begin).rfind(b"\n")
            if newline >= 0:
                return begin + newline + 1
            size = begin
    return 0


def _write_json(path: Path, content: Mapping[str, Any]) -> None:
    # One name, so that what a killed process left is written over by the next.
    temporary = path.with_name(f".{path.name}.tmp")
    text = json.dumps(content, indent=1, allow_nan=False) + "\n"
    with temporary.open("w", encoding="utf-8") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())
    temporary.replace(path)


def _sync_folder(folder: Path) -> None:
    """Have the names in a folder written, where the system offers that."""
    if os.name != "posix":
        return
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _plain(value: Any) -> Any:  # noqa: ANN401 - anything that goes into JSON
    """Make numbers that JSON does not know null, at any depth."""
    if isinstance(value, Mapping):
        return {str(key): _plain(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [_plain(item) for item in value]
    if isinstance(value, float) and not math.isfinite(value):
        return None
    return value
