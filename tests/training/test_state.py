"""The state of a run on disk: exact, of one recipe and one set of data."""

import dataclasses
import json

import numpy as np
import pytest

from semantic_inpaint.models.tensors import load_tensors, save_tensors
from semantic_inpaint.training.gan import GanTrainer
from semantic_inpaint.training.state import (
    PREVIOUS_FILE,
    STATE_FILE,
    SavedRun,
    adopt_state,
    load_state,
    save_state,
)
from tests.training.tiny_runs import MICRO, assert_same_state

pytestmark = pytest.mark.both_backends


@pytest.fixture(scope="module")
def state():
    return GanTrainer(MICRO).initial_state()


def shifted(state, by):
    return {group: [v + by for v in values] for group, values in state.items()}


IDENTITY = {"recipe": MICRO, "data_sha256": "data", "rows_sha256": "rows"}


def save(folder, state, step, *, seconds=0.0):
    save_state(folder, SavedRun(state, step, seconds), **IDENTITY)


def load(folder, state, **changed):
    return load_state(folder, state, **IDENTITY | changed)


def test_a_state_comes_back_exactly(tmp_path, state):
    planted = shifted(state, 0.1)
    save(tmp_path / "new", planted, 7, seconds=1.1)
    found, step, seconds, history = load(tmp_path / "new", state)
    assert (step, seconds, history) == (7, 1.1, ())
    assert_same_state(found, planted)


def test_a_state_that_knows_no_time_begins_at_zero(tmp_path, state):
    save(tmp_path, state, 7, seconds=5.0)
    tensors, metadata = load_tensors(tmp_path / STATE_FILE)
    del metadata["seconds"]
    save_tensors(tmp_path / STATE_FILE, tensors, metadata=metadata)
    assert load(tmp_path, state).seconds == 0.0


def test_an_empty_folder_holds_none(tmp_path, state):
    assert load(tmp_path, state) is None
    assert load(tmp_path / "missing", state) is None


def test_the_state_before_the_last_is_kept(tmp_path, state):
    for step in (1, 2, 3):
        save(tmp_path, shifted(state, step), step)
    assert {p.name for p in tmp_path.iterdir()} == {STATE_FILE, PREVIOUS_FILE}
    found, step, *_ = load(tmp_path, state)
    assert step == 3
    assert_same_state(found, shifted(state, 3))

    # As a kill between the two renames of the next save leaves it.
    (tmp_path / STATE_FILE).unlink()
    found, step, *_ = load(tmp_path, state)
    assert step == 2
    assert_same_state(found, shifted(state, 2))


def test_only_the_length_of_the_run_may_change(tmp_path, state):
    save(tmp_path, state, 1)
    longer = dataclasses.replace(MICRO, num_images=640, num_epochs=3.0)
    assert load(tmp_path, state, recipe=longer).step == 1
    other = dataclasses.replace(MICRO, learning_rate=0.5, seed=3)
    with pytest.raises(ValueError, match=r"another recipe \(learning_rate .*seed 0"):
        load(tmp_path, state, recipe=other)


def test_other_data_is_refused(tmp_path, state):
    save(tmp_path, state, 1)
    with pytest.raises(ValueError, match="a run on other data; use the same"):
        load(tmp_path, state, data_sha256="other")
    with pytest.raises(ValueError, match="on other rows of the packed set; use the"):
        load(tmp_path, state, rows_sha256="other")


def test_what_is_no_state_is_refused_by_name(tmp_path, state):
    path = tmp_path / STATE_FILE
    save_tensors(path, {"a": np.zeros(3, np.float32)}, metadata={"step": "1"})
    with pytest.raises(ValueError, match=rf"{path} is no state of a training run"):
        load(tmp_path, state)
    path.write_bytes(b"words")
    with pytest.raises(ValueError, match=rf"{path} is damaged"):
        load(tmp_path, state)


@pytest.mark.parametrize("kind", ["absent", "of another shape"])
def test_a_state_of_other_networks_is_refused_by_name(tmp_path, state, kind):
    save(tmp_path, state, 1)
    tensors, metadata = load_tensors(tmp_path / STATE_FILE)
    if kind == "absent":
        del tensors["generator/000"]
        words = r"generator/000 is absent, expected \(3, 64\)"
    else:
        tensors["generator/000"] = np.zeros((3, 7), np.float32)
        words = r"generator/000 is \(3, 7\), expected \(3, 64\)"
    save_tensors(tmp_path / STATE_FILE, tensors, metadata=metadata)
    with pytest.raises(ValueError, match=words):
        load(tmp_path, state)


def test_a_run_of_an_earlier_version_has_the_defaults_of_newer_fields(tmp_path, state):
    save(tmp_path, state, 7)
    tensors, metadata = load_tensors(tmp_path / STATE_FILE)
    stored = json.loads(metadata["recipe"])
    del stored["augmentation"], stored["inverse_weight"]
    metadata["recipe"] = json.dumps(stored)
    save_tensors(tmp_path / STATE_FILE, tensors, metadata=metadata)
    assert load(tmp_path, state).step == 7
    changed = dataclasses.replace(MICRO, inverse_weight=1.0)
    with pytest.raises(ValueError, match=r"inverse_weight 0\.0 -> 1\.0"):
        load(tmp_path, state, recipe=changed)


def test_another_recipe_takes_over_what_a_run_has_and_remembers_it(tmp_path, state):
    planted = shifted(state, 0.1)
    save(tmp_path, planted, 7, seconds=1.1)
    recipe = dataclasses.replace(MICRO, inverse_weight=1.0)
    fresh = GanTrainer(recipe).initial_state()
    found = adopt_state(tmp_path, fresh)
    assert (found.step, found.seconds) == (7, 1.1)
    assert found.history == ({"recipe": MICRO.as_dict(), "steps": 7},)
    own = {key: fresh[key] for key in ("encoder", "encoder_optimizer")}
    assert_same_state({key: found.state[key] for key in own}, own)
    assert_same_state({key: found.state[key] for key in planted}, planted)

    again = tmp_path / "again"
    save_state(again, found, **IDENTITY | {"recipe": recipe})
    assert load(again, fresh, recipe=recipe).history == found.history
    third = adopt_state(again, state)
    assert [leg["steps"] for leg in third.history] == [7, 7]


def test_networks_of_another_size_are_not_taken_over(tmp_path, state):
    save(tmp_path, state, 7)
    wider = GanTrainer(dataclasses.replace(MICRO, generator_width=8)).initial_state()
    with pytest.raises(ValueError, match="generator/000 is"):
        adopt_state(tmp_path, wider)
    with pytest.raises(ValueError, match="holds no training run"):
        adopt_state(tmp_path / "missing", state)
