"""Planted cheats must be caught, and honest methods must pass."""

import dataclasses
import json
from collections.abc import Callable

import numpy as np
import pytest

from semantic_inpaint.benchmark.leak import (
    LeakError,
    check_leak,
    find_leaks,
    leak_record,
)
from semantic_inpaint.masks import make_known
from semantic_inpaint.metrics import oracle_choice
from semantic_inpaint.problem import HOLE_VALUE, InpaintingProblem, InpaintingResult


@dataclasses.dataclass
class Planted:
    """A method made of one function: from problem and seed to the completed images."""

    fill: Callable
    num_steps: int = 1

    def inpaint(self, problem, *, seed=0, progress=None, watch=None):
        completed = np.where(
            problem.known[..., None], problem.images, self.fill(problem, seed)
        ).astype(np.float32)
        return InpaintingResult(
            completed,
            completed,
            stages={"masked": problem.images},
            status=("converged",) * len(problem),
            stats={"mean": completed.mean(axis=(1, 2, 3))},
        )


@pytest.fixture
def images():
    return np.random.default_rng(0).random((3, 16, 16, 3), dtype=np.float32)


@pytest.fixture
def problem(images):
    return InpaintingProblem(images, make_known("center", 3, 16, 16))


def known_mean(problem, seed):
    rows = zip(problem.images, problem.known, strict=True)
    means = [image[known].mean(axis=0) for image, known in rows]
    return np.reshape(means, (-1, 1, 1, 3))


def noise(problem, seed):
    rng = np.random.default_rng(seed)
    return rng.random(problem.images.shape)


@pytest.mark.parametrize("fill", [known_mean, noise])
def test_an_honest_method_passes_and_the_images_are_left_as_they_were(
    fill, images, problem
):
    before = images.copy()
    assert check_leak(Planted(fill), problem, images, seed=3).passed
    np.testing.assert_array_equal(images, before)


def test_a_peek_at_the_originals_through_a_closure_is_caught(images, problem):
    with pytest.raises(LeakError, match=r"with noise in the hole: another completed"):
        check_leak(Planted(lambda *_: images), problem, images)


def test_a_choice_by_the_originals_is_caught(images, problem):
    def choose(problem, seed):
        answers = np.stack([known_mean(problem, seed), 1 - known_mean(problem, seed)])
        answers = np.broadcast_to(answers, (2, *images.shape)).swapaxes(0, 1)
        best = oracle_choice(answers.copy(), images, problem.known)
        return answers[np.arange(len(images)), best]

    # NaN stops the choice, which itself betrays it.
    report = find_leaks(Planted(choose), problem, images)
    assert any(
        "with NaN in the hole: stopped by ValueError" in f for f in report.findings
    )


def test_a_copy_of_the_originals_is_caught_where_it_is_given_back(images, problem):
    hidden = np.round(255 * images) / 255
    report = find_leaks(Planted(lambda *_: hidden), problem, images)
    assert len(report.findings) == 1
    assert "negative of image(s) [0, 1, 2]" in report.findings[0]


def test_reading_the_images_before_their_holes_are_overwritten_is_caught(
    images, problem, monkeypatch
):
    caught = {}
    pose = InpaintingProblem.__post_init__

    def listen(self):
        caught["images"] = np.array(self.images)
        pose(self)

    monkeypatch.setattr(InpaintingProblem, "__post_init__", listen)
    report = find_leaks(
        Planted(lambda *_: np.nan_to_num(caught["images"])),
        InpaintingProblem(images, problem.known),
        images,
    )
    assert [f.split(" in the hole")[0] for f in report.findings[:2]] == [
        "with noise",
        "with NaN",
    ]


def test_reading_the_holes_of_the_problem_is_caught_past_it(images, problem):
    def read(problem, seed):
        # Of use only if the problem had not overwritten them.
        return 0.5 * (problem.images + known_mean(problem, seed))

    report = find_leaks(Planted(read), problem, images)
    assert [f.split(" in the hole")[0] for f in report.findings] == [
        "past the problem, with the true pixels",
        "past the problem, with noise",
    ]


def test_a_leak_into_a_statistic_alone_is_caught(images, problem):
    class Telling(Planted):
        def inpaint(self, problem, **options):
            result = super().inpaint(problem, **options)
            result.stats["error"] = np.abs(result.completed - images).mean((1, 2, 3))
            return result

    report = find_leaks(Telling(known_mean), problem, images)
    assert report.findings[0] == "with noise in the hole: another statistic 'error'"


def test_one_bit_is_enough(images, problem):
    def least(problem, seed):
        filled = np.full_like(images, HOLE_VALUE)
        if images[0, 8, 8, 0] != truth:
            filled[0, 8, 8, 0] = np.nextafter(np.float32(HOLE_VALUE), np.float32(1))
        return filled

    truth = images[0, 8, 8, 0]
    report = find_leaks(Planted(least), problem, images)
    assert report.findings[0].startswith("with noise in the hole: another completed")


def test_a_method_that_draws_beside_its_seed_is_caught(images, problem):
    stream = np.random.default_rng(1)
    method = Planted(lambda problem, _: stream.random(problem.images.shape))
    with pytest.raises(LeakError, match="the seed does not settle"):
        check_leak(method, problem, images)


def test_the_images_are_restored_where_a_method_stops(images, problem):
    def stop(problem, seed):
        if not np.isfinite(images).all():
            raise RuntimeError("poison")
        return known_mean(problem, seed)

    before = images.copy()
    report = find_leaks(Planted(stop), problem, images)
    assert report.findings == ("with NaN in the hole: stopped by RuntimeError: poison",)
    np.testing.assert_array_equal(images, before)


def test_the_record_names_methods_versions_and_leaks(images, problem):
    record = leak_record(
        {"honest": Planted(known_mean), "cheat": Planted(lambda *_: images)},
        problem,
        images,
        versions={"numpy": np.__version__},
        seed=5,
    )
    assert json.loads(json.dumps(record)) == record
    assert not record["passed"]
    assert record["methods"]["honest"] == {"passed": True, "findings": []}
    assert record["methods"]["cheat"]["passed"] is False
    assert record["methods"]["cheat"]["findings"]
    assert record["versions"] == {"numpy": np.__version__}
    assert record["num_images"] == 3
    assert record["image_size"] == [16, 16]
    assert record["seed"] == 5
    assert "NaN" in record["poisons"]


def test_images_that_cannot_be_used_are_refused(images, problem):
    method = Planted(known_mean)
    with pytest.raises(TypeError, match="floating-point array; got uint8"):
        check_leak(method, problem, (255 * images).astype(np.uint8))
    with pytest.raises(ValueError, match="those that `problem` was made of"):
        check_leak(method, problem, images[:, :8].copy())
    with pytest.raises(ValueError, match="those that `problem` was made of"):
        check_leak(method, problem, 1 - images)
    spoilt = images.copy()
    spoilt[problem.hole] = np.nan
    with pytest.raises(ValueError, match=r"finite and in \[0, 1\] everywhere"):
        check_leak(method, problem, spoilt)
    images.setflags(write=False)
    with pytest.raises(ValueError, match=r"read-only array. Pass a copy"):
        check_leak(method, problem, images)
