"""Recipes by name: each builds its network, and is trained by something."""

import dataclasses
import inspect

import pytest

from semantic_inpaint.models.inpainting_networks import NETWORKS
from semantic_inpaint.training.inpainting_recipes import InpaintingRecipe
from semantic_inpaint.training.inpainting_table import (
    INPAINTING_RECIPES,
    TINY,
    get_inpainting_recipe,
    make_trainer,
)


@pytest.mark.parametrize("name", INPAINTING_RECIPES)
def test_every_recipe_names_a_network_and_the_words_of_its_builder(name):
    kind, architecture = get_inpainting_recipe(name).network()
    words = inspect.signature(NETWORKS[kind].build).parameters
    assert architecture.keys() <= words.keys() - {"dtype", "seed"}
    assert NETWORKS[kind].multiple(architecture) >= 1


def test_every_method_has_a_recipe_of_its_name():
    for kind in NETWORKS:
        assert get_inpainting_recipe(kind).network()[0] == kind


def test_an_unknown_name_is_answered_with_the_nearest():
    with pytest.raises(ValueError, match="Did you mean 'pconv'"):
        get_inpainting_recipe("pconw")


def test_a_recipe_that_nothing_trains_is_refused():
    fields = {f.name: getattr(TINY, f.name) for f in dataclasses.fields(TINY)}
    own = {f.name for f in dataclasses.fields(InpaintingRecipe)}
    recipe = InpaintingRecipe(**{n: v for n, v in fields.items() if n in own})
    with pytest.raises(TypeError, match="nothing trains a InpaintingRecipe"):
        make_trainer(recipe)
