import shutil

import numpy as np
import pytest
from keras import ops

from semantic_inpaint.app import merge as command
from semantic_inpaint.models.checkpoints import load_prior, save_prior, variable_name
from semantic_inpaint.models.prior import PriorArchitecture, build_networks
from semantic_inpaint.training.merge import calibrate_statistics, merge_priors

pytestmark = [pytest.mark.both_backends, pytest.mark.slow_on_jax]


@pytest.fixture
def pair(tmp_path):
    """Two priors of one architecture with other weights."""
    architecture = PriorArchitecture(8, 4, "none", 16, 8)
    folders = []
    for number in (1, 2):
        rng = np.random.default_rng(number)
        variables = {
            variable_name(network, v): rng.normal(0, 0.3, v.shape).astype(np.float32)
            if "moving_variance" not in v.path
            else np.ones(v.shape, np.float32)
            for network in build_networks(architecture)
            for v in network.variables
        }
        facts = {"images_seen": 100 * number, "licence": "for tests"}
        folders.append(
            save_prior(
                tmp_path / str(number), architecture, variables, name="p", facts=facts
            )
        )
    return folders


def arrays(network):
    return [ops.convert_to_numpy(v) for v in network.trainable_variables]


def test_weights_are_the_weighted_mean_and_the_last_gives_the_discriminator(
    pair, tmp_path
):
    out = merge_priors(pair, [1, 3], tmp_path / "out", name="m")
    first, last, merged = (
        load_prior(folder, as_trained=True) for folder in [*pair, out]
    )
    for one, two, got in zip(
        arrays(first.generator),
        arrays(last.generator),
        arrays(merged.generator),
        strict=True,
    ):
        # Half precision keeps three digits.
        np.testing.assert_allclose(got, 0.25 * one + 0.75 * two, atol=2e-3)
    for two, got in zip(
        arrays(last.discriminator), arrays(merged.discriminator), strict=True
    ):
        np.testing.assert_array_equal(got, two)


def test_the_card_says_what_was_merged(pair, tmp_path):
    out = merge_priors(pair, [1, 3], tmp_path / "out", name="m")
    card = load_prior(out).card
    assert card["name"] == "m"
    assert card["licence"] == "for tests"
    assert [m["share"] for m in card["merged_from"]] == [0.25, 0.75]
    assert [m["images_seen"] for m in card["merged_from"]] == [100, 200]
    assert (out / "samples.png").is_file()


def test_statistics_are_those_of_many_batches(pair):
    prior = load_prior(pair[0], as_trained=True)
    calibrate_statistics(prior)
    kernel = ops.convert_to_numpy(prior.generator.get_layer("project").kernel)
    codes = np.random.default_rng(0).uniform(-1, 1, (20000, 8))
    values = (codes @ kernel).reshape(-1, 8)
    layer = prior.generator.get_layer("norm_4x4")
    # Sampling error of some thousand codes.
    np.testing.assert_allclose(
        ops.convert_to_numpy(layer.moving_variance), values.var(axis=0), rtol=0.05
    )
    np.testing.assert_allclose(
        ops.convert_to_numpy(layer.moving_mean), values.mean(axis=0), atol=0.05
    )


def test_priors_that_do_not_go_together_are_refused(pair, tiny_prior_folder, tmp_path):
    out = tmp_path / "out"
    with pytest.raises(ValueError, match="one weight for each"):
        merge_priors(pair, [1], out, name="m")
    with pytest.raises(ValueError, match="positive"):
        merge_priors(pair, [1, 0], out, name="m")
    wider = tmp_path / "wider"
    architecture = PriorArchitecture(16, 4, "none", 16, 8)
    variables = {
        variable_name(network, v): ops.convert_to_numpy(v)
        for network in build_networks(architecture)
        for v in network.variables
    }
    save_prior(wider, architecture, variables, name="wider", facts={})
    with pytest.raises(ValueError, match="architecture"):
        merge_priors([pair[0], wider], [1, 1], out, name="m")
    assert not out.exists()


def test_the_command_merges_and_refuses_in_one_line(pair, tmp_path, capfd):
    words = ["--priors", *map(str, pair), "--weights", "1", "1", "--out"]
    assert command.main([*words, str(tmp_path / "out")]) == 0
    assert "prior written" in capfd.readouterr().out
    shutil.rmtree(pair[0])
    assert command.main([*words, str(tmp_path / "other")]) == 2
    assert capfd.readouterr().err.count("\n") == 1
