"""What the training of an inpainter begins with, where it goes on from a network."""

import json
from pathlib import Path

import numpy as np
import pytest
from keras import ops

from semantic_inpaint.models.inpainting_files import NETWORK_CARD, load_network
from semantic_inpaint.training.inpainting import InpaintingTraining, train_inpainter
from semantic_inpaint.training.inpainting_export import export_inpainter
from semantic_inpaint.training.inpainting_start import begin_inpainting
from semantic_inpaint.training.inpainting_table import (
    get_inpainting_recipe,
    make_trainer,
)
from tests.training.tiny_inpainters import shrunk
from tests.training.tiny_runs import training_data

SIDE = 16
SEEN = 3
NO_WORDS = {"landmarks": None, "data_note": "", "licence": ""}


def recipe_of(name, *, num_steps=SEEN, **changed):
    return shrunk(name, num_steps=num_steps, image_size=SIDE, **changed)


def export(name, folder):
    """Write a network as if trained for a few steps; also return its training."""
    trainer = make_trainer(recipe_of(name))
    # Unlike those of any fresh network, statistics of normalisation too.
    state = {
        group: [value + 0.25 for value in values]
        for group, values in trainer.initial_state().items()
    }
    end = InpaintingTraining(trainer, state, SEEN, 1.5)
    data = training_data(count=8, side=SIDE)
    return export_inpainter(end, data, folder, **NO_WORDS), end


@pytest.fixture(scope="module")
def exported(tmp_path_factory):
    return export("conv", tmp_path_factory.mktemp("conv"))


def change_card(folder, **changed):
    """Write other facts into a card; None takes one out."""
    path = folder / NETWORK_CARD
    card = json.loads(path.read_text()) | changed
    path.write_text(json.dumps({k: v for k, v in card.items() if v is not None}))


def as_arrays(values):
    return [ops.convert_to_numpy(value) for value in values]


@pytest.mark.parametrize("name", ["conv", "iconv", "pconv-gan"])
def test_weights_come_from_the_network_and_all_else_is_fresh(name, tmp_path):
    folder, end = export(name, tmp_path)
    trainer = make_trainer(recipe_of(name, num_steps=2 * SEEN, seed=5))
    fresh = trainer.initial_state()
    begun = begin_inpainting(trainer.recipe, fresh, folder)
    assert (begun.step, begun.seconds) == (SEEN, 1.5)
    assert begun.history == ({"recipe": end.trainer.recipe.as_dict(), "steps": SEEN},)
    assert begun.state.keys() == fresh.keys()
    for group, values in begun.state.items():
        taken = group.startswith(("generator", "average")) and "optim" not in group
        source = group.replace("generator", "average") if taken else group
        expected = as_arrays((end.state if taken else fresh)[source])
        for found, wanted in zip(as_arrays(values), expected, strict=True):
            assert found.dtype == wanted.dtype
            # The file has 11 bits of each weight.
            np.testing.assert_allclose(found, wanted, rtol=2**-11, atol=1e-7)


def test_a_run_trains_on_from_there_and_can_be_resumed(exported, tmp_path):
    folder, _ = exported
    trainer = make_trainer(recipe_of("conv", num_steps=2 * SEEN))
    data = training_data(count=8, side=SIDE)
    words = {"go_on_from": folder}
    whole = train_inpainter(trainer, data, tmp_path / "whole", **words)
    assert whole.step == 2 * SEEN
    train_inpainter(trainer, data, tmp_path / "cut", max_steps=SEEN + 1, **words)
    cut = train_inpainter(trainer, data, tmp_path / "cut", **words)
    assert cut.history == whole.history
    for one, other in zip(cut.state["average"], whole.state["average"], strict=True):
        np.testing.assert_array_equal(*as_arrays((one, other)))


def test_what_was_trained_in_legs_keeps_them_all(exported, tmp_path):
    folder, first = exported
    data = training_data(count=8, side=SIDE)
    trainer = make_trainer(recipe_of("conv", num_steps=2 * SEEN, seed=7))
    second = train_inpainter(trainer, data, tmp_path / "run", go_on_from=folder)
    again = export_inpainter(second, data, tmp_path / "network", **NO_WORDS)
    recipe = recipe_of("conv", num_steps=3 * SEEN)
    begun = begin_inpainting(recipe, make_trainer(recipe).initial_state(), again)
    assert [leg["steps"] for leg in begun.history] == [SEEN, 2 * SEEN]
    assert [leg["recipe"]["seed"] for leg in begun.history] == [
        first.trainer.recipe.seed,
        7,
    ]


def test_a_network_that_ships_is_found_by_its_name():
    recipe = get_inpainting_recipe("iconv")
    begun = begin_inpainting(recipe, {"average": []}, Path("iconv"))
    shipped = load_network("iconv")
    assert begun.step == shipped.card["steps"]
    found = as_arrays(begun.state["average"])
    for one, other in zip(found, shipped.model.trainable_variables, strict=True):
        np.testing.assert_array_equal(one, ops.convert_to_numpy(other))


@pytest.mark.parametrize(
    ("recipe", "message"),
    [
        (recipe_of("pconv"), "network 'conv', the recipe trains 'pconv'"),
        (recipe_of("conv", width=6), r"built otherwise .*\(width 4 -> 6\)"),
    ],
)
def test_another_network_is_refused(recipe, message, exported):
    with pytest.raises(ValueError, match=message):
        begin_inpainting(recipe, {}, exported[0])


def test_what_is_neither_a_run_nor_a_network_is_refused(tmp_path):
    expected = r"nowhere holds neither .*state\.safetensors.*network\.json.*pconv-gan"
    with pytest.raises(ValueError, match=expected):
        begin_inpainting(recipe_of("conv"), {}, tmp_path / "nowhere")


def test_a_card_that_does_not_tell_of_a_training_is_refused(tmp_path):
    folder, _ = export("conv", tmp_path)
    change_card(folder, steps=None)
    with pytest.raises(ValueError, match=r"does not say how .*'steps'.*train_inpaint"):
        begin_inpainting(recipe_of("conv"), {}, folder)
