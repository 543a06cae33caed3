"""What every recipe of an inpainter has: its schedules, and what it refuses."""

import dataclasses

import pytest

from semantic_inpaint.training.inpainting_recipes import InpaintingRecipe

RECIPE = InpaintingRecipe(batch_size=10, num_images=1000, learning_rate=0.4)


def test_the_rate_stays_or_falls_on_a_cosine_to_its_end():
    assert [RECIPE.rate_at(t) for t in (0, 50, 99)] == [0.4] * 3
    falling = dataclasses.replace(RECIPE, learning_rate_end=0.2)
    assert falling.num_steps == 100
    assert falling.rate_at(0) == pytest.approx(0.4)
    # A third of the way the cosine stands at 3/4, half of the way at 1/2.
    assert falling.rate_at(50) == pytest.approx(0.3)
    assert dataclasses.replace(falling, num_images=30).rate_at(1) == pytest.approx(0.35)
    assert falling.rate_at(100) == pytest.approx(0.2)
    assert falling.learning_rate_at(50, 100) == falling.rate_at(50)


def test_the_average_halves_what_is_a_half_life_of_images_old():
    recipe = dataclasses.replace(RECIPE, average_halflife=40.0)
    # 40 images are 4 steps; before 400 were seen, a tenth of those that were.
    assert recipe.average_decay_at(60) ** 4 == pytest.approx(0.5)
    assert recipe.average_decay_at(19) ** 2 == pytest.approx(0.5)
    assert dataclasses.replace(RECIPE, average_halflife=0.0).average_decay_at(60) == 0.0


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"image_size": 0}, "`image_size` must be positive"),
        ({"batch_size": 0}, "`batch_size` must be positive"),
        ({"learning_rate": float("nan")}, "`learning_rate` must be positive; got nan"),
        ({"learning_rate_end": -1.0}, "`learning_rate_end` must be 0 or more"),
        ({"average_halflife": -1.0}, "`average_halflife` must be 0 or more"),
        ({"seed": -1}, "`seed` must be 0 or more"),
        ({"num_images": 9}, "at least one batch"),
        ({"holes": "centre"}, "Did you mean 'center'"),
        ({"holes": "freeform", "image_size": 16}, "brush strokes need images of 32"),
    ],
)
def test_what_cannot_be_trained_with_is_refused(changed, message):
    with pytest.raises(ValueError, match=message):
        dataclasses.replace(RECIPE, **changed)
