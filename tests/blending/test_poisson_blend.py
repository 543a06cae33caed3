"""Promises of `poisson_blend` and `paste` to their callers."""

import numpy as np
import pytest

from semantic_inpaint.blending import OPERATORS, paste, poisson_blend
from tests.blending.hole_patterns import NAMES, hole_patterns
from tests.reference.wrapping_blend import wrapping_blend

DERIVATIVES = ("gradient", "log")


def images(batch, side, seed=0, dtype=np.float64):
    rng = np.random.default_rng(seed)
    return rng.random((batch, side, side, 3)).astype(dtype)


def smooth_images(side):
    """A picture with structure in every channel, none of it zero at the border."""
    row, column = np.mgrid[0:side, 0:side] / side
    channels = [0.5 + 0.4 * np.sin(5 * row + 3 * column + c) for c in range(3)]
    return np.stack(channels, axis=-1)[None]


@pytest.mark.parametrize("operator", OPERATORS)
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_known_pixels_are_bit_exact_and_the_dtype_is_kept(operator, dtype):
    known = np.stack(list(hole_patterns(16).values()))
    observed = images(len(known), 16, dtype=dtype)
    blended = poisson_blend(
        images(len(known), 16, 1, dtype), observed, known, operator=operator
    )
    assert blended.dtype == dtype
    assert np.array_equal(blended[known], observed[known])


@pytest.mark.parametrize("operator", DERIVATIVES)
@pytest.mark.parametrize("name", NAMES)
def test_a_constant_offset_of_the_generated_image_disappears(name, operator):
    image, known = images(1, 32), hole_patterns(32)[name][None]
    offset = np.array([0.3, -0.2, 5.0])
    blended = poisson_blend(image + offset, image, known, operator=operator)
    # float64 round-off times the condition of D_h^T D_h, below 1e6 at this size.
    np.testing.assert_allclose(blended, image, rtol=1e-9, atol=1e-9)


def test_the_printed_kernel_keeps_part_of_a_constant_offset():
    image, known = images(1, 32), hole_patterns(32)["centre"][None]
    blended = poisson_blend(image + 0.3, image, known, operator="log-printed")
    # Sums to -1: in the depth of the hole the offset stays almost whole.
    assert (blended - image)[0, 16, 16].min() > 0.25


@pytest.mark.parametrize("operator", OPERATORS)
@pytest.mark.parametrize("name", NAMES)
def test_the_true_image_is_left_as_it_is_up_to_the_border(name, operator):
    image, known = smooth_images(64), hole_patterns(64)[name][None]
    blended = poisson_blend(image, image, known, operator=operator)
    np.testing.assert_allclose(blended, image, rtol=1e-9)


@pytest.mark.parametrize("name", [name for name in NAMES if name != "centre"])
def test_a_system_that_wraps_round_the_rows_changes_the_true_image(name):
    image, known = smooth_images(32), hole_patterns(32)[name]
    wrapped = wrapping_blend(image[0, ..., 0], image[0, ..., 0], known)
    assert np.abs(wrapped - image[0, ..., 0]).max() > 0.05
    blended = poisson_blend(image, image, known[None])
    np.testing.assert_allclose(blended, image, rtol=1e-9)


def test_a_system_that_wraps_is_right_where_the_hole_is_away_from_the_border():
    generated, observed = images(1, 16, 1), images(1, 16, 2)
    known = hole_patterns(16)["centre"]
    wrapped = wrapping_blend(generated[0, ..., 0], observed[0, ..., 0], known)
    blended = poisson_blend(generated, observed, known[None])[0, ..., 0]
    # Two float64 solvers of one well-conditioned system.
    np.testing.assert_allclose(blended, wrapped, atol=1e-12)


def test_a_hole_between_two_levels_is_filled_by_a_linear_ramp():
    observed = np.full((1, 6, 12, 1), np.nan)
    observed[:, :, :2], observed[:, :, 9:] = 0.0, 7.0
    known = np.isfinite(observed[..., 0])
    blended = poisson_blend(np.full((1, 6, 12, 1), 0.5), observed, known)
    # Without gradients of its own: the harmonic interpolation, 0 at column 1 and
    # 7 at column 9, constant along the columns up to the image border.
    ramp = 7.0 * (np.arange(2, 9) - 1) / 8
    np.testing.assert_allclose(blended[0, :, 2:9, 0], np.tile(ramp, (6, 1)), atol=1e-12)


@pytest.mark.parametrize("operator", OPERATORS)
def test_an_image_does_not_depend_on_its_batch_or_place(operator):
    patterns = list(hole_patterns(16).values())
    known = np.stack(patterns + patterns[:3])
    generated, observed = images(9, 16, 1), images(9, 16, 2)
    together = poisson_blend(generated, observed, known, operator=operator)
    order = np.random.default_rng(3).permutation(9)
    shuffled = poisson_blend(
        generated[order], observed[order], known[order], operator=operator
    )
    assert np.array_equal(shuffled, together[order])
    for i in range(9):
        one = slice(i, i + 1)
        alone = poisson_blend(
            generated[one], observed[one], known[one], operator=operator
        )
        assert np.array_equal(alone, together[one])


@pytest.mark.parametrize("solver", ["direct", "cvxpy"])
def test_what_stands_in_the_hole_is_never_read(solver):
    known = np.stack(list(hole_patterns(8).values()))
    generated, observed = images(len(known), 8, 1), images(len(known), 8, 2)
    poisoned = np.where(known[..., None], observed, np.nan)
    np.testing.assert_array_equal(
        poisson_blend(generated, poisoned, known, solver=solver),
        poisson_blend(generated, observed, known, solver=solver),
    )
    np.testing.assert_array_equal(
        paste(generated, poisoned, known), paste(generated, observed, known)
    )


def test_inputs_are_left_as_they_are():
    known = hole_patterns(8)["left"][None]
    generated, observed = images(1, 8, 1), images(1, 8, 2)
    before = generated.copy(), observed.copy(), known.copy()
    poisson_blend(generated, observed, known)
    for now, then in zip((generated, observed, known), before, strict=True):
        assert np.array_equal(now, then)


@pytest.mark.parametrize("solver", ["direct", "cvxpy"])
@pytest.mark.parametrize(
    "axes", [(0, 1, 2, 3), (3, 0, 1, 2), (0, 2, 1, 3), (1, 3, 2, 0)]
)
def test_the_order_in_memory_does_not_matter(solver, axes):
    def laid_out(array):
        order = np.argsort(axes)
        return array.transpose(axes).copy().transpose(order)

    known = np.stack([hole_patterns(8)["left"]] * 2)
    generated, observed = images(2, 8, 1), images(2, 8, 2)
    blended = poisson_blend(
        laid_out(generated), laid_out(observed), np.asfortranarray(known), solver=solver
    )
    expected = poisson_blend(generated, observed, known, solver=solver)
    assert np.array_equal(blended, expected)
    assert blended.flags.c_contiguous


def test_the_result_may_leave_the_range_of_the_images():
    known = hole_patterns(8)["left"][None]
    generated = np.zeros((1, 8, 8, 1))
    generated[:, :, :4] = 0.8
    blended = poisson_blend(generated, np.full_like(generated, 0.9), known)
    # The step of +0.8 into the hole is kept on top of the observed 0.9.
    np.testing.assert_allclose(blended[:, :, :4], 1.7, rtol=1e-12)


@pytest.mark.parametrize("solver", ["direct", "cvxpy"])
@pytest.mark.parametrize("channels", [1, 4])
def test_a_picture_without_a_hole_comes_back_and_any_channels_do(solver, channels):
    rng = np.random.default_rng(0)
    generated, observed = rng.random((2, 2, 8, 8, channels))
    known = np.ones((2, 8, 8), dtype=bool)
    known[1, 2:4, 2:4] = False
    blended = poisson_blend(generated, observed, known, solver=solver)
    assert np.array_equal(blended[0], observed[0])
    assert blended.shape == (2, 8, 8, channels)


def test_an_empty_batch_gives_an_empty_batch():
    none = np.empty((0, 8, 8, 3), dtype=np.float32)
    assert (
        poisson_blend(none, none, np.empty((0, 8, 8), dtype=bool)).shape == none.shape
    )


@pytest.mark.parametrize("solver", ["direct", "cvxpy"])
def test_the_operator_paste_blends_nothing(solver):
    known = np.stack(list(hole_patterns(8).values()))
    generated, observed = images(len(known), 8, 1), images(len(known), 8, 2)
    blended = poisson_blend(generated, observed, known, operator="paste", solver=solver)
    pasted = paste(generated, observed, known)
    if solver == "direct":
        assert np.array_equal(blended, pasted)
    # The interior-point solver's promise; 1e-12 is usual.
    np.testing.assert_allclose(blended, pasted, atol=1e-6)


def test_paste_takes_observed_where_known_and_generated_elsewhere_bit_exact():
    known = np.stack(list(hole_patterns(8).values()))
    generated = images(len(known), 8, 1, np.float32)
    observed = images(len(known), 8, 2, np.float32)
    pasted = paste(generated, observed, known)
    assert pasted.dtype == np.float32
    assert np.array_equal(pasted[known], observed[known])
    assert np.array_equal(pasted[~known], generated[~known])
