"""The presets of others against the constants that they were read off, once more."""

import pytest

from semantic_inpaint.latent.presets import get_preset
from semantic_inpaint.latent.published import PUBLISHED

# Optimiser, betas (None: Nesterov with .9), rate, schedule, steps.
SEARCHES = {
    "moodoki": ("nesterov", None, 0.01, "constant", 1000),
    "moodoki-extensions": ("nesterov", None, 3e-4, "constant", 3000),
    "chengbinjin": ("nesterov", None, 0.01, "stepped", 1500),
    "bamos": ("adam", (0.9, 0.999), 0.01, "constant", 1000),
    "krntneja": ("adam", (0.9, 0.999), 1e-3, "constant", 1500),
    "fonfonx": ("adam", (0.9, 0.999), 0.02, "constant", 2000),
}
# Codes: how they start, what keeps them in, which one is returned.
CODES = {
    "moodoki": ("normal", "clip", "last"),
    "moodoki-extensions": ("normal", "clip", "last"),
    "chengbinjin": ("normal", "clip", "best"),
    "bamos": ("uniform", "clip", "last"),
    "krntneja": ("normal", "none", "last"),
    "fonfonx": ("uniform", "clip", "last"),
}
# Losses: lambda, distance, its scale, weights, their window (None: there is none).
LOSSES = {
    "moodoki": (0.1, "absolute", "sum", "inverted", 7),
    "moodoki-extensions": (0.2, "absolute", "sum", "fraction", 15),
    "chengbinjin": (3.0, "absolute", "sum", "fraction", 7),
    "bamos": (0.1, "absolute", "sum", "uniform", None),
    "krntneja": (0.003, "squared", "sum", "neighbours", 25),
    "fonfonx": (0.002, "smooth", "mean", "uniform", None),
}
BLENDS = {
    "moodoki": "gradient",
    "moodoki-extensions": "gradient",
    "chengbinjin": "gradient",
    "bamos": "paste",
    # Its own descends on other gradients; this is the nearest.
    "krntneja": "gradient",
    "fonfonx": "paste",
}


@pytest.mark.parametrize("name", SEARCHES)
def test_a_public_code_has_the_constants_of_its_name(name):
    options = get_preset(name)
    search = options.first
    method, betas, rate, schedule, steps = SEARCHES[name]
    assert (search.method, search.schedule) == (method, schedule)
    assert (search.learning_rate, search.num_steps) == (rate, steps)
    if betas is not None:
        assert (search.beta_1, search.beta_2) == betas
    assert (search.noise, search.tolerance) == (0.0, 0.0)

    codes = (options.start_distribution, search.projection, search.result)
    assert codes == CODES[name]
    assert (options.start, options.start_scale) == ("random", 1.0)

    weight, distance, reduction, kind, window = LOSSES[name]
    assert (options.prior_weight, options.prior_loss) == (weight, "non-saturating")
    assert (options.distance, options.reduction) == (distance, reduction)
    assert options.weight_kind == kind
    assert window in (None, options.window_size)
    assert options.weight_cap is None
    assert options.operator == BLENDS[name]


def test_only_malesevic_has_a_second_stage_and_none_asks_the_prior_lazily():
    assert list(PUBLISHED) == ["malesevic", "yeh", *SEARCHES]
    for name, options in PUBLISHED.items():
        assert (options.second is None) == (name != "malesevic")
        assert options.prior_interval == 1


def test_the_papers_have_what_the_codes_changed():
    for name in ("malesevic", "yeh"):
        options = get_preset(name)
        assert (options.distance, options.prior_loss) == ("absolute", "saturating")
        assert options.start_distribution == "uniform"
        for search in filter(None, (options.first, options.second)):
            assert (search.projection, search.result) == ("clip", "best")
