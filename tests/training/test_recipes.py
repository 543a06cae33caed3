"""Recipes: the papers' constants, and what cannot be trained with."""

import dataclasses
import json

import pytest

from semantic_inpaint.training.named_recipes import COMPARED, RECIPES, get_recipe
from semantic_inpaint.training.recipes import FULL, PAPER, PLAIN, SLIM, PriorRecipe

pytestmark = pytest.mark.both_backends


def test_the_papers_recipe_is_what_the_paper_says():
    # Malesevic et al., section 3.2, and the widths of Yeh et al.
    assert PAPER.num_epochs == 25
    assert PAPER.num_images is None
    assert (PAPER.batch_size, PAPER.beta_1, PAPER.beta_2) == (64, 0.5, 0.9)
    assert (PAPER.generator_width, PAPER.discriminator_width) == (1024, 64)
    assert (PAPER.latent_dim, PAPER.image_size, PAPER.normalization) == (
        100,
        64,
        "batch",
    )
    assert not PAPER.shared_backward
    assert not PAPER.flip
    assert PAPER.r1_gamma == 0.0
    assert PAPER.average_half_life == 0.0


def test_the_full_recipe_is_the_slim_one_at_the_papers_width():
    differ = {
        field
        for field, value in FULL.as_dict().items()
        if value != SLIM.as_dict()[field]
    }
    assert differ == {"generator_width", "discriminator_width"}
    assert FULL.generator_width == PAPER.generator_width
    assert FULL.discriminator_width == PAPER.discriminator_width


@pytest.mark.parametrize("name", RECIPES)
def test_a_recipe_goes_into_a_card_and_comes_back(name):
    recipe = get_recipe(name)
    assert PriorRecipe(**json.loads(json.dumps(recipe.as_dict()))) == recipe


def test_steps_are_counted_by_images_or_by_epochs():
    recipe = dataclasses.replace(SLIM, batch_size=64, num_images=6400)
    assert recipe.num_steps(7) == recipe.num_steps(10**6) == 100
    recipe = dataclasses.replace(SLIM, batch_size=64, num_images=None, num_epochs=25)
    assert recipe.num_steps(640) == 250
    assert recipe.num_steps(1) == 1


def test_the_learning_rate_falls_in_a_line_from_its_start_to_its_end():
    recipe = dataclasses.replace(
        SLIM, learning_rate=0.4, decay_start=0.4, final_rate=0.1
    )
    rates = [recipe.learning_rate_at(step, 10) for step in range(10)]
    assert rates[:5] == pytest.approx([0.4] * 5)
    # A line from 0.4 at step 4 to 0.04 at step 10.
    assert rates[5:] == pytest.approx([0.34, 0.28, 0.22, 0.16, 0.1])
    assert {PAPER.learning_rate_at(step, 10) for step in range(10)} == {2e-4}


def test_an_unknown_name_is_answered_with_the_nearest():
    with pytest.raises(ValueError, match=r"'slimm'.*slim, full.*Did you mean 'slim'"):
        get_recipe("slimm")
    with pytest.raises(
        ValueError, match=r"'xyz'; there are slim, full, .*inverse-whole\."
    ):
        get_recipe("xyz")


@pytest.mark.parametrize(
    ("changed", "words"),
    [
        ({"normalization": "batch"}, "needs `normalization='none'`.*Set"),
        ({"batch_size": 0}, "`batch_size` must be positive; got 0"),
        ({"learning_rate": -1.0}, "`learning_rate` must be positive; got -1.0"),
        ({"learning_rate": float("nan")}, "`learning_rate` must be positive; got nan"),
        ({"r1_interval": 0}, "`r1_interval` must be positive"),
        ({"num_epochs": 0}, "`num_epochs` must be positive"),
        ({"num_images": 63}, r"at least one batch \(64\); got 63"),
    ],
)
def test_what_cannot_be_trained_with_is_refused(changed, words):
    with pytest.raises(ValueError, match=words):
        dataclasses.replace(SLIM, **changed)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"loss": "least-squares"}, "`loss` must be one of"),
        ({"loss": "hinge"}, "cannot give the gradient of the hinge loss"),
        ({"augmentation": "color,blur"}, "blur"),
        ({"inverse_holes": 1.5}, r"in \[0, 1\]; got 1\.5"),
    ],
)
def test_a_choice_that_does_not_exist_is_refused(change, message):
    with pytest.raises(ValueError, match=message):
        dataclasses.replace(PLAIN, **change)


def test_every_compared_recipe_differs_from_the_default_by_name():
    assert len({str(recipe) for recipe in (PLAIN, *COMPARED.values())}) == 1 + len(
        COMPARED
    )
    assert RECIPES.keys() > COMPARED.keys()
