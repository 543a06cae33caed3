"""The suite: every cell once, nothing twice, nothing mixed, nothing lost."""

import dataclasses
import itertools
import shutil

import numpy as np
import pytest

from semantic_inpaint.benchmark.hole_sources import PatternHoles
from semantic_inpaint.benchmark.leak import LeakError
from semantic_inpaint.benchmark.measure import Measures
from semantic_inpaint.benchmark.records import RECORDS_FILE, read_records, read_suite
from semantic_inpaint.benchmark.suite import SuiteOptions, run_suite
from semantic_inpaint.images import load_image, to_uint8
from semantic_inpaint.inpainters import CLASSICAL, make_inpainter
from semantic_inpaint.inpainters.classical import ClassicalInpainter
from semantic_inpaint.masks import PATTERNS, make_known
from semantic_inpaint.metrics import evaluate, seam_energy
from semantic_inpaint.problem import InpaintingProblem
from tests.benchmark.suites import lasting, lines_of, noise_images, run, short


def test_every_cell_has_one_record_and_the_figures_of_its_own_run(tmp_path, tiny_prior):
    images = noise_images()
    added = run(tmp_path, "refined", "mean", seeds=(0, 3), prior=tiny_prior)
    records = read_records(tmp_path)
    stages = [
        ("refined", "unblended"),
        ("refined", "inpainted"),
        ("refined", "refined"),
        ("mean", "completed"),
    ]
    wanted = itertools.product(images.names, ("center", "random"), (0, 3), stages)
    found = [
        (r["image"], r["mask"], r["seed"], (r["method"], r["stage"])) for r in records
    ]
    assert sorted(found) == sorted(wanted)
    assert added == len(records) == len({record["key"] for record in records})

    # The oracle: all images at once, without the suite.
    known = make_known("random", 5, 16, 16, seed=3, indices=images.numbers)
    weight = PATTERNS["random"].consensus_weight
    preset = dataclasses.replace(short(batch_size=5), consensus_weight=weight)
    problem = InpaintingProblem(images.pixels, known, images.numbers)
    result = make_inpainter("refined", prior=tiny_prior, preset=preset).inpaint(
        problem, seed=3
    )
    pictures = {
        "unblended": result.stages["generated"],
        "inpainted": result.stages["blended"],
        "refined": result.completed,
    }
    for stage, completed in pictures.items():
        figures = evaluate(completed, images.pixels, known)
        seam = seam_energy(completed, known)
        for i, name in enumerate(images.names):
            (record,) = (
                r
                for r in records
                if (r["image"], r["mask"], r["seed"]) == (name, "random", 3)
                and r["stage"] == stage
            )
            # Convolutions of another batch size may add in another order.
            for metric in ("mae", "mse", "mssim"):
                expected = figures["hole"][metric][i]
                assert record["metrics"]["hole"][metric] == pytest.approx(
                    expected, rel=1e-3
                )
            assert record["metrics"]["seam_energy"] == pytest.approx(seam[i], rel=1e-3)
            assert record["hole_share"] == (~known[i]).mean()
            assert record["options"]["consensus_weight"] == weight
            assert record["prior"]["sha256"] == tiny_prior.sha256


def test_what_is_finished_is_not_computed_again(tmp_path):
    assert run(tmp_path, "mean", "biharmonic") == 20
    content = (tmp_path / RECORDS_FILE).read_bytes()
    suite = (tmp_path / "suite.json").read_bytes()
    assert run(tmp_path, "mean", "biharmonic") == 0
    assert (tmp_path / RECORDS_FILE).read_bytes() == content
    assert (tmp_path / "suite.json").read_bytes() == suite


def test_methods_masks_seeds_and_images_may_be_added(tmp_path):
    few, all_of_them = noise_images(3), noise_images(5)
    assert run(tmp_path, "mean", images=few, masks=["center"]) == 3
    first = lines_of(tmp_path)
    assert run(tmp_path, "mean", images=all_of_them, masks=["center"]) == 2
    assert run(tmp_path, "biharmonic", "mean", masks=["center"]) == 5
    assert run(tmp_path, "mean", masks=["random"]) == 5
    assert run(tmp_path, "mean", masks=["random"], seeds=(0, 1)) == 5
    assert lines_of(tmp_path)[:3] == first
    assert set(read_suite(tmp_path)["methods"]) == {"mean", "biharmonic"}
    assert set(read_suite(tmp_path)["masks"]) == {"center", "random"}
    assert len(read_suite(tmp_path)["asked"]) == 5


def test_what_bears_a_name_that_is_taken_is_refused(tmp_path, tiny_prior):
    run(tmp_path, "semantic", prior=tiny_prior, masks=["center"])
    content = (tmp_path / RECORDS_FILE).read_bytes()
    other = dataclasses.replace(noise_images(), sha256="another", name="others")
    with pytest.raises(ValueError, match="another images: name is 'noise' there"):
        run(tmp_path, "semantic", prior=tiny_prior, images=other)
    with pytest.raises(ValueError, match=r"first\.num_steps is 3 there and 4 here"):
        run(tmp_path, "semantic", prior=tiny_prior, preset=short(steps=4))
    retrained = dataclasses.replace(tiny_prior, sha256="0" * 64)
    with pytest.raises(ValueError, match="another prior"):
        run(tmp_path, "refined", prior=retrained)
    with pytest.raises(ValueError, match="another distances"):
        run(tmp_path, "mean", measures=Measures({"l1": lambda a, b: np.zeros(len(a))}))
    assert (tmp_path / RECORDS_FILE).read_bytes() == content


def test_another_size_of_batch_is_no_other_benchmark(tmp_path, tiny_prior):
    assert run(tmp_path, "semantic", prior=tiny_prior, masks=["center"]) == 10
    larger = short(batch_size=4)
    assert (
        run(tmp_path, "semantic", prior=tiny_prior, masks=["center"], preset=larger)
        == 0
    )


def test_cut_anywhere_and_begun_again_the_records_are_those_of_one_run(tmp_path):
    whole, cut = tmp_path / "whole", tmp_path / "cut"
    run(whole, "mean", "biharmonic")
    # Cut in the middle of a batch, the rest of it is a smaller one.
    expected = lasting(read_records(whole), but=["batch_size"])
    size = (whole / RECORDS_FILE).stat().st_size
    for keep in np.random.default_rng(5).integers(0, size, 10):
        shutil.copytree(whole, cut)
        with (cut / RECORDS_FILE).open("ab") as file:
            file.truncate(int(keep))
        left = len(read_records(cut))
        assert run(cut, "mean", "biharmonic") == len(expected) - left
        assert lasting(lines_of(cut), but=["batch_size"]) == expected
        shutil.rmtree(cut)


def test_a_run_that_breaks_off_leaves_its_finished_batches(tmp_path):
    def break_off(done, total, _):
        if done > total / 2:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        run(tmp_path, "mean", progress=break_off)
    # Batches of 2, 2 and 1 images: the second mask's first is the one in flight.
    assert len(read_records(tmp_path)) == 5
    assert run(tmp_path, "mean") == 5


def test_progress_rises_to_the_whole_and_names_what_runs(tmp_path, tiny_prior):
    told = []
    run(
        tmp_path,
        "semantic",
        "mean",
        prior=tiny_prior,
        progress=lambda *words: told.append(words),
    )
    done = [words[0] for words in told]
    assert done == sorted(done)
    # Two masks of 5 images: 3 steps each of the search, 1 of the other.
    assert {words[1] for words in told} == {40}
    assert done[-1] == 40
    assert {"semantic, center", "mean, random"} <= {words[2] for words in told}


def test_a_method_that_peeks_is_stopped_before_its_first_record(tmp_path, monkeypatch):
    images = noise_images()

    def peek(image, hole):
        rows = [np.allclose(o[~hole], image[~hole]) for o in images.pixels]
        return images.pixels[int(np.argmax(rows))]

    def make():
        return ClassicalInpainter("mean", peek, {})

    monkeypatch.setitem(CLASSICAL, "mean", make)
    with pytest.raises(LeakError, match="the method 'mean'"):
        run(tmp_path, "mean", images=images, check_leaks=True)
    assert read_records(tmp_path) == []
    np.testing.assert_array_equal(images.pixels, noise_images().pixels)


def test_a_random_hole_where_that_of_another_kind_lies_has_its_own_record(tmp_path):
    class Elsewhere(PatternHoles):
        """The centre again, under another name."""

        def holes(self, images, *, seed):
            return PatternHoles("center").holes(images, seed=seed)

    run_suite(
        tmp_path,
        SuiteOptions(("mean",), check_leaks=False),
        noise_images(2),
        [PatternHoles("center"), Elsewhere("random-square")],
    )
    records = read_records(tmp_path)
    assert [r["mask"] for r in records] == 2 * ["center"] + 2 * ["random-square"]
    assert len({record["key"] for record in records}) == 4


def test_records_say_whether_a_leak_was_looked_for(tmp_path, tiny_prior):
    run(tmp_path / "yes", "plain", "mean", prior=tiny_prior, check_leaks=True)
    run(tmp_path / "no", "mean")
    assert all(record["leak_checked"] for record in read_records(tmp_path / "yes"))
    assert not any(record["leak_checked"] for record in read_records(tmp_path / "no"))


def test_pictures_of_the_first_by_number_are_kept(tmp_path):
    images = noise_images(3)
    images = dataclasses.replace(images, numbers=np.array([9, 5, 7]))
    run(tmp_path, "mean", images=images, masks=["center"], num_pictures=2)
    files = sorted(p.name for p in (tmp_path / "pictures" / "center").iterdir())
    assert files == [
        f"noise-{i}-{stage}.png"
        for i in (1, 2)
        for stage in ("masked", "mean-completed", "original")
    ]
    saved = load_image(tmp_path / "pictures" / "center" / "noise-1-original.png")
    np.testing.assert_array_equal(to_uint8(saved), to_uint8(images.pixels[1]))


def test_further_distances_and_verdicts_stand_in_the_records(tmp_path, tiny_prior):
    measures = Measures(
        {
            "l1": lambda completed, originals: np.abs(completed - originals).mean(
                (1, 2, 3)
            )
        },
        judge=lambda problem, result: [f"judged {n}" for n in problem.indices],
    )
    run(tmp_path, "semantic", "mean", prior=tiny_prior, measures=measures)
    for record in read_records(tmp_path):
        l1 = record["metrics"]["image"]["mae"] / 255
        assert record["metrics"]["l1"] == pytest.approx(l1, rel=1e-6)
        searched = record["method"] == "semantic"
        judged = f"judged {record['image_number']}" if searched else None
        assert record["verdict"] == judged
        assert (record["metrics"]["score"] is not None) == searched


@pytest.mark.parametrize(
    ("methods", "options", "words"),
    [
        (["meen"], {}, "Did you mean 'mean'"),
        ([], {}, "one name or more"),
        (["mean", "mean"], {}, "each once"),
        (["mean"], {"seeds": ()}, "`seeds`"),
        (["mean"], {"seeds": (1, 1)}, "`seeds`"),
        (["mean"], {"seeds": (-1,)}, "`seeds`"),
        (["mean"], {"num_pictures": -1}, "`num_pictures`"),
        (["mean"], {"masks": ["center", "center"]}, "another name"),
        (["mean"], {"masks": []}, "one or more"),
        (["refined"], {}, "needs a prior"),
    ],
)
def test_bad_requests_are_refused_before_anything_is_written(
    tmp_path, methods, options, words
):
    with pytest.raises(ValueError, match=words):
        run(tmp_path / "new", *methods, **options)
    assert not (tmp_path / "new").exists()
