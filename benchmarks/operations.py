"""Operations of a TensorFlow graph, as far as they are convolutions and products."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any

import tensorflow as tf


def count_operations(compute: Callable[..., Any], *arguments: Any) -> float:  # noqa: ANN401
    """Count the multiplications and additions of convolutions and matrix products.

    What works on each element by itself is left out, and so is what no result needs:
    TensorFlow writes down every gradient of a node, but runs those alone that are
    asked for. A backward pass through a
    convolution counts as the forward pass for the inputs, and once more for the kernel;
    products by the zeros between the pixels of a transposed convolution do not count.

    Args:
        compute: A function of tensors; gradients that it takes count too.
        arguments: What to trace it with; only shapes and dtypes matter.

    Returns:
        Two for each product that is added to a sum.

    Raises:
        ValueError: A shape, or how often a loop or branch runs, is not known
            beforehand.
    """
    graph = tf.function(compute).get_concrete_function(*arguments).graph
    products, _ = _count(graph, {tensor.ref() for tensor in graph.outputs})
    return 2.0 * products


def _count(graph: tf.Graph, needed: set) -> tuple[int, set]:
    """Count the products that some tensors of a graph need, and add what they need."""
    products = 0
    needed_nodes = set(graph.control_outputs)
    # Nodes stand after all that they depend on.
    for node in reversed(graph.get_operations()):
        used = [tensor.ref() in needed for tensor in node.outputs]
        if not any(used) and node not in needed_nodes:
            continue
        needed_nodes.update(node.control_inputs)
        if node.type in ("PartitionedCall", "StatefulPartitionedCall"):
            # A function within the function, as one that XLA compiles.
            inner = graph._get_function(node.get_attr("f").name).graph
            results = zip(inner.outputs, used, strict=True)
            found, below = _count(inner, {t.ref() for t, use in results if use})
            products += found
            pairs = zip(node.inputs, inner.inputs, strict=True)
            needed.update(outer.ref() for outer, own in pairs if own.ref() in below)
        else:
            products += _products(node)
            needed.update(tensor.ref() for tensor in node.inputs)
    return products, needed


def _products(node: tf.Operation) -> int:
    """Count the products of one node; 0 of a kind that is not counted."""
    kind = node.type
    if kind.endswith(("While", "If", "Case")):
        raise ValueError(
            f"{kind} {node.name!r} may run any number of times; expected a graph "
            "without loops and branches."
        )
    if kind in ("Conv2D", "DepthwiseConv2dNative"):
        return _convolved(node, pixels=node.outputs[0], kernel=node.inputs[1])
    if kind in ("Conv2DBackpropInput", "DepthwiseConv2dNativeBackpropInput"):
        return _convolved(node, pixels=node.inputs[2], kernel=node.inputs[1])
    if kind in ("Conv2DBackpropFilter", "DepthwiseConv2dNativeBackpropFilter"):
        return _convolved(node, pixels=node.inputs[2], kernel=node.outputs[0])
    if kind in ("MatMul", "BatchMatMul", "BatchMatMulV2", "BatchMatMulV3"):
        first = _shape(node, node.inputs[0])
        turned = node.get_attr("transpose_a" if kind == "MatMul" else "adj_x")
        return math.prod(_shape(node, node.outputs[0])) * first[-2 if turned else -1]
    return 0


def _convolved(node: tf.Operation, *, pixels: tf.Tensor, kernel: tf.Tensor) -> int:
    """Count as for the forward pass: per number of its result one window."""
    height, width, channels, _ = _shape(node, kernel)
    # Of a depth-wise convolution each number sees one channel alone.
    seen = 1 if node.type.startswith("Depthwise") else channels
    return math.prod(_shape(node, pixels)) * height * width * seen


def _shape(node: tf.Operation, tensor: tf.Tensor) -> Sequence[int]:
    if not tensor.shape.is_fully_defined():
        raise ValueError(
            f"{node.type} {node.name!r} has the shape {tensor.shape}, and none that is "
            "known beforehand. Trace with a batch of fixed size."
        )
    return tensor.shape.as_list()
