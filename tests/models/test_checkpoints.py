"""Priors on disk: exact to half precision, and refused when anything is amiss."""

import dataclasses
import hashlib
import json
import pickle
import shutil

import numpy as np
import pytest
from keras import ops

from semantic_inpaint.models import checkpoints
from semantic_inpaint.models.checkpoints import (
    load_prior,
    prior_names,
    save_prior,
    variable_name,
)
from semantic_inpaint.models.prior import PriorArchitecture, build_networks
from semantic_inpaint.models.tensors import load_tensors, save_tensors

pytestmark = pytest.mark.both_backends

ARCHITECTURE = PriorArchitecture(
    generator_width=4,
    discriminator_width=2,
    normalization="batch",
    image_size=8,
    latent_dim=3,
)


def random_variables(architecture=ARCHITECTURE):
    rng = np.random.default_rng(0)
    return {
        variable_name(network, v): rng.uniform(0.1, 1.0, v.shape).astype(np.float32)
        for network in build_networks(architecture)
        for v in network.variables
    }


@pytest.fixture
def folder(tmp_path):
    """A small prior on disk, to be damaged."""
    facts = {"licence": "none"}
    variables = random_variables()
    where = tmp_path / "planted"
    return save_prior(where, ARCHITECTURE, variables, name="planted", facts=facts)


def edit_card(folder, **changed):
    path = folder / "card.json"
    card = json.loads(path.read_text()) | changed
    path.write_text(json.dumps(card))


def vouch(folder):
    """Make the card vouch for whatever the weight file holds now."""
    path = folder / "weights.safetensors"
    digest = hashlib.sha256(path.read_bytes()).hexdigest()
    edit_card(folder, weights={"file": path.name, "sha256": digest})


def rewrite(folder, change):
    tensors, metadata = load_tensors(folder / "weights.safetensors")
    change(tensors)
    save_tensors(folder / "weights.safetensors", tensors, metadata=metadata)
    vouch(folder)


def refused(source, words):
    with pytest.raises(ValueError, match=words) as caught:
        load_prior(source)
    assert "\n" not in str(caught.value)
    return str(caught.value)


def test_a_prior_comes_back_to_half_precision(folder):
    prior, planted = load_prior(folder, as_trained=True), random_variables()
    loaded = {
        variable_name(network, v): ops.convert_to_numpy(v.value)
        for network in (prior.generator, prior.discriminator)
        for v in network.variables
    }
    assert loaded.keys() == planted.keys()
    assert sum("moving_" in name for name in planted) == 2
    for name, array in planted.items():
        exact = array if "moving_" in name else array.astype(np.float16)
        np.testing.assert_array_equal(loaded[name], exact.astype(np.float32))


def test_the_card_tells_what_the_weights_are(folder):
    prior = load_prior(folder, as_trained=True)
    card = json.loads((folder / "card.json").read_text())
    content = (folder / "weights.safetensors").read_bytes()
    assert card["weights"]["sha256"] == hashlib.sha256(content).hexdigest()
    assert card["weights"]["bytes"] == len(content)
    size = prior.generator.count_params() + prior.discriminator.count_params()
    assert card["weights"]["parameters"] == size
    assert card["licence"] == "none"
    assert (prior.name, prior.sha256) == ("planted", card["weights"]["sha256"])
    assert (prior.latent_dim, prior.image_size, prior.card) == (3, 8, card)
    assert sorted(p.name for p in folder.iterdir()) == [
        "card.json",
        "weights.safetensors",
    ]


def test_it_computes_in_the_precision_that_is_asked_for(folder):
    for as_trained, kept in ((False, "bfloat16"), (True, "float32")):
        generator = load_prior(
            folder, precision="bfloat16", as_trained=as_trained
        ).generator
        assert generator.get_layer("deconv_8").compute_dtype == "bfloat16"
        assert {v.dtype for v in generator.variables} == {kept}


def test_a_prior_for_the_search_computes_what_the_trained_one_does(folder):
    prior, trained = load_prior(folder), load_prior(folder, as_trained=True)
    names = [layer.name for layer in prior.generator.layers]
    assert not any(name.startswith("norm") for name in names)
    codes = prior.codes_for(np.arange(3), seed=0)
    images = prior.generate(codes)
    # Roundings of float32.
    np.testing.assert_allclose(images, trained.generate(codes), atol=1e-5)
    np.testing.assert_allclose(prior.score(images), trained.score(images), rtol=1e-4)


def test_weights_of_another_hash_are_refused(folder):
    path = folder / "weights.safetensors"
    path.write_bytes(path.read_bytes() + b"x")
    assert str(path) in refused(folder, "is not the file of its card")


@pytest.mark.parametrize("vouched", [False, True])
def test_a_truncated_file_is_refused(folder, vouched):
    path = folder / "weights.safetensors"
    path.write_bytes(path.read_bytes()[:-100])
    if vouched:
        vouch(folder)
    assert str(path) in refused(folder, "damaged")


def test_missing_weights_are_refused(folder):
    (folder / "weights.safetensors").unlink()
    words = refused(folder, r"card\.json names weights 'weights\.safetensors'")
    assert str(folder) in words


class Payload:
    """What writes a file when it is unpickled."""

    def __init__(self, path):
        self.path = path

    def __reduce__(self):
        return open, (self.path, "w")


@pytest.mark.parametrize("kind", ["pickle", "npz"])
def test_nothing_pickled_is_opened_even_under_a_card(folder, tmp_path, kind):
    path, executed = folder / "weights.safetensors", tmp_path / "executed"
    with path.open("wb") as file:
        if kind == "pickle":
            pickle.dump(Payload(str(executed)), file)
        else:
            objects = np.array([Payload(str(executed))], dtype=object)
            np.savez(file, a=objects)
    vouch(folder)
    assert str(path) in refused(folder, "no safetensors file")
    assert not executed.exists()


@pytest.mark.parametrize(
    "content",
    [b"", b"{", b"[]", b'"words"', b"\xff\xfe", b'{"format": 1}', b"{}"],
)
def test_a_damaged_card_is_refused(folder, content):
    (folder / "card.json").write_bytes(content)
    assert str(folder / "card.json") in refused(folder, "is no card of a prior")


@pytest.mark.parametrize(
    "changed",
    [
        {"architecture": {"generator_width": 4}},
        {"architecture": "wide"},
        {"weights": {"file": "weights.safetensors"}},
        {"weights": {"sha256": "0"}},
    ],
)
def test_a_card_without_all_its_fields_is_refused(folder, changed):
    edit_card(folder, **changed)
    assert str(folder / "card.json") in refused(folder, "is no card of a prior")


def test_a_card_of_another_format_is_refused_whatever_else_it_has(folder):
    (folder / "card.json").write_text('{"format": 2}')
    words = refused(folder, "has card format 2, this version reads 1")
    assert str(folder / "card.json") in words


def test_a_folder_without_a_card_is_no_prior(folder):
    (folder / "card.json").unlink()
    assert str(folder) in refused(folder, r"neither a folder with a card\.json")


def test_weights_of_another_width_are_refused_under_a_matching_hash(folder):
    wider = dataclasses.replace(ARCHITECTURE, generator_width=8)
    edit_card(folder, architecture=dataclasses.asdict(wider))
    words = refused(folder, "belongs to another architecture")
    assert str(folder / "weights.safetensors") in words
    assert "deconv_8/kernel is (5, 5, 3, 4), expected (5, 5, 3, 8)" in words


@pytest.mark.parametrize("name", ["generator/project/kernel", "generator/new"])
def test_an_array_too_few_or_too_many_is_refused(folder, name):
    def change(tensors):
        if tensors.pop(name, None) is None:
            tensors[name] = np.zeros(2, np.float16)

    rewrite(folder, change)
    assert "absent" in refused(folder, f"1 arrays differ, e.g. {name}")


@pytest.mark.parametrize("bad", [np.nan, np.inf])
def test_values_that_are_not_finite_are_refused(folder, bad):
    def change(tensors):
        tensors["generator/deconv_8/bias"][1] = bad

    rewrite(folder, change)
    words = refused(folder, "generator/deconv_8/bias has values that are not finite")
    assert str(folder / "weights.safetensors") in words


@pytest.mark.parametrize("bad", [np.nan, 1e6])
def test_what_half_precision_cannot_hold_is_not_saved(tmp_path, bad):
    variables = random_variables()
    variables["generator/deconv_8/bias"][0] = bad
    with pytest.raises(ValueError, match="deconv_8/bias of prior 'x' has values"):
        save_prior(tmp_path / "x", ARCHITECTURE, variables, name="x", facts={})
    assert not (tmp_path / "x").exists()


def test_an_unknown_name_is_answered_with_the_nearest(folder, tmp_path, monkeypatch):
    shipped = tmp_path / "assets"
    for name in ("slim", "large"):
        shutil.copytree(folder, shipped / name)
    monkeypatch.setattr(checkpoints, "ASSETS", shipped)
    assert prior_names() == ["large", "slim"]
    assert load_prior("slim").name == "planted"
    refused("slimm", "no prior 'slimm'.*one of large, slim. Did you mean 'slim'")
    assert "Did you mean" not in refused("zzz", "one of large, slim")


def test_without_shipped_priors_the_message_still_reads(tmp_path, monkeypatch):
    monkeypatch.setattr(checkpoints, "ASSETS", tmp_path)
    refused("slim", r"no prior 'slim'.*\(none shipped\)")
