"""What IConv is trained with: its configs, its constants, what is refused."""

import dataclasses
import itertools

import pytest

from semantic_inpaint.training.iconv_recipes import (
    CONFIGS,
    ICONV_RECIPES,
    PAPER_FACES,
    PAPER_FREE_FORM,
    IConvRecipe,
)


def changes(first, second):
    a, b = first.as_dict(), second.as_dict()
    return {name: b[name] for name in a if a[name] != b[name]}


def test_each_config_changes_what_table_1_says():
    steps = list(CONFIGS.values())
    assert list(CONFIGS) == ["A", "B", "C", "D", "E"]
    assert [changes(*pair) for pair in itertools.pairwise(steps)] == [
        {"penalty": "revised", "constrain_output": True},
        {"generator_pose": "scalar"},
        {"convolution": "imputed"},
        {"discriminator_pose": "scalar", "residual": True},
    ]
    assert changes(IConvRecipe(), CONFIGS["E"]).keys() == {
        "holes",
        "num_images",
        "learning_rate_end",
        "average_halflife",
    }
    assert (CONFIGS["A"].convolution, CONFIGS["A"].generator_pose) == (
        "plain",
        "one-hot",
    )


def test_what_ships_is_config_e_but_for_the_critic_and_the_rates():
    gain = ICONV_RECIPES["iconv-critic-gain"]
    assert changes(CONFIGS["E"], gain) == {"critic_gain": pytest.approx(2**0.5)}
    assert changes(gain, ICONV_RECIPES["iconv"]) == {
        "num_images": 288_000,
        "critic_lead": 2.0,
        "learning_rate": 4e-3,
    }
    assert ICONV_RECIPES["iconv-e"] is CONFIGS["E"]


def test_the_papers_networks_have_its_sizes():
    fields = ("image_size", "model_size", "full_width_side", "num_images")
    sizes = [[getattr(r, f) for f in fields] for r in (PAPER_FACES, PAPER_FREE_FORM)]
    assert sizes == [[128, 128, 32, 20_000_000], [256, 256, 32, 20_000_000]]
    assert (PAPER_FACES.learning_rate, PAPER_FREE_FORM.learning_rate) == (1e-3, 1.5e-3)
    for recipe in (PAPER_FACES, PAPER_FREE_FORM):
        assert (recipe.learning_rate_end, recipe.average_halflife) == (None, 10_000)
    assert (PAPER_FACES.beta_1, PAPER_FACES.beta_2) == (0.0, 0.99)


def test_a_lazy_penalty_makes_up_for_the_second_update():
    assert IConvRecipe().lazy_share == 16 / 17
    assert IConvRecipe(penalty_interval=1).lazy_share == 0.5
    assert IConvRecipe(penalty_weight=0.0).lazy_share == 1.0


def test_a_recipe_goes_into_a_card_whole():
    recipe = IConvRecipe(num_landmarks=5, latent_dim=64)
    assert IConvRecipe(**recipe.as_dict()) == recipe
    assert recipe.latent_channels == 4
    assert {"latent_dim", "num_landmarks", "batch_size"} <= recipe.as_dict().keys()


@pytest.mark.parametrize(
    ("field", "value", "message"),
    [
        ("convolution", "partial", "imputed, plain, gated; got 'partial'"),
        ("variant", "port", "official, paper; got 'port'"),
        ("generator_pose", "dense", "scalar, one-hot; got 'dense'"),
        ("discriminator_pose", "dense", "scalar, one-hot; got 'dense'"),
        ("penalty", "r1", "revised, hole, standard; got 'r1'"),
        ("latent_dim", 100, "multiple of 16, .* got 100"),
        ("penalty_interval", 0, "1 or more; got 0"),
        ("penalty_weight", -1.0, "0 or more; got -1.0"),
        ("critic_gain", 0.0, "`critic_gain` must be positive; got 0.0"),
        ("critic_lead", -1.0, "`critic_lead` must be positive; got -1.0"),
        ("beta_1", 1.0, "betas must be in"),
        ("batch_size", 0, "`batch_size` must be positive"),
    ],
)
def test_what_cannot_be_trained_with_is_refused(field, value, message):
    with pytest.raises(ValueError, match=message):
        dataclasses.replace(IConvRecipe(), **{field: value})
