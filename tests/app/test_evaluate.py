"""The figures of a prior: planted answers for each part, resume, the card."""

import json
import shutil

import numpy as np
import pytest

from semantic_inpaint.app.evaluate import PARTS, main
from semantic_inpaint.app.evaluation_parts import (
    compare_features,
    compare_neighbours,
    measure_inversion,
    neighbour_sheet,
)
from semantic_inpaint.app.evaluation_record import write_into_card
from semantic_inpaint.app.evaluation_steps import SAMPLE_STREAM
from semantic_inpaint.benchmark.patterns import measure_encoder, measure_pattern
from semantic_inpaint.datasets.packed import IMAGES_FILE
from semantic_inpaint.images import to_uint8
from semantic_inpaint.inpainters.blended import generate_and_blend
from semantic_inpaint.latent.presets import FAST
from semantic_inpaint.masks import PATTERNS, make_known
from semantic_inpaint.metrics import finds_face
from semantic_inpaint.models.checkpoints import load_prior
from semantic_inpaint.problem import InpaintingProblem
from tests.app.planted_sets import Quarters, write_set


@pytest.fixture(scope="module")
def packed(tmp_path_factory):
    """A packed set of 240 noise images at 16x16, 80 of each partition."""
    rng = np.random.default_rng(0)
    images = rng.integers(0, 256, (240, 16, 16, 3), dtype=np.uint8)
    partitions = np.repeat([0, 1, 2], 80).tolist()
    return write_set(tmp_path_factory.mktemp("sets") / "set", images, partitions)


@pytest.fixture
def evaluate(packed, tiny_prior_folder, tmp_path):
    def evaluate(*words, out="out", prior=tiny_prior_folder, data=packed):
        argv = ["--prior", prior, "--data", data, "--out", tmp_path / out]
        argv += ["--num-samples", 70, "--num-real", 90, "--count", 2, "--steps", 2]
        return main([str(word) for word in (*argv, *words)], load_features=Quarters)

    return evaluate


def record_of(folder):
    return json.loads((folder / "evaluation.json").read_text())


def test_the_command_writes_every_part_and_shows_it(
    evaluate, packed, tiny_prior, tmp_path, capsys
):
    assert evaluate() == 0
    record = record_of(tmp_path / "out")
    masks = [f"mask {name}" for name in PATTERNS]
    assert list(record["parts"]) == [*PARTS[:-1], *masks]
    features = record["parts"]["features"]
    assert features["space"] == "quarters"
    sizes = {
        name: (found["real"], found["generated"])
        for name, found in features.items()
        if isinstance(found, dict) and "real" in found
    }
    unseen = np.load(packed / IMAGES_FILE)[80:160]
    with_a_face = features["share_with_a_face"]
    assert with_a_face["held_out"] == finds_face(unseen).mean()
    codes = tiny_prior.codes_for(np.arange(70), seed=0, stream=SAMPLE_STREAM)
    samples = to_uint8(tiny_prior.generate(codes))
    assert with_a_face["samples"] == finds_face(samples).mean()
    # 80 unseen images are all there are of the 90 wanted.
    assert sizes == {"training": (90, 70), "held_out": (80, 70), "real_floor": (90, 80)}
    neighbours = record["parts"]["neighbours"]
    assert neighbours["quarters"]["training"] == 90
    assert neighbours["pixels"]["training"] == 160
    for name in ("quarters", "pixels"):
        assert (tmp_path / "out" / f"neighbours-{name}.png").is_file()
    shown = capsys.readouterr().out
    for word in ("psnr_pooled", "held_out frechet", "median_ratio", "mask stripes"):
        assert word in shown


def test_the_masks_are_those_of_the_shared_protocol(
    evaluate, packed, tiny_prior_folder, tmp_path
):
    assert evaluate("--parts", "masks", "--seed", 3) == 0
    images = np.load(packed / IMAGES_FILE)[80:82].astype(np.float32) / 255.0
    expected = measure_pattern(
        "center", images, load_prior(tiny_prior_folder), FAST, seed=3
    )
    found = record_of(tmp_path / "out")["parts"]["mask center"]
    assert found["after"] == pytest.approx(expected["after"], rel=1e-4)
    assert found["gain_mean"] == pytest.approx(expected["gain_mean"], abs=1e-3)


def test_it_goes_on_where_it_stopped_and_repeats_nothing(evaluate, tmp_path):
    assert evaluate("--parts", "inversion") == 0
    path = tmp_path / "out" / "evaluation.json"
    record = record_of(tmp_path / "out")
    record["parts"]["inversion"]["psnr_mean"] = 123.0
    path.write_text(json.dumps(record))
    assert evaluate("--parts", "inversion", "neighbours") == 0
    parts = record_of(tmp_path / "out")["parts"]
    assert list(parts) == ["inversion", "neighbours"]
    assert parts["inversion"]["psnr_mean"] == 123.0


def test_the_same_words_give_the_same_figures(evaluate, tmp_path):
    parts = []
    for out in ("one", "two"):
        assert evaluate("--parts", "features", "neighbours", out=out) == 0
        parts.append(record_of(tmp_path / out)["parts"])
        for part in parts[-1].values():
            del part["seconds_in_all"]
            part.pop("seconds", None)
    assert parts[0] == parts[1]


def test_the_card_gets_the_figures_and_keeps_all_else(
    evaluate, tiny_prior_folder, tmp_path
):
    prior = shutil.copytree(tiny_prior_folder, tmp_path / "prior")
    before = json.loads((prior / "card.json").read_text())
    weights = (prior / "weights.safetensors").read_bytes()
    words = ("--parts", "inversion", "--update-card")
    assert evaluate(*words, prior=prior) == 0
    after = json.loads((prior / "card.json").read_text())
    assert after.pop("figures") == record_of(tmp_path / "out")
    assert after == before
    assert (prior / "weights.safetensors").read_bytes() == weights
    loaded = load_prior(prior)
    assert loaded.card["figures"]["parts"]["inversion"]["faces"] == 2

    with pytest.raises(ValueError, match="the card of other weights"):
        write_into_card(prior, {"prior_sha256": "0" * 64, "parts": {}})
    assert load_prior(prior).card == loaded.card


def test_inversion_finds_what_the_prior_made_and_counts_the_bound(tiny_prior):
    codes = 0.2 * tiny_prior.codes_for(np.arange(3), seed=5)
    images = tiny_prior.generate(codes)
    found = measure_inversion(tiny_prior, images, num_steps=300, seed=0)
    rough = measure_inversion(tiny_prior, images, num_steps=1, seed=0)
    assert found["psnr_mean"] > rough["psnr_mean"] + 10.0
    assert found["mssim"] > 0.95
    assert found["psnr_mean"] >= found["psnr_pooled"]
    assert found["nonfinite"] == 0

    # Images of codes beyond the support drive the search into its walls.
    beyond = tiny_prior.generate(4.0 * np.sign(codes))
    pushed = measure_inversion(tiny_prior, beyond, num_steps=300, seed=0)
    assert pushed["at_bound"] > 0.3 > rough["at_bound"]


def test_sets_of_one_kind_are_near_and_others_far():
    rng = np.random.default_rng(0)
    real, same = rng.normal(size=(2, 400, 4))
    near = compare_features(real, same, seed=0)
    far = compare_features(real, same + 3.0, seed=0)
    assert (near["real"], near["generated"]) == (400, 400)
    assert near["frechet"] < 0.2
    # Means apart by 3 in each of 4 dimensions, the covariances nearly the same.
    assert far["frechet"] == pytest.approx(36.0, rel=0.1)
    assert near["precision"] > 0.8 > far["precision"]
    assert near["recall"] > 0.8 > far["recall"]
    assert near["coverage"] > 0.9 > far["coverage"]


def test_memorised_images_show_as_a_ratio_near_zero():
    rng = np.random.default_rng(0)
    training, unseen, fresh = rng.normal(size=(3, 50, 8))
    copied = training[::-1] + 1e-4
    figures, neighbours = compare_neighbours(copied, unseen, training)
    assert neighbours.tolist() == list(range(49, -1, -1))
    assert figures["median_ratio"] < 1e-2
    assert figures["smallest_ratio"] < 1e-2
    figures, _ = compare_neighbours(fresh, unseen, training)
    assert figures["median_ratio"] == pytest.approx(1.0, abs=0.25)


def test_a_held_out_copy_leaves_the_ratio_undefined():
    training = np.random.default_rng(0).normal(size=(5, 3))
    figures, _ = compare_neighbours(training + 1.0, training, training)
    assert np.isnan(figures["median_ratio"])


def test_the_sheet_has_each_sample_beside_its_neighbour():
    samples = np.full((9, 2, 2, 3), 10, np.uint8) + np.arange(
        9, dtype=np.uint8
    ).reshape(-1, 1, 1, 1)
    sheet = neighbour_sheet(samples, samples + 100)
    assert sheet.shape == (4, 32, 3)
    assert sheet[0, ::2, 0].tolist() == [
        value for i in range(8) for value in (10 + i, 110 + i)
    ]
    assert sheet[2, :6:2, 0].tolist() == [18, 118, 0]


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["--parts", "masks", "faces"], "no part 'faces'; there are inversion, feat"),
        (["--count", "1"], "--count must be 2 or more; got 1."),
        (["--num-samples", "10"], "--num-samples must be 64 or more; got 10."),
        (["--steps", "0"], "--steps must be 1 or more; got 0."),
        (["--fidelity"], "pip install 'semantic-inpaint[fidelity]'"),
        (["--prior", "slimm"], "no prior 'slimm'"),
        (["--data", "nowhere"], "nowhere holds no packed set"),
    ],
)
def test_what_cannot_be_done_is_one_line_and_exit_code_two(
    evaluate, tmp_path, capsys, words, message
):
    assert evaluate(*words) == 2
    captured = capsys.readouterr().err
    assert captured.startswith("error: ")
    assert captured.count("\n") == 1
    assert message in captured
    assert not (tmp_path / "out").exists()


def test_a_set_without_unseen_faces_is_refused(evaluate, tmp_path, capsys):
    images = np.zeros((3, 16, 16, 3), np.uint8)
    data = write_set(tmp_path / "flat", images, [-1, -1, -1])
    assert evaluate(data=data) == 2
    assert "no face is known to be unseen" in capsys.readouterr().err


def test_figures_of_other_options_are_not_mixed(evaluate, tmp_path, capsys):
    assert evaluate("--parts", "inversion") == 0
    before = record_of(tmp_path / "out")
    assert evaluate("--parts", "inversion", "--seed", 1) == 2
    assert "other options (seed); name another folder" in capsys.readouterr().err
    assert record_of(tmp_path / "out") == before
    (tmp_path / "out" / "evaluation.json").write_text("{")
    assert evaluate("--parts", "inversion") == 2
    assert "cannot be read" in capsys.readouterr().err


def test_a_prior_with_an_encoder_is_measured_with_it_alone_as_well(
    evaluate, encoded_prior_folder, tiny_encoder, tmp_path
):
    assert evaluate("--parts", "masks", prior=encoded_prior_folder) == 0
    parts = record_of(tmp_path / "out")["parts"]
    assert set(parts) == {f"{w} {n}" for w in ("mask", "encoder") for n in PATTERNS}

    prior = load_prior(encoded_prior_folder)
    images = np.random.default_rng(1).random((3, 16, 16, 3), dtype=np.float32)
    found = measure_encoder("center", images, prior)
    known = make_known("center", 3, 16, 16)
    codes = tiny_encoder.encode(images, known)
    problem = InpaintingProblem(images, known)
    _, blended, _ = generate_and_blend(
        prior, codes, problem, operator="gradient", solver="direct"
    )
    expected = np.square(blended - images)[~known].mean() * 255.0**2
    # The encoder on disk is in half precision, 11 bits.
    assert found["after"]["mse"] == pytest.approx(expected, rel=1e-2)
    assert found["seconds"] > 0
