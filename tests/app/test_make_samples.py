"""The command that makes the sample faces: its rule, its card, its refusals."""

import json
import shutil

import numpy as np
import pytest
from scipy.spatial.distance import cdist

from semantic_inpaint.app import selection
from semantic_inpaint.app.make_samples import main
from semantic_inpaint.app.selection import (
    RULE,
    best_of,
    generate_candidates,
    select_faces,
)
from semantic_inpaint.datasets.packed import IMAGES_FILE, pixel_hash
from semantic_inpaint.datasets.samples import sample_card, sample_faces
from semantic_inpaint.images import to_uint8
from semantic_inpaint.metrics import DETECTOR, finds_face
from semantic_inpaint.models.checkpoints import (
    ASSETS,
    file_sha256,
    load_prior,
    save_prior,
    variable_name,
)
from semantic_inpaint.models.prior import PriorArchitecture
from tests.app.planted_sets import Quarters, write_set

FACTS = {"licence": "for trials", "data": {"note": "noise"}, "images_seen": 7}
NUM_CANDIDATES = 70
PARTITIONS = 20 * [0, 1, 2]


@pytest.fixture(scope="module")
def own_prior(tmp_path_factory):
    """The shipped prior with one weight changed: of other weights, and makes faces."""
    slim = load_prior("slim", as_trained=True)
    variables = {
        variable_name(network, variable): variable.numpy()
        for network in (slim.generator, slim.discriminator)
        for variable in network.variables
    }
    bias = next(name for name in variables if name.endswith("bias"))
    variables[bias].flat[0] += 0.01
    architecture = PriorArchitecture(**slim.card["architecture"])
    folder = tmp_path_factory.mktemp("own") / "prior"
    return save_prior(folder, architecture, variables, name="own", facts=FACTS)


def amend(folder, facts):
    path = folder / "card.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | facts))
    return folder


@pytest.fixture(scope="module")
def packed(tmp_path_factory):
    """A packed set of 60 faces, 40 of them of the partitions that count."""
    folder = tmp_path_factory.mktemp("sets") / "set"
    return write_set(folder, to_uint8(sample_faces(60)), PARTITIONS)


@pytest.fixture
def make(own_prior, packed, tmp_path, capfd):
    """Run the command with few faces; gives exit code, folder, stdout, stderr."""

    def make(*words, prior=own_prior, data=packed, out="out"):
        folder = tmp_path / out
        argv = ["--prior", prior, "--data", data, "--out", folder, "--real", 30]
        argv += ["--count", 9, "--candidates", NUM_CANDIDATES]
        code = main([str(word) for word in (*argv, *words)], load_features=Quarters)
        captured = capfd.readouterr()
        return code, folder, captured.out, captured.err

    return make


@pytest.fixture
def refused(make):
    """Check for exit code 2, one line on stderr, and nothing written."""

    def refused(*words, says, **places):
        code, out, _, err = make(*words, **places)
        assert code == 2
        assert err.startswith("error: ")
        assert err.count("\n") == 1
        assert says in err
        assert not out.exists()

    return refused


def realism_by_loops(real, generated):
    """Equation 4 with k = 3, pair by pair."""
    real, generated = Quarters()(real), Quarters()(generated)
    radii = np.sort(cdist(real, real), axis=1)[:, 3]
    common = radii <= np.median(radii)
    return (radii[common, None] / cdist(real[common], generated)).max(axis=0)


def test_exactly_the_most_real_with_a_face_are_kept_in_the_order_of_drawing(
    make, own_prior, packed
):
    code, out, shown, err = make("--seed", 4)
    assert (code, err) == (0, "")
    assert f"9 faces written to {out}" in shown
    prior = load_prior(own_prior)
    codes = prior.codes_for(
        np.arange(NUM_CANDIDATES), seed=4, stream=selection.CODE_STREAM
    )
    images = to_uint8(prior.generate(codes))
    images = images[finds_face(images)]
    # Some have no face, or the rule would not be tried.
    assert 10 <= len(images) < NUM_CANDIDATES
    everything = np.load(packed / IMAGES_FILE)
    real = everything[np.array(PARTITIONS) != 1][:30]
    scores = realism_by_loops(real, images)
    highest = np.flatnonzero(scores >= np.sort(scores)[-9])
    assert len(highest) == 9
    found = to_uint8(sample_faces(folder=out))
    np.testing.assert_array_equal(found, images[highest])
    rule = sample_card(out)["rule"]
    assert rule["lowest_kept"] == pytest.approx(np.sort(scores)[-9])
    assert rule["highest_left_out"] == pytest.approx(np.sort(scores)[-10])
    assert rule["share_with_a_face"] == len(images) / NUM_CANDIDATES


def test_of_equal_scores_the_earlier_is_kept():
    rng = np.random.default_rng(0)
    # Few different values, so that many are equal.
    scores = rng.integers(0, 6, 40).astype(float)
    ranked = sorted(range(40), key=lambda i: (-scores[i], i))
    for count in (1, 7, 39, 40):
        kept, highest = best_of(scores, count)
        assert kept.tolist() == sorted(ranked[:count])
        assert highest == (scores[ranked[count]] if count < 40 else None)


def test_a_candidate_is_that_of_its_number_however_many_there_are(tiny_prior):
    # More than one batch of 64, and a part of one.
    many = generate_candidates(tiny_prior, 130, seed=2)
    codes = tiny_prior.codes_for(np.arange(130), seed=2, stream=selection.CODE_STREAM)
    np.testing.assert_array_equal(many, to_uint8(tiny_prior.generate(codes)))
    # The rounding may fall the other way after a sum in another order.
    few = generate_candidates(tiny_prior, 5, seed=2)
    assert np.abs(many[:5].astype(int) - few).max() <= 1


def test_all_that_have_a_face_may_be_kept(own_prior):
    prior, real = load_prior(own_prior), to_uint8(sample_faces(8))
    faces = np.flatnonzero(finds_face(generate_candidates(prior, 20, seed=0)))
    chosen = select_faces(
        prior, real, Quarters(), count=len(faces), candidates=20, seed=0
    )
    assert chosen.numbers.tolist() == faces.tolist()
    assert chosen.num_faces == len(faces)
    assert chosen.highest_left_out is None


def test_fewer_faces_than_are_to_be_kept_are_refused(
    refused, tiny_prior_folder, tmp_path
):
    # Its images are of random weights.
    copy = shutil.copytree(tiny_prior_folder, tmp_path / "copy")
    noise = np.random.default_rng(0).integers(0, 256, (12, 16, 16, 3), dtype=np.uint8)
    data = write_set(tmp_path / "noise", noise, PARTITIONS[:12])
    says = "a face was found in 0 of 70 candidates, fewer than the 9 to keep"
    refused(prior=amend(copy, FACTS), data=data, says=says)


@pytest.mark.slow
def test_the_same_words_give_the_same_files_and_another_seed_others(make):
    folders = [make(out="a")[1], make(out="b")[1], make("--seed", 1, out="c")[1]]
    sheets, cards = (
        [(folder / name).read_bytes() for folder in folders]
        for name in ("faces.png", "card.json")
    )
    assert sheets[0] == sheets[1] != sheets[2]
    assert cards[0] == cards[1]
    assert sorted(path.name for path in folders[0].iterdir()) == [
        "card.json",
        "faces.png",
    ]


def test_the_card_tells_the_rule_the_generator_and_the_licence(make, own_prior, packed):
    _, out, *_ = make("--seed", 4)
    card = sample_card(out)
    assert card["sheet"]["sha256"] == file_sha256(out / "faces.png")
    assert card["sheet"]["bytes"] == (out / "faces.png").stat().st_size
    assert (card["count"], card["image_size"]) == (9, 64)
    rule = card["rule"]
    assert (rule["candidates"], rule["kept"], rule["seed"]) == (70, 9, 4)
    assert (rule["words"], rule["k"], rule["features"]) == (RULE, 3, "quarters")
    assert rule["detector"].items() > DETECTOR.items()
    sha256 = pixel_hash(np.load(packed / IMAGES_FILE))
    expected = {"images": 30, "partitions": [0, 2], "data_sha256": sha256}
    assert rule["real"] == expected
    made_by = card["generator"]
    assert (made_by["recipe"], made_by["images_seen"]) == ("own", 7)
    assert made_by["weights_sha256"] == file_sha256(own_prior / "weights.safetensors")
    assert made_by["is_none_of"].keys() == {"slim"}
    assert (card["licence"], card["data"]) == ("for trials", {"note": "noise"})
    assert "does not exist" in card["statement"]


def test_faces_may_be_made_anew_where_others_are(make):
    make()
    code, out, *_ = make("--seed", 1)
    assert code == 0
    assert sample_card(out)["rule"]["seed"] == 1


def test_a_prior_that_ships_is_refused_under_any_name(refused, tmp_path):
    refused(prior="slim", says="shipped prior 'slim'")
    copy = shutil.copytree(ASSETS / "slim", tmp_path / "copy")
    amend(copy, {"name": "another"})
    refused(prior=copy, says="shipped prior 'slim'")
    # A card that names other weights does not help: it must be that of the file.
    weights = json.loads((copy / "card.json").read_text())["weights"]
    amend(copy, {"weights": weights | {"sha256": 64 * "0"}})
    refused(prior=copy, says="is not the file of its card")


@pytest.mark.parametrize("gone", [{"licence": ""}, {"data": {}}])
def test_a_prior_without_licence_or_data_note_is_refused(
    refused, own_prior, tmp_path, gone
):
    copy = shutil.copytree(own_prior, tmp_path / "copy")
    refused(prior=amend(copy, gone), says="lacks a licence or a note on the data")


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (["--count", "0"], "--count must be 1 or more; got 0"),
        (["--candidates", "8"], "--candidates must be 9 or more; got 8"),
        (["--real", "0"], "--real must be 1 or more; got 0"),
        (["--real", "3"], "3 real faces are too few to compare with; give 4 or more"),
        (["--seed", "-1"], "--seed must be 0 or more; got -1"),
        (["--prior", "nowhere"], "no prior 'nowhere'"),
        (["--data", "nowhere"], "nowhere holds no packed set"),
    ],
)
def test_bad_words_are_one_line_and_exit_code_two(refused, words, says):
    refused(*words, says=says)


def test_real_faces_of_another_size_or_changed_ones_are_refused(refused, tmp_path):
    data = write_set(tmp_path / "small", np.zeros((9, 32, 32, 3), np.uint8), 9 * [0])
    refused(data=data, says="real faces have 32 pixels a side, those of own 64")
    np.save(data / IMAGES_FILE, np.ones((9, 32, 32, 3), np.uint8))
    refused(data=data, says="Pack the set anew")


def test_the_card_of_something_else_is_never_overwritten(make, own_prior, tmp_path):
    shutil.copytree(own_prior, tmp_path / "prior")
    before = (tmp_path / "prior" / "card.json").read_bytes()
    code, out, _, err = make(out="prior")
    assert code == 2
    assert "--out" in err
    assert (out / "card.json").read_bytes() == before
    assert not (out / "faces.png").exists()
