"""Training an inpainter: what a step sees, and a run that stops and goes on."""

import dataclasses
import json
import types

import numpy as np
import pytest

from semantic_inpaint import backend
from semantic_inpaint.datasets.landmarks import Landmarks
from semantic_inpaint.models.tensors import load_tensors, save_tensors
from semantic_inpaint.training.inpainting import (
    SHEET_COLUMNS,
    draw_inpainting_batch,
    inpainting_sheet,
    train_inpainter,
)
from semantic_inpaint.training.inpainting_recipes import InpaintingRecipe
from semantic_inpaint.training.inpainting_table import TINY, make_trainer
from semantic_inpaint.training.loop import TrainingData
from semantic_inpaint.training.state import STATE_FILE
from tests.training.tiny_inpainters import shrunk
from tests.training.tiny_runs import training_data

NUM_STEPS = 6


@dataclasses.dataclass(frozen=True)
class PosedRecipe(InpaintingRecipe):
    """A recipe of a network with a code and a pose."""

    latent_dim: int = 3
    num_landmarks: int = 5


@pytest.fixture(scope="module")
def data():
    images = np.random.default_rng(0).integers(0, 256, (12, 16, 16, 3), np.uint8)
    return TrainingData(images, np.arange(2, 12), "0" * 64, (0,))


@pytest.fixture(scope="module")
def recipe():
    return dataclasses.replace(TINY, num_images=4 * NUM_STEPS, seed=2)


@pytest.fixture(scope="module")
def trainer(recipe):
    return make_trainer(recipe)


@pytest.fixture(scope="module")
def whole_run(trainer, data, tmp_path_factory):
    """The folder, reports and end of a run that nothing disturbs."""
    folder, reports = tmp_path_factory.mktemp("whole"), []
    end = train_inpainter(trainer, data, folder, report=reports.append, save_interval=2)
    return folder, reports, end


def posed(**changed):
    sizes = {"image_size": 16, "batch_size": 4, "num_images": 40}
    return PosedRecipe(**sizes | changed)


def landmarks_of(data):
    """Landmarks that tell which image they belong to."""
    points = np.repeat(np.linspace(0.0, 0.5, len(data.images))[:, None], 10, axis=1)
    points[:, ::2] += np.array([0.1, 0.2, 0.3, 0.4, 0.5])
    return Landmarks.of(points.astype(np.float32))


def test_a_batch_is_a_function_of_seed_and_step_alone(data):
    landmarks = landmarks_of(data)

    def draw(step, **changed):
        return draw_inpainting_batch(posed(**changed), data, step, landmarks=landmarks)

    first = draw(3)
    draw(4)
    for one, again in zip(first, draw(3), strict=True):
        np.testing.assert_array_equal(one, again)
    for other in (draw(4), draw(3, seed=1)):
        assert not any(map(np.array_equal, first, other))
    assert first.images.shape == (4, 16, 16, 3)
    assert first.images.dtype == np.uint8
    assert first.known.shape == (4, 16, 16)
    assert first.codes.shape == (4, 3)
    assert first.codes.dtype == first.landmarks.dtype == np.float32


def test_codes_are_standard_normal(data):
    recipe = posed(latent_dim=2000)
    codes = draw_inpainting_batch(recipe, data, 0, landmarks=landmarks_of(data)).codes
    # Four standard deviations of the mean and the variance of 8000 numbers.
    assert abs(codes.mean()) < 4 / np.sqrt(8000)
    assert abs(codes.var() - 1) < 4 * np.sqrt(2 / 8000)


def test_landmarks_follow_their_images_and_are_mirrored_with_them(data):
    landmarks = landmarks_of(data)
    mirrored = 0
    for step in range(8):
        batch = draw_inpainting_batch(posed(), data, step, landmarks=landmarks)
        for image, points in zip(batch.images, batch.landmarks, strict=True):
            same = (data.images == image).all(axis=(1, 2, 3))
            turned = (data.images[:, :, ::-1] == image).all(axis=(1, 2, 3))
            (row,) = np.flatnonzero(same | turned)
            expected = landmarks.points[row].reshape(5, 2).copy()
            if turned[row]:
                mirrored += 1
                # Left eye and right eye change places, as do the corners of the mouth.
                expected = expected[[1, 0, 2, 4, 3]]
                expected[:, 0] = 1.0 - expected[:, 0]
            np.testing.assert_allclose(points, expected.reshape(-1), rtol=1e-6)
    # Of 32; five standard deviations from a half.
    assert 2 <= mirrored <= 30


def test_only_the_rows_named_are_seen_and_without_flip_as_they_are(data):
    seen = [
        draw_inpainting_batch(posed(flip=False, num_landmarks=0), data, step).images
        for step in range(5)
    ]
    sums = {int(image.sum()) for image in np.concatenate(seen)}
    assert sums == {int(image.sum()) for image in data.images[2:]}
    for image in seen[0]:
        assert (data.images == image).all(axis=(1, 2, 3)).sum() == 1


@pytest.mark.parametrize(
    ("name", "changed", "cuts"),
    [
        # Before its second stage, which begins with step 3, and within it.
        ("pconv", {"fine_tune_start": 0.5}, (2, 4)),
        # Between the penalties, which steps 0 and 4 take.
        (
            "iconv",
            {"image_size": 8, "penalty_interval": 4, "penalty": "standard"},
            (2, 5),
        ),
        # Within its third phase, which begins with step 2.
        ("pconv-gan", {"generator_share": 0.2, "discriminator_share": 0.2}, (4,)),
    ],
)
def test_it_goes_on_at_the_exact_step(name, changed, cuts, tmp_path):
    trainer = make_trainer(shrunk(name, num_steps=NUM_STEPS, seed=2, **changed))
    data = training_data(count=10, side=trainer.recipe.image_size)
    train_inpainter(trainer, data, tmp_path / "whole")
    for steps in (*cuts, None):
        end = train_inpainter(trainer, data, tmp_path / "cut", max_steps=steps)
        assert end.step == (steps or NUM_STEPS)
    expected, _ = load_tensors(tmp_path / "whole" / STATE_FILE)
    found, _ = load_tensors(tmp_path / "cut" / STATE_FILE)
    assert found.keys() == expected.keys()
    for name, values in expected.items():
        # Bit for bit: the steps are deterministic for networks as small as these.
        np.testing.assert_array_equal(found[name], values, err_msg=name)


@pytest.fixture
def begun(trainer, data, tmp_path):
    """The folder of a run of two steps."""
    train_inpainter(trainer, data, tmp_path / "begun", max_steps=2)
    return tmp_path / "begun"


def test_a_run_can_begin_where_another_recipe_stopped(recipe, data, begun, tmp_path):
    slower = dataclasses.replace(recipe, learning_rate=recipe.learning_rate / 4)
    new = tmp_path / "new"
    end = train_inpainter(make_trainer(slower), data, new, go_on_from=begun)
    assert end.step == NUM_STEPS
    assert end.history == ({"recipe": recipe.as_dict(), "steps": 2},)
    # Adam's count goes on where it was, and the weights come from that run.
    before, _ = load_tensors(begun / STATE_FILE)
    untouched = train_inpainter(
        make_trainer(dataclasses.replace(slower, learning_rate=1e-12)),
        data,
        tmp_path / "untouched",
        go_on_from=begun,
    )
    np.testing.assert_allclose(
        untouched.state["generator"][0], before["generator/000"], atol=1e-6
    )
    assert float(end.state["generator_optimizer"][-1]) == NUM_STEPS
    # Resumed, the folder's own state is what counts.
    again = train_inpainter(make_trainer(slower), data, new, go_on_from=begun)
    assert (again.step, again.history) == (end.step, end.history)


def test_a_run_of_another_length_remembers_the_one_it_had(recipe, data, begun):
    longer = dataclasses.replace(recipe, num_images=2 * recipe.num_images)
    end = train_inpainter(make_trainer(longer), data, begun, max_steps=3)
    assert end.history == ({"recipe": recipe.as_dict(), "steps": 2},)
    assert train_inpainter(make_trainer(longer), data, begun).history == end.history


def change_bound(folder, **changed):
    """Change what a state is bound to, as another machine would have written it."""
    path = folder / STATE_FILE
    tensors, metadata = load_tensors(path)
    bound = json.loads(metadata["bound"]) | changed
    save_tensors(path, tensors, metadata=metadata | {"bound": json.dumps(bound)})


def test_a_run_is_bound_to_what_its_words_came_to(trainer, data, begun):
    # The word is still float32, as "auto" is still "auto" on another machine.
    change_bound(begun, precision="bfloat16")
    with pytest.raises(ValueError, match=r"\(precision bfloat16 -> float32\)"):
        train_inpainter(trainer, data, begun)
    change_bound(begun, precision="float32", backend="another")
    with pytest.raises(ValueError, match=rf"\(backend another -> {backend.name()}\)"):
        train_inpainter(trainer, data, begun)


def test_a_state_that_tells_nothing_of_that_goes_on(trainer, data, begun):
    tensors, metadata = load_tensors(begun / STATE_FILE)
    del metadata["bound"]
    save_tensors(begun / STATE_FILE, tensors, metadata=metadata)
    assert train_inpainter(trainer, data, begun, max_steps=3).step == 3


def test_another_word_for_the_same_precision_goes_on(recipe, data, tmp_path):
    came_to = backend.compute_policy("auto").removeprefix("mixed_")
    first, second = (
        make_trainer(dataclasses.replace(recipe, precision=word))
        for word in ("auto", came_to)
    )
    train_inpainter(first, data, tmp_path / "run", max_steps=1)
    assert train_inpainter(second, data, tmp_path / "run", max_steps=1).step == 1


def test_a_run_is_bound_to_the_file_of_its_features(recipe, data, vgg16_file, tmp_path):
    def go_on(path):
        trainer = make_trainer(dataclasses.replace(recipe, perceptual=f"vgg16:{path}"))
        return train_inpainter(trainer, data, tmp_path / "run", max_steps=1).step

    assert go_on(vgg16_file) == 1
    # The same weights elsewhere, and then others.
    moved = tmp_path / "moved.safetensors"
    moved.write_bytes(vgg16_file.read_bytes())
    assert go_on(moved) == 1
    tensors, _ = load_tensors(moved)
    tensors["features.0.bias"] += 1.0
    save_tensors(moved, tensors, metadata={})
    with pytest.raises(ValueError, match=r"\(perceptual [0-9a-f]{64} -> "):
        go_on(moved)


def test_it_learns_and_reports_what_is_measured(trainer, data, whole_run, tmp_path):
    _, reports, _ = whole_run
    assert [report.step for report in reports] == [2, 4, 6]
    assert all(report.scalars["loss"] > 0 for report in reports)
    found = []
    train_inpainter(
        trainer,
        data,
        tmp_path,
        report=found.append,
        save_interval=1,
        max_steps=1,
        validate=lambda network: {"weights": float(len(network.weights))},
    )
    assert found[0].scalars["weights"] > 10


def test_the_sheet_shows_masked_images_the_network_s_and_the_composite(
    trainer, data, whole_run
):
    _, reports, end = whole_run
    sheet = inpainting_sheet(trainer, trainer.generator(end.state), data)
    assert sheet.shape == (SHEET_COLUMNS * 10, 16, 16, 3)
    assert np.abs(sheet).max() <= 1.0
    masked, made, composite = np.moveaxis(sheet.reshape(10, 3, 16, 16, 3), 1, 0)
    originals = data.images[2:] / np.float32(127.5) - 1.0
    hole = (masked != originals).any(axis=-1)
    assert hole.any()
    np.testing.assert_allclose(masked[hole], 0.0)
    np.testing.assert_allclose(composite[~hole], originals[~hole], atol=1e-6)
    np.testing.assert_allclose(composite[hole], made[hole])
    np.testing.assert_allclose(reports[-1].grid, sheet, atol=1e-5)


@pytest.mark.parametrize("given", [None, np.zeros((12, 4)), np.zeros((11, 10))])
def test_landmarks_that_a_recipe_lacks_are_asked_for(data, given, tmp_path):
    landmarks = None if given is None else Landmarks.of(given)
    trainer = types.SimpleNamespace(recipe=posed())
    with pytest.raises(ValueError, match=r"5 landmarks of every image, \[12, 10\]"):
        train_inpainter(trainer, data, tmp_path, landmarks=landmarks)


def test_images_of_another_size_are_refused(trainer, tmp_path):
    images = np.zeros((8, 32, 32, 3), np.uint8)
    data = TrainingData(images, np.arange(8), "0" * 64, (0,))
    with pytest.raises(ValueError, match=r"uint8 images \[N, 16, 16, 3\]"):
        train_inpainter(trainer, data, tmp_path)
