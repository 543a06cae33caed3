"""The script, as a person starts it, and as a machine ends it."""

import subprocess
import sys
import time

import numpy as np
import pytest

from semantic_inpaint.benchmark.records import RECORDS_FILE, read_records
from tests.benchmark.suites import lasting, lines_of
from tests.pipelines.scripts import PIPELINES, start

KILLS = 10
EARLY_KILLS = 3


def test_it_runs_from_any_folder_with_nothing_on_stderr(tmp_path):
    words = ("--methods", "mean", "--masks", "center", "--limit", 2)
    shown = start("benchmark.py", *words, cwd=tmp_path)
    assert (shown.returncode, shown.stderr) == (0, "")
    records = read_records(tmp_path / "reports" / "runs" / "benchmark")
    assert [record["image"] for record in records] == ["sample-000", "sample-001"]
    assert all(record["leak_checked"] for record in records)


def test_bad_input_ends_in_one_line_and_exit_code_2(tmp_path):
    shown = start("benchmark.py", "--methods", "refind", cwd=tmp_path)
    assert shown.returncode == 2
    assert shown.stderr.startswith("error: no method 'refind'")
    assert shown.stderr.count("\n") == 1
    assert not list(tmp_path.iterdir())


@pytest.mark.slow
def test_killed_at_ten_moments_the_records_are_those_of_an_undisturbed_run(
    tmp_path, tiny_prior_folder
):
    words = ["--methods", "refined", "mean", "--masks", "center", "random"]
    words += ["--prior", str(tiny_prior_folder), "--steps", "200", "--limit", "24"]
    words += ["--batch-size", "2", "--no-check-leaks", "--out"]
    whole, killed = tmp_path / "whole", tmp_path / "killed"
    compiling, working = _times([*words, str(whole)], whole)
    expected = read_records(whole)
    # 24 images, 2 masks, 3 stages and 1.
    assert len(expected) == 192

    sizes = []
    for number, share in enumerate(np.random.default_rng(0).random(KILLS)):
        # Three times before or at the first batch; then while batch follows batch, at
        # moments that add up to some half of the work.
        early = number < EARLY_KILLS
        delay = share * (compiling if early else working / 7)
        _kill_after(delay, [*words, str(killed)], killed, wait_for_records=not early)
        sizes.append(_size(killed))
    assert len(set(sizes)) > KILLS - EARLY_KILLS  # They did meet it at work.
    _times([*words, str(killed)], killed)
    assert lasting(lines_of(killed)) == lasting(expected)
    assert len(lines_of(killed)) == len(expected)


def _begin(words, folder):
    """Start the script, and wait until it says that it is about to begin."""
    process = subprocess.Popen(
        [sys.executable, str(PIPELINES / "benchmark.py"), *words],
        cwd=folder.parent,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert "records in" in process.stdout.readline()
    return process


def _times(words, folder):
    """Run the script to its end; seconds to its first records, and from there."""
    process = _begin(words, folder)
    begun = time.perf_counter()
    _wait_for_records(process, folder)
    first = time.perf_counter()
    process.communicate()
    assert process.returncode == 0
    return first - begun, time.perf_counter() - first


def _kill_after(seconds, words, folder, *, wait_for_records):
    process = _begin(words, folder)
    if wait_for_records:
        _wait_for_records(process, folder)
    time.sleep(seconds)
    process.kill()
    process.communicate()


def _wait_for_records(process, folder):
    before = _size(folder)
    while _size(folder) == before and process.poll() is None:
        time.sleep(0.005)


def _size(folder):
    path = folder / RECORDS_FILE
    return path.stat().st_size if path.exists() else 0
