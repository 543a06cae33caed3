"""The words of the search: each changes what it says, and none another's."""

import dataclasses

import pytest

from semantic_inpaint.app.options import RunOptions
from semantic_inpaint.app.search_words import SearchWords
from semantic_inpaint.latent.presets import FAST, MALESEVIC, YEH


def changes(words, options=FAST):
    """Return the fields of the options that the words change, by their new values."""
    after = words.added_to(options)
    fields = (field.name for field in dataclasses.fields(after))
    return {
        name: getattr(after, name)
        for name in fields
        if getattr(after, name) != getattr(options, name)
    }


def test_without_words_the_preset_stays_as_it_is():
    assert changes(SearchWords()) == {}
    assert changes(SearchWords(), YEH) == {}


@pytest.mark.parametrize(
    ("words", "field", "value"),
    [
        ({"optimizer": "lbfgs"}, "method", "lbfgs"),
        ({"learning_rate": 0.2}, "learning_rate", 0.2),
        ({"projection": "tanh"}, "projection", "tanh"),
        ({"tolerance": 0.01}, "tolerance", 0.01),
    ],
)
def test_words_of_a_search_change_both_searches_of_codes(words, field, value):
    found = changes(SearchWords(**words), MALESEVIC)
    assert list(found) == ["first", "second"]
    for stage in ("first", "second"):
        expected = dataclasses.replace(getattr(MALESEVIC, stage), **{field: value})
        assert found[stage] == expected
    # There is no second stage, or one that searches no codes.
    for options in (YEH, FAST):
        assert list(changes(SearchWords(**words), options)) == ["first"]


def test_words_of_the_discriminator():
    words = SearchWords(prior_weight=30.0, prior_interval=4, through_blend=True)
    assert changes(words) == {
        "prior_weight": 30.0,
        "prior_interval": 4,
        "through_blend": True,
    }


@pytest.mark.parametrize(
    ("restarts", "halvings"), [(1, 0), (2, 1), (3, 2), (4, 2), (5, 3), (8, 3)]
)
def test_of_several_searches_one_is_left(restarts, halvings):
    options = SearchWords(restarts=restarts, pool=9).added_to(FAST)
    assert options.candidates.halvings == halvings
    assert (options.candidates.restarts, options.candidates.pool) == (restarts, 9)


def test_a_radius_is_of_the_search_between_the_layers_or_adds_one():
    words = SearchWords(intermediate=0.1)
    assert MALESEVIC.third is None
    assert words.added_to(MALESEVIC).third.radius == 0.1
    expected = dataclasses.replace(FAST.second, radius=0.1)
    assert changes(words) == {"second": expected}


@pytest.mark.parametrize(
    ("words", "message"),
    [
        ({"optimizer": "sgd"}, "`method` must be one of adam"),
        ({"restarts": 0}, "`restarts` must be 1 to 256; got 0"),
        ({"pool": 0}, "`pool` must be 1 or more"),
        ({"intermediate": -1.0}, "`radius` must be 0 or more"),
        ({"through_blend": True}, "`prior_weight` is 0 and nothing judges"),
        ({"prior_interval": 0}, "`prior_interval` is 0"),
    ],
)
def test_what_cannot_be_is_refused(words, message):
    with pytest.raises(ValueError, match=message):
        SearchWords(**words).added_to(FAST)


@pytest.mark.parametrize(
    ("words", "message"),
    [
        ({"animate": True, "method": "encoder"}, "--animate needs a search"),
        ({"num_samples": 3, "method": "encoder"}, "--num-samples needs a search"),
        (
            {"animate": True, "search": SearchWords(restarts=2)},
            "--restarts 2 makes several",
        ),
        ({"animate": True, "device": "gpu:0,gpu:1"}, "looks on at one device"),
        ({"way": "luck"}, "--way must be one of langevin, restarts; got 'luck'"),
        ({"num_samples": 0}, "--num-samples must be 1 or more"),
    ],
)
def test_words_that_contradict_each_other_are_refused(words, message):
    with pytest.raises(ValueError, match=message):
        RunOptions(**words).inversion()


@pytest.mark.parametrize(
    ("device", "devices"),
    [(None, ()), ("cpu", ("cpu",)), ("gpu:0, gpu:1", ("gpu:0", "gpu:1"))],
)
def test_devices_are_named_with_commas(device, devices):
    assert RunOptions(device=device).devices() == devices


def test_all_devices_are_the_gpus_or_else_the_processor():
    from semantic_inpaint import backend

    names = backend.device_names()
    assert RunOptions(device="all").devices() == tuple(names[:-1] or names)
