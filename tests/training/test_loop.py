"""The loop of a training: it goes on exactly, reports, and stops before it is bad."""

import dataclasses
import itertools
import shutil

import numpy as np
import pytest

from semantic_inpaint.datasets.lock import locked_folder
from semantic_inpaint.models.tensors import load_tensors, save_tensors
from semantic_inpaint.training.diversity import CollapseError
from semantic_inpaint.training.gan import GanTrainer
from semantic_inpaint.training.loop import (
    TrainingData,
    draw_batch,
    sample_grid,
    train_prior,
)
from semantic_inpaint.training.state import PREVIOUS_FILE, STATE_FILE
from tests.training.tiny_runs import MICRO, assert_same_state, training_data

pytestmark = pytest.mark.both_backends

DATA = training_data()
SHORT = dataclasses.replace(MICRO, num_images=16)


@pytest.fixture(scope="module")
def whole_run(tmp_path_factory):
    """A run of eight steps, with a report on each of them."""
    folder, reports = tmp_path_factory.mktemp("whole"), []
    result = train_prior(
        MICRO,
        DATA,
        folder,
        report=reports.append,
        report_interval=1,
        save_interval=4,
    )
    return folder, result, reports


@pytest.fixture
def copied_run(whole_run, tmp_path):
    """The folder of the whole run, to be changed."""
    return shutil.copytree(whole_run[0], tmp_path / "run")


def test_a_run_reports_every_step_and_ends_with_the_recipes_last(whole_run):
    folder, result, reports = whole_run
    assert result.step == 8
    assert [(r.step, r.num_steps) for r in reports] == [(s, 8) for s in range(1, 9)]
    always = {"discriminator_loss", "generator_loss", "real_logit", "fake_logit"}
    # The penalty comes in every second step, from the first; a state is looked at
    # before it is saved.
    own = [{"r1"}, set(), {"r1"}, {"diversity"}] * 2
    assert [set(r.scalars) - always for r in reports] == own
    assert all(np.isfinite(list(r.scalars.values())).all() for r in reports)
    assert [r.step for r in reports if r.grid is not None] == [4, 8]
    grid = sample_grid(result.trainer, result.state)
    np.testing.assert_array_equal(reports[-1].grid, grid)
    assert grid.shape == (64, 8, 8, 3)
    assert {p.name for p in folder.iterdir()} == {STATE_FILE, PREVIOUS_FILE}


def test_stopped_and_prolonged_a_run_is_the_same_to_the_last_bit(whole_run, tmp_path):
    # Bit for bit: the steps are deterministic for a network as small as this one.
    _, whole, reports = whole_run
    told = []
    options = {"report": told.append, "report_interval": 2}
    assert train_prior(SHORT, DATA, tmp_path, max_steps=3, **options).step == 3
    assert train_prior(SHORT, DATA, tmp_path, **options).step == 4
    result = train_prior(MICRO, DATA, tmp_path, **options)
    assert result.step == 8
    assert result.history == ({"recipe": SHORT.as_dict(), "steps": 4},)
    assert_same_state(result.state, whole.state)

    # A report tells the means since the one before; the last of each run comes early.
    assert [r.step for r in told] == [2, 3, 4, 6, 8]
    for report, steps in zip(told, ([1, 2], [3], [4], [5, 6], [7, 8]), strict=True):
        for name in report.scalars.keys() - {"diversity"}:
            value = report.scalars[name]
            values = [
                reports[s - 1].scalars[name]
                for s in steps
                if name in reports[s - 1].scalars
            ]
            assert value == pytest.approx(np.mean(values), rel=1e-6)


@pytest.mark.slow_on_jax
def test_every_step_has_the_learning_rate_of_the_recipe(tmp_path):
    recipe = dataclasses.replace(SHORT, decay_start=0.5, final_rate=0.2)
    result = train_prior(recipe, DATA, tmp_path)
    trainer = GanTrainer(recipe)
    state = trainer.initial_state()
    # Four steps, the last two on the way from all of the rate to a fifth of it.
    for step, share in enumerate([1.0, 1.0, 1.0, 0.6]):
        images, codes = draw_batch(recipe, DATA, step)
        rate = share * recipe.learning_rate
        state, _ = trainer.step(state, images, codes, step, learning_rate=rate)
    assert_same_state(result.state, state)


@pytest.mark.slow_on_jax
def test_killed_between_two_renames_a_run_goes_on_from_the_state_before(
    whole_run, copied_run
):
    (copied_run / STATE_FILE).unlink()
    steps = []
    result = train_prior(
        MICRO,
        DATA,
        copied_run,
        report=lambda r: steps.append(r.step),
        report_interval=1,
    )
    assert steps == [5, 6, 7, 8]
    assert_same_state(result.state, whole_run[1].state)


def test_a_run_that_is_over_is_handed_back(whole_run, copied_run):
    before = (copied_run / STATE_FILE).read_bytes()
    result = train_prior(MICRO, DATA, copied_run)
    assert result.step == 8
    assert_same_state(result.state, whole_run[1].state)
    assert (copied_run / STATE_FILE).read_bytes() == before


def diverged(folder, name, value, *, step=6):
    """Plant a value in the saved state, and go on until it is noticed."""
    path = folder / STATE_FILE
    tensors, metadata = load_tensors(path)
    tensors[name][:] = value
    save_tensors(path, tensors, metadata=metadata | {"step": str(step)})
    before = path.read_bytes()
    with pytest.raises(FloatingPointError) as caught:
        train_prior(MICRO, DATA, folder, save_interval=1)
    assert path.read_bytes() == before
    return str(caught.value)


def test_a_loss_that_is_not_finite_leaves_the_last_good_state(copied_run):
    # The third weight of D is the kernel of its logit.
    words = diverged(copied_run, "discriminator/002", np.float32("inf"))
    assert "discriminator_loss" in words
    assert f"at step 7; the last good state is in {copied_run}" in words
    assert "Lower the learning rate" in words


def test_bad_weights_are_not_saved_though_the_losses_are_good(copied_run):
    # The losses of a step are those of the weights before it: with this moment, the
    # step's new weights are bad, and its losses are not.
    words = diverged(copied_run, "generator_optimizer/000", np.nan)
    assert "loss" not in words
    assert {"generator,", "average,"} < set(words.split())
    assert "no longer finite at step 7" in words


@pytest.mark.slow_on_jax
def test_a_learning_rate_beyond_reason_is_noticed(tmp_path):
    recipe = dataclasses.replace(MICRO, learning_rate=1e30)
    with pytest.raises(FloatingPointError, match="at step 2; no state was saved"):
        train_prior(recipe, DATA, tmp_path, save_interval=2)
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (training_data(side=16), r"needs uint8 images \[N, 8, 8, 3\].*--size 8"),
        (training_data(count=3), "3 training images, fewer than one batch of 4"),
        (
            TrainingData(DATA.images.astype(np.float32), DATA.indices, "", (0,)),
            "the data is float32",
        ),
    ],
)
def test_data_that_does_not_fit_is_refused(data, words, tmp_path):
    with pytest.raises(ValueError, match=words):
        train_prior(MICRO, data, tmp_path)
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("option", ["report_interval", "save_interval", "max_steps"])
def test_a_number_of_steps_that_is_not_positive_is_refused(option, tmp_path):
    with pytest.raises(ValueError, match=f"`{option}` must be 1 or more; got 0"):
        train_prior(MICRO, DATA, tmp_path, **{option: 0})


def test_a_folder_of_another_run_is_refused(whole_run):
    folder, *_ = whole_run
    other = dataclasses.replace(MICRO, learning_rate=0.5)
    with pytest.raises(ValueError, match=r"another recipe \(learning_rate 0\.0002 ->"):
        train_prior(other, DATA, folder)
    with pytest.raises(ValueError, match="a run on other data"):
        train_prior(MICRO, dataclasses.replace(DATA, sha256="other"), folder)
    # As many rows, but one of them another.
    rows = np.where(DATA.indices == 7, 8, DATA.indices)
    with pytest.raises(ValueError, match="a run on other rows of the packed set"):
        train_prior(MICRO, dataclasses.replace(DATA, indices=rows), folder)


def test_a_folder_in_which_another_run_works_is_refused(copied_run):
    before = (copied_run / STATE_FILE).read_bytes()
    prolonged = dataclasses.replace(MICRO, num_images=36)
    with (
        locked_folder(copied_run),
        pytest.raises(ValueError, match=f"another process is working in {copied_run}"),
    ):
        train_prior(prolonged, DATA, copied_run)
    assert (copied_run / STATE_FILE).read_bytes() == before
    assert train_prior(prolonged, DATA, copied_run).step == 9


@pytest.mark.slow_on_jax
def test_the_seconds_in_the_loop_add_up_over_resumptions(tmp_path):
    # A clock that only stands still between its readings: one reading a second.
    ticks = itertools.count(100)
    options = {"save_interval": 2, "clock": lambda: float(next(ticks))}
    # Read once at the start, and at each of the states of steps 2, 4; 6, 8.
    assert train_prior(SHORT, DATA, tmp_path, **options).seconds == 2.0
    assert train_prior(MICRO, DATA, tmp_path, **options).seconds == 4.0
    assert train_prior(MICRO, DATA, tmp_path, **options).seconds == 4.0
    assert train_prior(MICRO, DATA, tmp_path).seconds == 4.0


@pytest.mark.slow_on_jax
def test_a_run_can_begin_where_another_recipe_stopped(tmp_path):
    train_prior(MICRO, DATA, tmp_path / "first", max_steps=3)
    recipe = dataclasses.replace(MICRO, inverse_weight=1.0)
    found = train_prior(
        recipe, DATA, tmp_path / "second", go_on_from=tmp_path / "first"
    )
    assert found.step == 8
    assert found.history == ({"recipe": MICRO.as_dict(), "steps": 3},)
    # Adam's count goes on where it was, the new network's begins: 8 and 5 steps.
    assert float(found.state["generator_optimizer"][-1]) == 8
    assert float(found.state["encoder_optimizer"][-1]) == 5
    # Resumed, the folder's own state is what counts.
    again = train_prior(
        recipe, DATA, tmp_path / "second", go_on_from=tmp_path / "first"
    )
    assert_same_state(again.state, found.state)


@pytest.mark.slow_on_jax
def test_a_collapse_is_named_and_the_state_before_it_stays(tmp_path, monkeypatch):
    grids = iter([1.0, 0.0])

    def planted_grid(trainer, state):
        rng = np.random.default_rng(0)
        return next(grids) * rng.uniform(-1, 1, (64, 8, 8, 3))

    monkeypatch.setattr("semantic_inpaint.training.loop.sample_grid", planted_grid)
    with pytest.raises(CollapseError, match=r"collapsed: .* by 0\.00"):
        train_prior(MICRO, DATA, tmp_path, save_interval=2)
    _, metadata = load_tensors(tmp_path / STATE_FILE)
    assert metadata["step"] == "2"
