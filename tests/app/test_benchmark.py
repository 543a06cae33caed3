"""The command `benchmark`: its words, its files, what it refuses."""

import json
import shutil

import numpy as np
import pytest

from semantic_inpaint import cli
from semantic_inpaint.app.benchmark import main
from semantic_inpaint.app.benchmark_options import BenchmarkOptions, parse
from semantic_inpaint.benchmark.records import read_records
from semantic_inpaint.datasets import folder_source, pack_images, sample_faces
from semantic_inpaint.masks import PATTERNS, make_known, save_known
from semantic_inpaint.metrics import aggregate, evaluate


@pytest.fixture
def benchmark(tmp_path, monkeypatch, capfd):
    """Run the command in an empty folder; gives exit code, records, stdout, stderr."""
    work = tmp_path / "work"
    work.mkdir()
    monkeypatch.chdir(work)

    def benchmark(*words, out="out", limit="2"):
        argv = ["--no-check-leaks", "--out", out, "--limit", limit]
        code = main([*argv, *map(str, words)])
        captured = capfd.readouterr()
        return code, read_records(work / out), captured.out, captured.err

    return benchmark


@pytest.fixture
def packed(tmp_path, photo):
    """Pack four pictures, the last two of them in partition 1."""
    folder = tmp_path / "pictures"
    folder.mkdir()
    for i in range(4):
        shutil.copy(photo(f"{i}.png"), folder)
    source = folder_source(folder)
    partitions = (0, 0, 1, 1)
    object.__setattr__(source, "partitions", partitions)

    def packed(out):
        pack_images([source], out, size=16)
        return out

    return packed


def test_all_six_masks_on_the_samples_by_default(benchmark):
    code, records, shown, err = benchmark("--methods", "mean")
    assert (code, err) == (0, "")
    assert {record["mask"] for record in records} == set(PATTERNS)
    assert {record["images"]["name"] for record in records} == {"samples"}
    assert {record["image"] for record in records} == {"sample-000", "sample-001"}
    assert "12 records added, 12 in out/records.jsonl" in shown
    # The oracle: the figures of the first two faces, worked out here.
    faces = sample_faces(2)
    centre = [record for record in records if record["mask"] == "center"]
    known = make_known("center", 2, 64, 64)
    filled = faces.copy()
    for image, pixels in zip(filled, known, strict=True):
        image[~pixels] = image[pixels].mean(axis=0, dtype=np.float64)
    expected = evaluate(filled, faces, known)
    psnr = [record["metrics"]["hole"]["psnr"] for record in centre]
    np.testing.assert_allclose(psnr, expected["hole"]["psnr"], rtol=1e-5)
    assert f"{aggregate(expected)['hole']['psnr_pooled']:.2f}" in shown


def test_a_search_says_how_it_went(benchmark, tiny_prior_folder):
    words = ("--methods", "refined", "--masks", "center", "--steps", 2)
    code, records, shown, err = benchmark(*words, "--prior", tiny_prior_folder)
    assert (code, err) == (0, "")
    assert [r["stage"] for r in records[:3]] == ["unblended", "inpainted", "refined"]
    assert {record["verdict"] for record in records} <= {
        "fine",
        "not converged",
        "poor fit",
    }
    assert records[0]["options"]["second"]["num_steps"] == 2
    assert "refined unblended" in shown


def test_celeba_is_taken_where_it_is_packed_and_of_it_the_validation_faces(
    benchmark, packed, tmp_path
):
    packed(tmp_path / "work" / "data" / "celeba64")
    words = ("--methods", "mean", "--masks", "center", "--size", 16)
    code, records, _, err = benchmark(*words)
    assert (code, err) == (0, "")
    assert {record["images"]["name"] for record in records} == {"celeba partition 1"}
    assert [record["image"] for record in records] == ["2", "3"]
    _, records, *_ = benchmark(*words, "--samples", out="samples")
    assert [record["image"] for record in records] == ["sample-000", "sample-001"]
    code, _, _, err = benchmark(*words, "--samples", "--images", "data/celeba64")
    assert code == 2
    assert "--images names others; leave out one of them" in err


def test_a_larger_limit_adds_to_a_packed_set(benchmark, packed, tmp_path):
    words = ("--methods", "mean", "--masks", "center", "--size", 16)
    words += ("--images", packed(tmp_path / "set"))
    assert len(benchmark(*words, limit="2")[1]) == 2
    code, records, shown, _ = benchmark(*words, limit="4")
    assert (code, len(records)) == (0, 4)
    assert "2 records added, 4 in" in shown


def test_a_config_file_says_the_same_as_the_words_and_gives_way_to_them(tmp_path):
    path = tmp_path / "small.json"
    content = {
        "methods": ["mean", "telea"],
        "masks": ["left"],
        "seeds": [1, 2],
        "images": ["faces"],
        "limit": 7,
        "check_leaks": False,
        "out": "here",
    }
    path.write_text(json.dumps(content))
    words = ["--methods", "mean", "telea", "--masks", "left", "--seeds", "1", "2"]
    words += ["--images", "faces", "--limit", "7", "--no-check-leaks", "--out", "here"]
    by_words = parse([*words, "--config", str(path)])
    assert parse(["--config", str(path)]) == by_words
    assert parse([f"--config={path}", "--limit", "3"]).limit == 3
    assert parse([f"--config={path}", "--masks", "all"]).masks == ("all",)
    assert parse(words) == BenchmarkOptions(**{**vars(by_words), "config": None})


@pytest.mark.parametrize(
    ("content", "hint"),
    [
        ('{"method": ["mean"]}', "Did you mean 'methods'"),
        ('{"methods": "mean"}', "'methods' must be tuple[str, ...]; got 'mean'"),
        ('{"limit": "3"}', "'limit' must be int"),
        ('{"limit": true}', "'limit' must be int"),
        ('{"check_leaks": 1}', "'check_leaks' must be bool"),
        ("[1]", "must hold a JSON object"),
        ("{", "cannot be read as JSON"),
    ],
)
def test_a_config_file_that_says_something_else_is_refused(
    benchmark, tmp_path, content, hint
):
    path = tmp_path / "small.json"
    path.write_text(content)
    code, records, _, err = benchmark("--config", path)
    assert (code, records) == (2, [])
    assert err.count("\n") == 1
    assert hint in err


def test_masks_from_a_folder_and_from_a_pack(benchmark, tmp_path):
    folder = tmp_path / "mine"
    folder.mkdir()
    save_known(folder / "one.png", make_known("left", 1, 64, 64)[0])
    _, records, *_ = benchmark("--methods", "mean", "--mask-dir", folder)
    assert {(r["mask"], r["mask_id"]) for r in records} == {("mine", "one.png")}
    assert {record["hole_share"] for record in records} == {0.5}

    from semantic_inpaint.masks.pack import write_pack

    pack = tmp_path / "pack"
    write_pack(pack, size=64, count=1)
    words = ("--methods", "mean", "--mask-pack", pack, "--masks", "random", "left")
    code, records, _, err = benchmark(*words, out="packed")
    assert (code, err) == (0, "")
    assert {record["mask"] for record in records} == {"random", "left"}


@pytest.mark.parametrize(
    ("words", "hint"),
    [
        (["--masks", "centre"], "'center'"),
        (["--methods", "refine"], "'refined'"),
        (["--preset", "malesewic"], "'malesevic'"),
        (["--images", "none.png"], "none.png"),
        (["--mask-dir", "none"], "none"),
        (["--mask-dir", "a", "--mask-pack", "b"], "--mask-dir"),
        (["--partition", "1"], "--partition"),
        (["--seeds", "-1"], "seeds"),
        (["--pictures", "-1"], "num_pictures"),
        (["--perceptual", "lpips"], "lpips-alex"),
        (["--device", "gpu:7"], "cpu"),
        (["--limit", "0"], "--limit"),
    ],
)
def test_wrong_words_are_answered_in_one_line_and_nothing_is_written(
    benchmark, tmp_path, words, hint
):
    code, _, _, err = benchmark("--methods", "mean", *words)
    assert code == 2
    assert err.startswith("error: ")
    assert err.count("\n") == 1
    assert hint in err
    assert not list((tmp_path / "work").iterdir())


def test_another_benchmark_in_the_folder_is_refused_in_one_line(benchmark, photo):
    words = ("--methods", "mean", "--masks", "center", "--size", "16")
    benchmark(*words)
    code, records, _, err = benchmark(*words, "--images", photo())
    assert code == 2
    assert len(records) == 2
    assert "holds a benchmark with another images" in err
    assert err.count("\n") == 1


def test_run_sends_methods_without_a_prior_to_this_command(run, refused):
    refused(run("--method", "telea"), "telea", "benchmark")


def test_the_console_command_knows_it(capsys):
    assert cli.main(["benchmarks"]) == 2
    assert "'benchmark'" in capsys.readouterr().err
    assert "benchmark" in cli._help()
