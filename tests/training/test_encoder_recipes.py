"""The constants of an encoder's training."""

import pytest

from semantic_inpaint.training.encoder_recipes import EncoderRecipe


def test_the_rate_falls_on_a_cosine_to_nothing():
    recipe = EncoderRecipe(learning_rate=0.4)
    rates = [recipe.learning_rate_at(step, 100) for step in (0, 50, 100)]
    assert rates == pytest.approx([0.4, 0.2, 0.0])
    # cos(60 degrees) is 1/2.
    assert recipe.learning_rate_at(1, 3) == pytest.approx(0.3)


def test_steps_and_pairs_follow_from_the_batch():
    recipe = EncoderRecipe(batch_size=64, num_images=400_000, pair_share=0.25)
    assert (recipe.num_steps, recipe.num_pairs) == (6250, 16)
    assert EncoderRecipe(pair_share=0.0).num_pairs == 0


def test_the_average_forgets_half_in_its_half_life_once_it_is_warm():
    recipe = EncoderRecipe(batch_size=10, average_half_life=100.0, average_ramp=0.1)
    assert recipe.average_decay_at(1000) ** 10 == pytest.approx(0.5)
    # After one step the half-life is a tenth of a batch.
    assert recipe.average_decay_at(0) == pytest.approx(0.5**10)
    assert EncoderRecipe(average_half_life=0.0).average_decay_at(9) == 0.0


@pytest.mark.parametrize(
    "options",
    [
        {"width": 0},
        {"batch_size": 0},
        {"learning_rate": 0.0},
        {"code_weight": -1.0},
        {"pair_share": -0.1},
        {"seed": -1},
        {"num_images": 63},
    ],
)
def test_what_cannot_be_trained_with_is_refused(options):
    with pytest.raises(ValueError, match=next(iter(options))):
        EncoderRecipe(**options)
