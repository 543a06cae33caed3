"""Records of a comparison of recipes: what they are taken for again."""

import dataclasses
import json
from pathlib import Path

import pytest

from benchmarks.inpainter_recipes import (
    FAMILIES,
    Arguments,
    is_measured,
    key_of,
    recipe_of,
)

ARGUMENTS = Arguments(data=Path("data"), runs=Path("runs"), num_images=3200)


@pytest.mark.parametrize(
    "name", [name for names in FAMILIES.values() for name in names]
)
def test_what_was_measured_is_found_again_in_the_file(name):
    recipe = recipe_of(name, ARGUMENTS, 1)
    assert (recipe.num_images, recipe.seed) == (3200, 1)
    key = key_of(name, recipe, ARGUMENTS, "abc")
    written = json.loads(json.dumps([{**key, "seconds": 1.0, "squared_errors": {}}]))
    assert is_measured(key_of(name, recipe, ARGUMENTS, "abc"), written)


def test_another_width_rate_seed_or_set_is_not_taken_for_what_was_measured():
    recipe = recipe_of("pconv", ARGUMENTS, 0)
    records = [key_of("pconv", recipe, ARGUMENTS, "abc")]
    for changed in (
        {"width": recipe.width + 1},
        {"learning_rate": recipe.learning_rate / 2},
        {"seed": 1},
        {"num_images": 6400},
    ):
        other = dataclasses.replace(recipe, **changed)
        assert not is_measured(key_of("pconv", other, ARGUMENTS, "abc"), records)
    assert not is_measured(key_of("pconv", recipe, ARGUMENTS, "def"), records)
    fewer = dataclasses.replace(ARGUMENTS, count=100)
    assert not is_measured(key_of("pconv", recipe, fewer, "abc"), records)


def test_a_record_older_than_a_field_was_made_with_its_default():
    (config, shipped) = (recipe_of(name, ARGUMENTS, 0) for name in ("iconv-e", "iconv"))
    record = key_of("iconv-e", config, ARGUMENTS, "abc")
    del record["settings"]["critic_gain"]
    assert is_measured(key_of("iconv-e", config, ARGUMENTS, "abc"), [record])
    other = {**key_of("iconv", shipped, ARGUMENTS, "abc"), "recipe": "iconv-e"}
    assert not is_measured(other, [record])
