"""The constants of Liu et al. (2018), and the schedule in two stages."""

import dataclasses

import pytest

from semantic_inpaint.training.pconv_recipes import (
    CONV_64,
    GATED_64,
    PCONV_64,
    PCONV_128,
    PCONV_256,
    PCONV_512,
    PConvRecipe,
)


def test_the_papers_recipe_has_the_papers_numbers():
    weights = ("valid", "hole", "perceptual", "style", "variation")
    found = [getattr(PCONV_512, f"{name}_weight") for name in weights]
    assert found == [1.0, 6.0, 0.05, 120.0, 0.1]
    assert (PCONV_512.batch_size, PCONV_512.image_size, PCONV_512.width) == (6, 512, 64)
    assert (PCONV_512.perceptual, PCONV_512.perceptual_images) == ("vgg16", None)


@pytest.mark.parametrize(("recipe", "side"), [(PCONV_128, 128), (PCONV_256, 256)])
def test_the_papers_procedure_at_other_sizes_differs_in_the_size_alone(recipe, side):
    assert recipe.as_dict() == PCONV_512.as_dict() | {"image_size": side}


def test_the_second_stage_has_its_own_rate_from_its_first_step_on():
    recipe = dataclasses.replace(PCONV_512, num_images=66)
    assert [recipe.is_fine_tuning(s) for s in (0, 7, 8, 10)] == [False] * 2 + [True] * 2
    assert [recipe.rate_at(step) for step in (0, 7, 8, 10)] == [2e-4, 2e-4, 5e-5, 5e-5]
    # The loop asks under the other name.
    assert recipe.learning_rate_at(8, 11) == 5e-5


def test_without_a_rate_of_its_own_the_second_stage_goes_on_as_the_first():
    recipe = dataclasses.replace(PCONV_64, num_images=160)
    single = dataclasses.replace(recipe, fine_tune_start=1.0)
    rates = [recipe.rate_at(step) for step in range(10)]
    assert rates == [single.rate_at(step) for step in range(10)]
    assert rates == sorted(rates, reverse=True)
    assert [recipe.is_fine_tuning(step) for step in (7, 8)] == [False, True]
    assert not single.is_fine_tuning(9)


def test_the_compared_recipes_differ_in_the_layer_alone():
    changed = {
        name
        for recipe in (CONV_64, GATED_64)
        for name, value in recipe.as_dict().items()
        if value != PCONV_64.as_dict()[name]
    }
    # The gated network is narrower, to have about as many weights.
    assert changed == {"layer", "width"}
    assert (CONV_64.width, GATED_64.width) == (PCONV_64.width, 23)


@pytest.mark.parametrize(
    "options",
    [
        {"layer": "convolution"},
        {"image_size": 48},
        {"width": 0},
        {"style_weight": -1.0},
        {"perceptual": "vgg19"},
        {"perceptual_images": 0},
        {"fine_tune_start": 1.5},
        {"fine_tune_rate": 0.0},
        {"beta_1": 1.0},
        {"learning_rate": 0.0},
    ],
)
def test_what_cannot_be_trained_with_is_refused(options):
    name = "betas" if "beta_1" in options else next(iter(options))
    with pytest.raises(ValueError, match=name):
        PConvRecipe(**options)
