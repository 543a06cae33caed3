import pytest

from semantic_inpaint.latent.presets import PRESETS, InversionOptions, get_preset
from semantic_inpaint.latent.published import PUBLISHED
from semantic_inpaint.latent.search import SearchOptions


def test_malesevic_has_the_constants_of_section_3_2():
    options = get_preset("malesevic")
    for search in (options.first, options.second):
        assert (search.num_steps, search.learning_rate) == (1500, 0.003)
        assert (search.beta_1, search.beta_2) == (0.5, 0.9)
        assert search.schedule == "constant"
    assert options.prior_weight == 0.003
    assert options.weight_kind == "ratio"
    assert options.operator == "log"
    assert not options.restart


def test_yeh_stops_after_stage_one_and_weighs_by_the_fraction():
    options = get_preset("yeh")
    assert options.second is None
    assert options.weight_kind == "fraction"
    assert options.window_size == 7
    assert options.num_steps() == 1500


def test_steps_are_set_for_each_stage_that_there_is():
    assert get_preset("malesevic").with_steps(7).num_steps() == 14
    assert get_preset("yeh").with_steps(7).num_steps() == 7


@pytest.mark.parametrize(
    "options",
    [
        {"operator": "laplace"},
        {"distance": "cosine"},
        {"prior_loss": "hinge"},
        {"prior_interval": 0},
        {"start_distribution": "cauchy"},
        {"solver": "cvx"},
        {"reduction": "total"},
        {"weight_kind": "mean"},
        {"window_size": 1},
        {"window_size": 8},
        {"weight_cap": 0.0},
        {"prior_weight": -0.1},
        {"consensus_weight": -0.1},
        {"start_scale": 1.5},
        {"batch_size": 0},
        {"start": "middle"},
        {"start": "encoder", "anchor_weight": -0.1},
        {"anchor_weight": 0.1},
    ],
)
def test_options_are_checked_before_anything_is_searched(options):
    with pytest.raises(ValueError, match=list(options)[-1]):
        InversionOptions(**options)


def test_gauss_newton_is_refused_beside_a_prior_loss_in_either_stage():
    newton = SearchOptions(num_steps=3, method="gauss-newton")
    for stage in ("first", "second"):
        with pytest.raises(ValueError, match=r"`prior_weight` is 0\.003"):
            InversionOptions(**{stage: newton})
        assert InversionOptions(**{stage: newton}, prior_weight=0.0)


def test_a_prior_asked_now_and_then_is_for_first_order_methods():
    lazy = {"prior_interval": 4}
    assert InversionOptions(**lazy).prior_interval == 4
    for stage in ("first", "second"):
        with pytest.raises(ValueError, match="`prior_interval` is 4"):
            InversionOptions(**lazy, **{stage: SearchOptions(method="lbfgs")})


def test_a_tolerance_in_either_stage_may_end_a_search_early():
    early = SearchOptions(tolerance=1e-3)
    assert not InversionOptions(second=None).may_end_early
    assert InversionOptions(second=early).may_end_early
    assert InversionOptions(first=early, second=None).may_end_early


def test_the_papers_start_at_random_and_nothing_holds_them():
    for name in ("malesevic", "yeh"):
        options = get_preset(name)
        assert (options.start, options.anchor_weight) == ("random", 0.0)


def test_an_automatic_start_is_decided_by_what_there_is():
    fast = get_preset("fast")
    assert fast.start == "auto"
    there, absent = (fast.resolved(has_encoder=has) for has in (True, False))
    assert (there.start, there.anchor_weight) == ("encoder", fast.anchor_weight)
    assert (absent.start, absent.anchor_weight) == ("random", 0.0)
    # What was chosen stays.
    for start in ("random", "encoder"):
        chosen = InversionOptions(start=start)
        assert chosen.resolved(has_encoder=start == "random") == chosen


def test_an_unknown_preset_names_the_nearest():
    with pytest.raises(ValueError, match="Did you mean 'malesevic'"):
        get_preset("malesevich")
    assert set(PRESETS) == {"fast", *PUBLISHED}
