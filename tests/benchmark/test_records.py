"""Records survive whatever ends the process that writes them."""

import json

import pytest

from semantic_inpaint.benchmark.records import (
    ARCHIVE_FILE,
    JOURNAL_FILE,
    RECORDS_FILE,
    append_records,
    compress_records,
    read_records,
    read_suite,
    write_suite,
)


def batch(start, count=3):
    return [
        {"schema": 1, "key": f"key-{i}", "text": "ä" * i}
        for i in range(start, start + count)
    ]


@pytest.fixture
def folder(tmp_path):
    return tmp_path / "benchmark"


def test_what_was_appended_is_read_in_its_order(folder):
    assert read_records(folder) == []
    append_records(folder, batch(0))
    append_records(folder, batch(3))
    assert read_records(folder) == batch(0, 6)
    assert [p.name for p in folder.iterdir()] == [RECORDS_FILE]


def test_compressed_records_are_the_first_to_be_read(folder):
    append_records(folder, batch(3))
    (folder / ARCHIVE_FILE).write_bytes(compress_records(batch(0)))
    assert read_records(folder) == batch(0, 6)
    # A report in the folder of its own benchmark holds what stands there as well.
    (folder / ARCHIVE_FILE).write_bytes(compress_records(batch(0, 6)))
    assert read_records(folder) == batch(0, 6)
    (folder / ARCHIVE_FILE).write_bytes(compress_records(batch(0)))
    (folder / RECORDS_FILE).unlink()
    assert read_records(folder) == batch(0, 3)


def test_a_damaged_archive_is_named(folder):
    folder.mkdir()
    (folder / ARCHIVE_FILE).write_bytes(compress_records(batch(0))[:-9])
    with pytest.raises(ValueError, match=f"{ARCHIVE_FILE} is damaged"):
        read_records(folder)


def test_every_line_is_strict_json_with_null_for_what_is_no_number(folder):
    values = {"metrics": {"psnr": float("inf"), "seam": [float("nan"), 1.5]}}
    append_records(folder, [{"schema": 1, "key": "a", **values}])
    (line,) = (folder / RECORDS_FILE).read_text().splitlines()
    assert "NaN" not in line
    assert "Infinity" not in line
    assert json.loads(line)["metrics"] == {"psnr": None, "seam": [None, 1.5]}


def test_wherever_the_file_is_cut_whole_lines_are_kept_and_it_goes_on(folder):
    append_records(folder, batch(0))
    path = folder / RECORDS_FILE
    whole = path.read_bytes()
    for size in range(len(whole)):
        path.write_bytes(whole[:size])
        kept = whole[:size].count(b"\n")
        assert read_records(folder) == batch(0, kept)
        append_records(folder, batch(7))
        assert read_records(folder) == batch(0, kept) + batch(7)


def test_a_batch_that_was_cut_short_counts_as_not_written(folder):
    append_records(folder, batch(0))
    path = folder / RECORDS_FILE
    begin = path.stat().st_size
    append_records(folder, batch(3))
    whole = path.read_bytes()
    journal = {"begin": begin, "end": len(whole)}
    # Whatever part of the batch had reached the disk, whole lines or not.
    for size in range(begin, len(whole)):
        path.write_bytes(whole[:size])
        (folder / JOURNAL_FILE).write_text(json.dumps(journal))
        assert read_records(folder) == batch(0)
        append_records(folder, batch(3))
        assert path.read_bytes() == whole
        assert not (folder / JOURNAL_FILE).exists()


def test_a_batch_that_was_written_to_its_end_is_kept_though_nobody_said_so(folder):
    append_records(folder, batch(0))
    end = (folder / RECORDS_FILE).stat().st_size
    (folder / JOURNAL_FILE).write_text(json.dumps({"begin": 0, "end": end}))
    assert read_records(folder) == batch(0)
    append_records(folder, batch(3))
    assert read_records(folder) == batch(0, 6)


def test_a_record_that_json_does_not_know_leaves_the_file_as_it_was(folder):
    append_records(folder, batch(0))
    with pytest.raises(TypeError):
        append_records(folder, [{"schema": 1, "key": {1, 2}}])
    assert read_records(folder) == batch(0)


@pytest.mark.parametrize(
    ("line", "words"), [("no record", "is no record"), ('{"schema": 9}', "schema 9")]
)
def test_a_foreign_line_is_named(folder, line, words):
    append_records(folder, batch(0, 1))
    with (folder / RECORDS_FILE).open("a") as file:
        file.write(f"{line}\n")
    with pytest.raises(ValueError, match=f"line 2.*{words}"):
        read_records(folder)


def test_the_description_is_read_back_and_a_damaged_one_refused(folder):
    assert read_suite(folder) is None
    write_suite(folder, {"schema": 1, "masks": {"center": {"kind": "pattern"}}})
    assert read_suite(folder)["masks"]["center"]["kind"] == "pattern"
    for text in ("{", "[]", '{"schema": 2}'):
        (folder / "suite.json").write_text(text)
        with pytest.raises(ValueError, match="no description of a benchmark"):
            read_suite(folder)
