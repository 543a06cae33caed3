"""Operations of a graph, against counts by hand."""

import numpy as np
import pytest
import tensorflow as tf

from benchmarks.operations import count_operations


def zeros(*shape):
    return tf.zeros(shape)


def test_a_convolution_counts_a_window_for_each_number_of_its_result():
    def strided(x, kernel):
        # Activations, sums and shapes are no products.
        return tf.nn.relu(tf.nn.conv2d(x, kernel, strides=2, padding="SAME") + 1.0)

    # 2 images of 4x4 by 5 channels, each number from a 3x3 window of 3 channels.
    expected = 2 * (2 * 4 * 4 * 5) * (3 * 3 * 3)
    assert count_operations(strided, zeros(2, 8, 8, 3), zeros(3, 3, 3, 5)) == expected
    # In two groups each sees half of the channels.
    found = count_operations(strided, zeros(2, 8, 8, 4), zeros(3, 3, 2, 6))
    assert found == 2 * (2 * 4 * 4 * 6) * (3 * 3 * 2)


def test_the_way_back_counts_once_for_the_inputs_and_once_for_the_kernel():
    def gradients(x, kernel):
        with tf.GradientTape() as tape:
            tape.watch((x, kernel))
            y = tf.nn.conv2d(x, kernel, strides=2, padding="SAME")
            loss = tf.reduce_sum(y**2)
        return tape.gradient(loss, (x, kernel))

    forward = 2 * (2 * 4 * 4 * 5) * (3 * 3 * 3)
    found = count_operations(gradients, zeros(2, 8, 8, 3), zeros(3, 3, 3, 5))
    assert found == 3 * forward


def test_the_way_back_through_a_depth_wise_convolution_counts_as_any_other():
    def gradients(x, kernel):
        with tf.GradientTape() as tape:
            tape.watch((x, kernel))
            y = tf.nn.depthwise_conv2d(x, kernel, strides=[1, 2, 2, 1], padding="SAME")
            loss = tf.reduce_sum(y**2)
        return tape.gradient(loss, (x, kernel))

    # 6 channels from 3, each number from a window of one channel.
    forward = 2 * (2 * 4 * 4 * 6) * (3 * 3)
    found = count_operations(gradients, zeros(2, 8, 8, 3), zeros(3, 3, 3, 2))
    assert found == 3 * forward


def test_a_transposed_convolution_counts_no_zeros_between_the_pixels():
    def doubled(x, kernel):
        return tf.nn.conv2d_transpose(x, kernel, (1, 8, 8, 5), strides=2)

    # Each of 4x4 pixels of 3 channels is spread over a 4x4 window of 5.
    found = count_operations(doubled, zeros(1, 4, 4, 3), zeros(4, 4, 5, 3))
    assert found == 2 * (4 * 4 * 3) * (4 * 4 * 5)


@pytest.mark.parametrize("turned", [False, True])
def test_a_matrix_product_counts_each_pair(turned):
    first = (7, 5) if turned else (5, 7)
    compute = {
        (): lambda a, b: tf.linalg.matmul(a, b, transpose_a=turned),
        (2, 3): lambda a, b: tf.linalg.matmul(a, b, adjoint_a=turned),
    }
    for batch, product in compute.items():
        found = count_operations(product, zeros(*batch, *first), zeros(*batch, 7, 4))
        assert found == 2 * np.prod(batch, dtype=int) * 5 * 7 * 4


def test_what_a_compiled_function_computes_within_counts_too():
    kernel = tf.Variable(zeros(3, 3, 3, 5))
    compiled = tf.function(
        lambda x: tf.nn.conv2d(x, kernel, strides=1, padding="VALID"),
        jit_compile=True,
    )
    found = count_operations(lambda x: compiled(x) + compiled(2 * x), zeros(1, 8, 8, 3))
    assert found == 2 * 2 * (6 * 6 * 5) * (3 * 3 * 3)


@pytest.mark.parametrize("within", [False, True])
def test_what_no_result_needs_does_not_count(within):
    def convolve(x, kernel):
        unused = tf.nn.conv2d(x, kernel, strides=1, padding="SAME")
        return tf.nn.conv2d(x, kernel, strides=2, padding="SAME"), tf.stop_gradient(
            unused
        )

    inner = tf.function(convolve) if within else convolve

    def gradient_of_the_kernel(x, kernel):
        with tf.GradientTape() as tape:
            tape.watch(kernel)
            loss = tf.reduce_sum(inner(2.0 * x, kernel)[0] ** 2)
        return tape.gradient(loss, kernel)

    forward = 2 * (2 * 4 * 4 * 5) * (3 * 3 * 3)
    found = count_operations(
        gradient_of_the_kernel, zeros(2, 8, 8, 3), zeros(3, 3, 3, 5)
    )
    assert found == 2 * forward


def test_a_shape_that_is_not_known_is_refused():
    spec = tf.TensorSpec((None, 8, 8, 3))
    with pytest.raises(ValueError, match=r"Conv2D .* batch of fixed size"):
        count_operations(
            lambda x: tf.nn.conv2d(x, tf.ones((3, 3, 3, 5)), 1, "SAME"), spec
        )


def test_a_loop_of_unknown_length_is_refused():
    def repeated(x):
        return tf.while_loop(lambda y: tf.reduce_sum(y) < 9.0, lambda y: (y @ y,), (x,))

    with pytest.raises(ValueError, match=r"While .* without loops and branches"):
        count_operations(repeated, zeros(3, 3))
