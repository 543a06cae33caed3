import pytest

from semantic_inpaint.latent.options import METHODS, NESTEROV_SEARCH, SearchOptions


def test_by_default_it_is_the_search_of_the_papers():
    options = SearchOptions()
    assert (options.method, options.projection) == ("adam", "clip")
    assert (options.noise, options.tolerance) == (0.0, 0.0)
    assert options.result == "best"


def test_the_official_code_of_yeh_is_named():
    assert (NESTEROV_SEARCH.method, NESTEROV_SEARCH.learning_rate) == ("nesterov", 0.01)


@pytest.mark.parametrize(
    "options",
    [
        {"num_steps": 0},
        {"learning_rate": 0.0},
        {"schedule": "linear"},
        {"method": "sgd"},
        {"projection": "wrap"},
        {"noise": -0.1},
        {"tolerance": -0.1},
        {"tolerance": 1.0},
        {"result": "first"},
        {"method": "lbfgs", "projection": "tanh"},
        {"method": "gauss-newton", "projection": "none"},
        {"method": "gauss-newton", "noise": 0.1},
    ],
)
def test_options_that_cannot_search_are_refused(options):
    with pytest.raises(ValueError, match=f"`{list(options)[-1]}`"):
        SearchOptions(**options)


def test_every_method_has_a_solver():
    from semantic_inpaint.latent.solvers import SOLVERS

    assert tuple(SOLVERS) == METHODS
