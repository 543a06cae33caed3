"""Losses that find a code, against closed forms in float64."""

import numpy as np
import pytest
from keras import ops

from semantic_inpaint import backend
from semantic_inpaint.losses.inversion import (
    DISTANCES,
    anchor_loss,
    content_loss,
    global_consensus,
    inpainting_consensus,
    non_saturating_prior_loss,
    prior_loss,
    smooth_absolute,
)

pytestmark = pytest.mark.both_backends

SHAPE = (3, 6, 5, 3)


def image_batch(seed):
    return np.random.default_rng(seed).uniform(-1, 1, SHAPE).astype(np.float32)


def known_pixels():
    """Known pixels as 0 and 1: some at random, all, none."""
    known = np.random.default_rng(7).random((*SHAPE[:3], 1)) < 0.6
    known[1], known[2] = True, False
    return known.astype(np.float32)


def value(loss, *arrays):
    found = loss(*(ops.convert_to_tensor(array) for array in arrays))
    return ops.convert_to_numpy(found)


def weighted_l1(weights, a, b):
    difference = np.abs(a.astype(np.float64) - b)
    return np.sum(weights * difference, axis=(1, 2, 3))


def test_content_loss_is_the_weighted_sum_of_absolute_differences():
    weights = np.random.default_rng(1).random((*SHAPE[:3], 1)).astype(np.float32)
    a, b = image_batch(2), image_batch(3)
    found = value(content_loss, a, b, weights)
    np.testing.assert_allclose(found, weighted_l1(weights, a, b), rtol=1e-5)


def huber(corner):
    """The integral of the slope min(|d| / corner, 1)."""

    def distance(difference):
        size = np.abs(difference)
        inside = np.minimum(size, corner)
        return inside**2 / (2 * corner) + np.maximum(size - corner, 0.0)

    return distance


FORMULAS = {
    "absolute": np.abs,
    "rounded": huber(0.1),
    "squared": np.square,
    "smooth": huber(1.0),
}


@pytest.mark.parametrize("distance", FORMULAS)
def test_each_distance_is_its_formula_in_every_loss(distance):
    weights = np.random.default_rng(1).random((*SHAPE[:3], 1)).astype(np.float32)
    # Differences on both sides of 1.
    a, b = 1.5 * image_batch(2), image_batch(3)
    terms = FORMULAS[distance](a.astype(np.float64) - b)
    for loss, factor in (
        (content_loss, weights),
        (global_consensus, weights),
        (inpainting_consensus, 1.0 - weights),
    ):
        found = ops.convert_to_numpy(loss(a, b, weights, distance=distance))
        expected = np.sum(factor * terms, axis=(1, 2, 3))
        np.testing.assert_allclose(found, expected, rtol=1e-5)
    assert set(DISTANCES) == set(FORMULAS)


def test_the_smooth_distance_has_no_corner():
    differences = np.array([-3.0, -1.0, -0.5, 0.0, 1e-3, 1.0, 2.0], np.float32)
    _, _, (slope,) = backend.value_and_grad(
        lambda x: (ops.sum(smooth_absolute(x)), ()), ops.convert_to_tensor(differences)
    )
    np.testing.assert_array_equal(slope, np.clip(differences, -1, 1))


def test_what_stands_in_the_hole_changes_neither_content_loss_nor_its_gradient():
    known, generated, observed = known_pixels(), image_batch(2), image_batch(3)
    elsewise = np.where(known > 0, observed, 1e6).astype(np.float32)

    def evaluate(observed):
        return backend.value_and_grad(
            lambda x: (
                ops.sum(content_loss(x, observed, ops.convert_to_tensor(known))),
                content_loss(x, observed, ops.convert_to_tensor(known)),
            ),
            ops.convert_to_tensor(generated),
        )

    _, first, (first_gradient,) = evaluate(ops.convert_to_tensor(observed))
    _, second, (second_gradient,) = evaluate(ops.convert_to_tensor(elsewise))
    np.testing.assert_array_equal(first, second)
    np.testing.assert_array_equal(first_gradient, second_gradient)
    assert float(first[2]) == 0.0  # Nothing is known of the last image.


def test_the_two_consensus_terms_share_out_the_whole_difference():
    known, generated, blended = known_pixels(), image_batch(2), image_batch(3)
    on_known = value(global_consensus, generated, blended, known)
    in_hole = value(inpainting_consensus, generated, blended, known)
    np.testing.assert_allclose(
        on_known, weighted_l1(known, generated, blended), rtol=1e-5
    )
    whole = weighted_l1(1.0, generated, blended)
    np.testing.assert_allclose(on_known + in_hole, whole, rtol=1e-5)
    assert in_hole[1] == 0.0
    assert on_known[2] == 0.0
    assert on_known[0] > 0.0
    assert in_hole[0] > 0.0


def test_the_prior_loss_is_the_log_of_one_minus_the_probability():
    logits = np.linspace(-8.0, 8.0, 9)[:, None]
    found = value(prior_loss, logits.astype(np.float32))
    expected = np.log(1.0 - 1.0 / (1.0 + np.exp(-logits[:, 0])))
    np.testing.assert_allclose(found, expected, rtol=1e-5)
    assert (np.diff(found) < 0).all()  # The more real, the lower.


def test_the_prior_loss_stays_finite_at_extreme_logits():
    logits = ops.convert_to_tensor(np.array([[-1e4], [1e4]], np.float32))
    _, found, (slope,) = backend.value_and_grad(
        lambda x: (ops.sum(prior_loss(x)), prior_loss(x)), logits
    )
    np.testing.assert_allclose(found, [0.0, -1e4], rtol=1e-6, atol=1e-6)
    np.testing.assert_allclose(slope, [[0.0], [-1.0]], atol=1e-6)


def test_the_non_saturating_loss_is_minus_the_log_of_the_probability():
    logits = np.linspace(-8.0, 8.0, 9)[:, None]
    found = value(non_saturating_prior_loss, logits.astype(np.float32))
    expected = -np.log(1.0 / (1.0 + np.exp(-logits[:, 0])))
    np.testing.assert_allclose(found, expected, rtol=1e-5)
    extreme = value(non_saturating_prior_loss, np.array([[-1e4], [1e4]], np.float32))
    np.testing.assert_allclose(extreme, [1e4, 0.0], rtol=1e-6)


def test_both_prior_losses_rank_images_alike_and_pull_where_the_other_does_not():
    logits = ops.convert_to_tensor(np.array([[-9.0], [0.0], [9.0]], np.float32))
    slopes = [
        ops.convert_to_numpy(
            backend.value_and_grad(lambda x, loss=loss: (ops.sum(loss(x)), ()), logits)[
                2
            ][0]
        )[:, 0]
        for loss in (prior_loss, non_saturating_prior_loss)
    ]
    for slope in slopes:
        assert (slope < 0).all()
    # The slopes are -D and D - 1.
    np.testing.assert_allclose(slopes[0] - slopes[1], [0.99975, 0, -0.99975], atol=1e-4)


def test_the_anchor_loss_is_the_squared_distance_of_each_code():
    rng = np.random.default_rng(4)
    codes, anchor = rng.uniform(-1, 1, (2, 3, 7)).astype(np.float32)
    anchor[2] = codes[2]
    found = value(anchor_loss, codes, anchor)
    expected = np.linalg.norm(codes.astype(np.float64) - anchor, axis=1) ** 2
    np.testing.assert_allclose(found, expected, rtol=1e-5)
    assert found[2] == 0.0


@pytest.mark.parametrize("loss", [content_loss, global_consensus, inpainting_consensus])
def test_an_image_has_one_value_and_a_gradient_of_its_own(loss):
    arrays = image_batch(2), image_batch(3), known_pixels()
    whole = value(loss, *arrays)
    assert whole.shape == (3,)
    for i in range(3):
        alone = value(loss, *(array[i : i + 1] for array in arrays))
        # A sum over one image may be taken in another order than over three.
        np.testing.assert_allclose(alone, whole[i : i + 1], rtol=1e-6)

    poisoned = arrays[0].copy()
    poisoned[1] = np.nan
    _, _, (gradient,) = backend.value_and_grad(
        lambda x: (ops.sum(loss(x, *map(ops.convert_to_tensor, arrays[1:]))), None),
        ops.convert_to_tensor(poisoned),
    )
    assert np.isfinite(ops.convert_to_numpy(gradient)[[0, 2]]).all()
