"""Feed-forward inpainting: pictures of any size, blends, and many answers."""

import dataclasses

import keras
import numpy as np
import pytest

from semantic_inpaint.datasets.landmarks import NumberedLandmarks
from semantic_inpaint.inpainters import FeedForwardInpainter, inpaint, make_inpainter
from semantic_inpaint.inpainters.feedforward import draw_codes, fill_several
from semantic_inpaint.masks import make_known
from semantic_inpaint.models.inpainting_networks import InpaintingNetwork
from semantic_inpaint.problem import HOLE_VALUE, InpaintingProblem


def pose(height=16, width=16, pattern="center", count=2, **words):
    images = np.random.default_rng(2).random((count, height, width, 3), np.float32)
    known = make_known(pattern, count, height, width)
    return InpaintingProblem(images, known, **words)


def half_model(side=None, multiple=8):
    """A network that halves the observed image in [-1, 1], at any size or one."""
    images = keras.Input((side, side, 3), name="images")
    known = keras.Input((side, side, 1), name="known")
    total = keras.layers.Concatenate()([images, known])
    layer = keras.layers.Conv2D(3, 1, use_bias=False)
    model = keras.Model([images, known], layer(total))
    layer.set_weights([np.eye(4, 3, dtype=np.float32)[None, None] * 0.5])
    return InpaintingNetwork(model, "conv", side or 16, multiple=multiple)


def halved(problem):
    """What the network above makes: known values half way to grey, the hole grey."""
    known = problem.known[..., None]
    return np.where(known, problem.images * 0.5 + 0.25, np.float32(0.5))


@pytest.mark.parametrize("size", [(16, 16), (17, 16), (40, 24), (19, 61), (8, 3)])
@pytest.mark.parametrize("side", [None, 16], ids=["any", "fixed"])
def test_a_picture_of_any_size_is_filled(size, side):
    problem = pose(*size)
    result = FeedForwardInpainter(half_model(side)).inpaint(problem)
    expected = halved(problem)
    hole = problem.hole
    np.testing.assert_allclose(result.generated[hole], expected[hole], atol=1e-6)
    known = problem.known
    np.testing.assert_array_equal(result.completed[known], problem.images[known])
    np.testing.assert_array_equal(result.completed[hole], result.generated[hole])
    assert result.status == ("converged", "converged")
    assert list(result.stages) == ["masked", "generated"]


def test_a_picture_over_the_limit_is_filled_in_tiles_without_a_seam():
    # A hole in a corner, so that most of a picture is no work.
    known = np.ones((1, 64, 80), bool)
    known[:, 40:, 50:] = False
    images = np.random.default_rng(0).random((1, 64, 80, 3), dtype=np.float32)
    problem = InpaintingProblem(images, known)
    network = half_model()
    whole = FeedForwardInpainter(network).inpaint(problem)
    tiled = FeedForwardInpainter(network, max_pixels=24 * 24).inpaint(problem)
    np.testing.assert_allclose(tiled.completed, whole.completed, atol=1e-6)
    # What has no hole near it was not generated.
    np.testing.assert_array_equal(tiled.generated[0, :8, :8], images[0, :8, :8])
    assert not np.allclose(whole.generated[0, :8, :8], images[0, :8, :8])


def test_the_tile_of_a_network_of_any_size_is_a_multiple_within_the_limit(
    tiny_networks,
):
    inpainter = FeedForwardInpainter(tiny_networks["pconv"], max_pixels=1000)
    assert inpainter._tile(20, 30) == (24, 32)
    assert inpainter._tile(100, 10) == (24, 16)
    assert FeedForwardInpainter(tiny_networks["iconv"])._tile(100, 10) == (16, 16)


def test_without_a_word_nothing_is_blended_and_with_one_it_is():
    problem = pose()
    network = half_model()
    plain, blended = (
        make_inpainter("conv", network=network, blend=blend).inpaint(problem)
        for blend in (None, "gradient")
    )
    hole = problem.hole
    np.testing.assert_allclose(plain.completed[hole], 0.5, atol=1e-6)
    assert "blended" in blended.stages
    # The gradient of a grey hole is 0: the blend continues the rim (a membrane).
    assert blended.completed[hole].std() > 0.01
    np.testing.assert_array_equal(
        blended.completed[problem.known], problem.images[problem.known]
    )


def test_the_batch_and_the_progress():
    steps = []
    inpainter = FeedForwardInpainter(half_model(), batch_size=2)
    result = inpainter.inpaint(
        pose(count=5), progress=lambda stage, count: steps.append((stage, count))
    )
    assert steps == [("generate", 1)] * 3
    assert len(result) == 5


def test_an_overflow_is_grey_and_said_of_its_image_alone():
    network = half_model()
    (kernel,) = network.model.get_weights()
    network.model.set_weights([np.full_like(kernel, 3e38)])
    # Grey is 0 in the network, so that of the first image only `known` counts; the sum
    # of the second is more than float32 holds.
    images = np.full((2, 16, 16, 3), 0.5, np.float32)
    images[1] = 1.0
    problem = InpaintingProblem(images, make_known("center", 2, 16, 16))
    result = FeedForwardInpainter(network).inpaint(problem)
    assert result.status == ("converged", "nonfinite")
    np.testing.assert_array_equal(result.generated[1, 0, 0], HOLE_VALUE)
    assert np.isfinite(result.completed).all()


@pytest.mark.both_backends
def test_codes_are_functions_of_number_and_seed(tiny_networks):
    codes = draw_codes(np.array([4, 9]), 500, seed=1)
    np.testing.assert_array_equal(draw_codes(np.array([9]), 500, seed=1)[0], codes[1])
    assert not np.array_equal(draw_codes(np.array([9]), 500, seed=2)[0], codes[1])
    # Four standard deviations of the mean of 1000 numbers.
    assert abs(codes.mean()) < 4 / np.sqrt(1000)
    assert draw_codes(np.array([4, 9]), 0, seed=1).shape == (2, 0)
    inpainter = FeedForwardInpainter(tiny_networks["iconv"])
    problem = pose(indices=[4, 9])
    alone = inpainter.inpaint(problem.take([1]), seed=1)
    together = inpainter.inpaint(problem, seed=1)
    np.testing.assert_allclose(alone.completed[0], together.completed[1], atol=1e-4)


def test_several_answers_differ_in_the_hole_and_the_first_is_the_one(tiny_networks):
    inpainter = FeedForwardInpainter(tiny_networks["iconv"])
    problem = pose(40, 20)
    found = fill_several(inpainter, problem, num_samples=3, seed=5)
    assert found.completed.shape == (2, 3, 40, 20, 3)
    assert found.codes.shape == (2, 3, 32)
    assert found.loss is None
    one = inpainter.inpaint(problem, seed=5).completed
    np.testing.assert_allclose(found.completed[:, 0], one, atol=1e-5)
    known = problem.known
    for answer in np.moveaxis(found.completed, 1, 0):
        np.testing.assert_array_equal(answer[known], problem.images[known])
    assert np.all(found.diversity > 0)
    assert np.all(found.uncertainty[known] == 0)
    with pytest.raises(ValueError, match="2 or more; got 1"):
        fill_several(inpainter, problem, num_samples=1)
    with pytest.raises(ValueError, match="'pconv' has one answer to a hole"):
        fill_several(
            FeedForwardInpainter(tiny_networks["pconv"]), problem, num_samples=2
        )


def pointed_model():
    """A network of 16x16 that draws its landmark into two channels of every pixel."""
    images = keras.Input((16, 16, 3), name="images")
    known = keras.Input((16, 16, 1), name="known")
    points = keras.Input((2,), name="points")
    colour = keras.layers.Concatenate()([points, points])[:, :3]
    colour = keras.layers.Reshape((1, 1, 3))(colour)
    model = keras.Model([images, known, points], keras.layers.UpSampling2D(16)(colour))
    return InpaintingNetwork(
        model, "iconv", 16, num_landmarks=1, typical_landmarks=(0.5, 0.25)
    )


def test_landmarks_go_to_the_images_of_their_numbers():
    points = np.array([[0.0, 1.0], [0.25, 0.75], [0.5, 0.125]], np.float32)
    landmarks = NumberedLandmarks(points, [30, 10, 20])
    inpainter = FeedForwardInpainter(pointed_model(), batch_size=2, landmarks=landmarks)
    problem = pose(count=3, indices=[10, 20, 30])
    made = inpainter.inpaint(problem).generated[:, 8, 8, :2]
    # From [-1, 1], which the network draws in, to [0, 1].
    np.testing.assert_allclose(made, points[[1, 2, 0]] / 2 + 0.5, atol=1e-6)
    typical = FeedForwardInpainter(pointed_model()).inpaint(problem)
    np.testing.assert_allclose(typical.generated[:, 8, 8, 0], 0.75, atol=1e-6)

    with pytest.raises(ValueError, match="image of number 0"):
        inpainter.inpaint(pose())
    large = pose(20, 16, indices=[10, 20])
    with pytest.raises(ValueError, match="own size, 16x16; got 20x16"):
        inpainter.inpaint(large)
    with pytest.raises(ValueError, match="takes no landmarks; got 1"):
        FeedForwardInpainter(half_model(), landmarks=landmarks)


def test_several_answers_have_the_landmarks_of_their_image():
    landmarks = NumberedLandmarks(np.array([[0.2, 1.0], [0.8, 0.0]]), [4, 9])
    # With a code that is of no effect.
    network = dataclasses.replace(pointed_model(), latent_dim=1)
    network = dataclasses.replace(network, model=with_code(network.model))
    inpainter = FeedForwardInpainter(network, landmarks=landmarks)
    found = fill_several(inpainter, pose(indices=[9, 4]), num_samples=3)
    centre = found.completed[:, :, 8, 8, 0]
    np.testing.assert_allclose(centre, [[0.9] * 3, [0.6] * 3], atol=1e-6)


def with_code(model):
    """Let a network take a code after the known map, and make nothing of it."""
    images, known, points = model.inputs
    code = keras.Input((1,), name="code")
    return keras.Model([images, known, code, points], model.output)


def test_a_network_without_a_code_is_filled_by_and_refused_for_several(
    landmark_network_folder,
):
    inpainter = make_inpainter("iconv", network=landmark_network_folder)
    first, second = (inpainter.inpaint(pose(), seed=seed).completed for seed in (1, 2))
    np.testing.assert_array_equal(first, second)
    with pytest.raises(ValueError, match="'iconv' has one answer to a hole"):
        fill_several(inpainter, pose(), num_samples=2)


def test_fewer_of_large_tiles_are_in_memory_together():
    inpainter = FeedForwardInpainter(half_model())
    sides = {16: 64, 256: 64, 512: 16, 1024: 4, 4096: 1}
    assert {side: inpainter._together((side, side)) for side in sides} == sides


def test_the_settings_tell_two_networks_apart(tiny_networks):
    network = dataclasses.replace(tiny_networks["pconv"], sha256="a" * 64)
    settings = FeedForwardInpainter(network).settings
    assert settings["network"] == "a" * 64
    assert "batch_size" not in settings
    assert FeedForwardInpainter(network, operator="log").settings != settings
    assert "landmarks" not in settings
    landmarks = NumberedLandmarks(np.zeros((1, 2)), [0])
    pointed = FeedForwardInpainter(pointed_model(), landmarks=landmarks)
    assert pointed.settings["landmarks"] == landmarks.sha256


@pytest.mark.parametrize(
    ("words", "message"),
    [
        ({"operator": "laplace"}, "`operator` must be one of"),
        ({"solver": "cvx"}, "`solver` must be one of"),
        ({"batch_size": 0}, "`batch_size` must be 1 or more"),
        ({"max_pixels": 0}, "`max_pixels` must be 1 or more"),
    ],
)
def test_wrong_words_are_refused(tiny_networks, words, message):
    with pytest.raises(ValueError, match=message):
        FeedForwardInpainter(tiny_networks["conv"], **words)


def test_a_method_takes_its_own_network_alone(tiny_networks, tiny_network_folders):
    folder = tiny_network_folders["pconv"]
    assert make_inpainter("pconv", network=folder).network.kind == "pconv"
    assert inpaint(pose(), method="pconv", network=folder).completed.shape[0] == 2
    with pytest.raises(ValueError, match="use the method 'conv'"):
        make_inpainter("pconv", network=tiny_networks["conv"])
