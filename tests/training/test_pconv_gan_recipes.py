"""The constants of PConv-GAN's training."""

import dataclasses

import pytest

from semantic_inpaint.training.pconv_gan_recipes import (
    PCONV_GAN,
    PCONV_GAN_128,
    PCONV_GAN_RECIPES,
    PConvGanRecipe,
)


def phases(recipe):
    return [recipe.phase_at(step) for step in range(recipe.num_steps)]


def test_the_paper_s_phases_begin_at_its_iterations():
    recipe = PCONV_GAN_128
    assert recipe.num_steps == 125_000
    assert [recipe.phase_at(s) for s in (0, 24_999)] == ["generator"] * 2
    assert [recipe.phase_at(s) for s in (25_000, 30_999)] == ["discriminator"] * 2
    assert [recipe.phase_at(s) for s in (31_000, 124_999)] == ["both"] * 2
    assert recipe.valid_weight == pytest.approx(1 / 6)
    assert recipe.adversarial_weight == 1 / 2000
    assert (recipe.batch_size, recipe.image_size) == (16, 128)


def test_shorter_trainings_have_phases_of_the_same_shares():
    recipe = dataclasses.replace(PCONV_GAN, batch_size=16, num_images=16 * 125)
    assert phases(recipe) == (
        ["generator"] * 25 + ["discriminator"] * 6 + ["both"] * 94
    )
    whole = PConvGanRecipe(num_images=160, generator_share=0.0, discriminator_share=0.0)
    assert phases(whole) == ["both"] * 10


def test_without_the_adversarial_term_the_generator_trains_alone():
    recipe = dataclasses.replace(PCONV_GAN, num_images=1600, adversarial_weight=0.0)
    assert set(phases(recipe)) == {"generator"}


@pytest.mark.parametrize(
    ("name", "changes"),
    [
        ("pconv-gan-mse", {"adversarial_weight": 0.0}),
        ("pconv-gan-no-local", {"local": False}),
        ("pconv-gan-plain", {"convolution": "plain"}),
    ],
)
def test_each_ablation_changes_one_choice(name, changes):
    expected = {**PCONV_GAN.as_dict(), **changes}
    assert PCONV_GAN_RECIPES[name].as_dict() == expected


@pytest.mark.parametrize(
    "options",
    [
        {"image_size": 48},
        {"width": 0},
        {"discriminator_width": 0},
        {"discriminator_units": 0},
        {"valid_weight": -1.0},
        {"adversarial_weight": -1.0},
        {"convolution": "gated"},
        {"generator_share": 0.7, "discriminator_share": 0.4},
        {"discriminator_share": -0.1},
        {"beta_2": 1.0},
        {"batch_size": 0},
    ],
)
def test_what_cannot_be_trained_with_is_refused(options):
    with pytest.raises(ValueError, match=next(iter(options)).removesuffix("_2")):
        PConvGanRecipe(**options)
