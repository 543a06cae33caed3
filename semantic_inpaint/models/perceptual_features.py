"""Feature maps to compare images by in training: VGG16 after its first three poolings.

Liu et al. (2018, section 3.3) take pool1, pool2 and pool3 of the VGG16 that was trained
on ImageNet. Its weights are downloaded only when asked for, or read from a file.
Without them the VGG16 of the shift-tolerant LPIPS stands in, whose weights a small
package holds: the same layers, fine-tuned, with blurred in place of strided poolings.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from pathlib import Path

import keras
import numpy as np
from keras import layers, ops

from semantic_inpaint.backend import Tensor
from semantic_inpaint.models.tensors import load_tensors
from semantic_inpaint.models.torch_weights import load_torch_tensors
from semantic_inpaint.models.vgg import (
    DEPTHS,
    DEVIATION,
    MEAN,
    WIDTHS,
    BlurPool,
    load_vgg_features,
)

NUM_POOLS = 3
POOL_WIDTHS = WIDTHS[:NUM_POOLS]
SOURCES = ("stlpips-vgg16", "vgg16", "vgg16:PATH", "none")
KERAS_ENDINGS = (".h5", ".keras")
# Keras' weights come from Caffe, which knows images from 0 to 255 less this mean.
CAFFE_MEAN = (123.68, 116.779, 103.939)
# The mean deviation of ImageNet's pixels, which other VGGs divide by.
CAFFE_SCALE = 255.0 * 0.226


@dataclasses.dataclass(frozen=True, eq=False)
class PerceptualFeatures:
    """A frozen network whose maps images are compared by.

    Attributes:
        name: Of the weights, to quote.
        network: `[B, H, W, 3]` in [0, 1] `->` a list of three maps `[B, h, w, c]`.
    """

    name: str
    network: keras.Model

    def __call__(self, images: Tensor) -> list[Tensor]:
        """Compute the maps of float32 `[B, H, W, 3]` in [-1, 1], sides of 12 or more.

        What lies beyond [-1, 1] is not cut off, so that it has a gradient.
        """
        return self.network(images * 0.5 + 0.5, training=False)


def load_perceptual_features(
    source: str, *, dtype: str = "float32"
) -> PerceptualFeatures | None:
    """Load the network that a recipe names.

    Args:
        source: `"stlpips-vgg16"`: the stand-in; `"vgg16"`: Keras' own weights, which
            it downloads where it has not done so; `"vgg16:PATH"`: a file, Keras' own
            (`.h5`, without the top) or torchvision's (`.pth` as written up to PyTorch
            1.5, or its tensors as `.safetensors`); `"none"`.
        dtype: Keras dtype policy to compute with.

    Returns:
        The features; None for `"none"`.

    Raises:
        ValueError: An unknown word, no weights under that name, or others.
    """
    check_source(source)
    if source == "none":
        return None
    kind, _, path = source.partition(":")
    if kind == "stlpips-vgg16":
        return _shift_tolerant(dtype)
    if not path or path.endswith(KERAS_ENDINGS):
        return keras_pools(_load_keras_vgg16(path), name=source, dtype=dtype)
    is_safe = path.endswith(".safetensors")
    tensors = load_tensors(Path(path))[0] if is_safe else load_torch_tensors(path)
    return torchvision_pools(tensors, name=source, dtype=dtype)


def check_source(source: str) -> None:
    """Check that a word may name features; whether there are any is not looked up.

    Raises:
        ValueError: It may not.
    """
    kind, colon, path = source.partition(":")
    with_path = kind == "vgg16" and path
    if not (with_path if colon else source in SOURCES):
        raise ValueError(f"`perceptual` must be {', '.join(SOURCES)}; got {source!r}.")


def file_of_source(source: str) -> Path | None:
    """Return the file that a word for features names, if it names one."""
    path = source.partition(":")[2]
    return Path(path) if path else None


def build_pools(
    *,
    widths: Sequence[int] = POOL_WIDTHS,
    blurred: bool = False,
    mean: Sequence[float] = MEAN,
    deviation: Sequence[float] = DEVIATION,
    dtype: str = "float32",
) -> keras.Model:
    """Build the first three blocks of VGG16, each with its pooling.

    Args:
        widths: Channels of the blocks.
        blurred: Pool with stride 1, then blur and take every second place, as the
            shift-tolerant LPIPS does; else pool with stride 2.
        mean: Of images in [0, 1], by channel.
        deviation: Of images in [0, 1], by channel.
        dtype: Keras dtype policy.

    Returns:
        `[B, H, W, 3]` in [0, 1] `->` a list of maps, of fresh weights.
    """
    images = keras.Input((None, None, 3))
    variance = tuple(d**2 for d in deviation)
    x = layers.Normalization(mean=mean, variance=variance, name="standardise")(images)
    maps = []
    for block, (width, depth) in enumerate(zip(widths, DEPTHS, strict=False), 1):
        for number in range(1, depth + 1):
            x = layers.Conv2D(
                width,
                3,
                padding="same",
                activation="relu",
                dtype=dtype,
                name=f"conv_{block}_{number}",
            )(x)
        strides = 1 if blurred else 2
        x = layers.MaxPooling2D(2, strides, dtype=dtype, name=f"max_{block}")(x)
        if blurred:
            x = BlurPool(dtype=dtype, name=f"blur_{block}")(x)
        maps.append(x)
    network = keras.Model(images, maps, name="vgg16_pools")
    network.trainable = False
    return network


def torchvision_pools(
    tensors: Mapping[str, np.ndarray],
    *,
    name: str,
    widths: Sequence[int] = POOL_WIDTHS,
    dtype: str = "float32",
) -> PerceptualFeatures:
    """Make the features of torchvision's weights, by their names in its checkpoint.

    Args:
        tensors: `features.0.weight` `[C_out, C_in, 3, 3]`, and so on; others are left
            aside.
        name: To quote.
        widths: Channels of the three blocks.
        dtype: Keras dtype policy.

    Raises:
        ValueError: A weight is missing, of another shape or not finite.
    """
    network = build_pools(widths=widths, dtype=dtype)
    # The checkpoint counts convolutions, ReLUs and poolings through.
    place = 0
    for block, depth in enumerate(DEPTHS[:NUM_POOLS], 1):
        for number in range(1, depth + 1):
            conv = network.get_layer(f"conv_{block}_{number}")
            source = f"features.{place}"
            _put(conv.kernel, tensors.get(f"{source}.weight"), f"{source}.weight")
            _put(conv.bias, tensors.get(f"{source}.bias"), f"{source}.bias")
            place += 2
        place += 1
    return PerceptualFeatures(name, network)


def keras_pools(
    vgg16: keras.Model, *, name: str, dtype: str = "float32"
) -> PerceptualFeatures:
    """Make the features of `keras.applications.VGG16`, scaled as other VGGs are.

    Its weights are Caffe's: blue first, and pixels to 255. ReLU and pooling commute
    with a positive factor, so with pixels and biases divided by 57.6 all maps come out
    divided by just that. Then the weights of the loss mean what they mean for a network
    that saw images of deviation 1.

    Args:
        vgg16: With its weights, with or without its top.
        name: To quote.
        dtype: Keras dtype policy.
    """
    scale = CAFFE_SCALE / 255.0
    network = build_pools(
        widths=[vgg16.get_layer(f"block{b}_conv1").filters for b in (1, 2, 3)],
        mean=[channel / 255.0 for channel in CAFFE_MEAN],
        deviation=(scale, scale, scale),
        dtype=dtype,
    )
    for block, depth in enumerate(DEPTHS[:NUM_POOLS], 1):
        for number in range(1, depth + 1):
            source = vgg16.get_layer(f"block{block}_conv{number}")
            conv = network.get_layer(f"conv_{block}_{number}")
            kernel = ops.convert_to_numpy(source.kernel)
            first = (block, number) == (1, 1)
            conv.kernel.assign(kernel[:, :, ::-1] if first else kernel)
            conv.bias.assign(ops.convert_to_numpy(source.bias) / CAFFE_SCALE)
    return PerceptualFeatures(name, network)


def _shift_tolerant(dtype: str) -> PerceptualFeatures:
    try:
        source = load_vgg_features().network
    except ValueError as error:
        raise ValueError(
            f"{error} Or train without features: --perceptual none."
        ) from error
    network = build_pools(blurred=True, dtype=dtype)
    for layer in network.layers:
        if isinstance(layer, layers.Conv2D):
            layer.set_weights(source.get_layer(layer.name).get_weights())
    return PerceptualFeatures("stlpips-vgg16", network)


def _load_keras_vgg16(path: str) -> keras.Model:
    """Load a file of `keras.applications`, or without a path what it downloads."""
    if path and not Path(path).is_file():
        raise ValueError(f"no file {path}: expected the weights of VGG16 there.")
    try:
        return keras.applications.VGG16(include_top=False, weights=path or "imagenet")
    except Exception as error:
        # A download fails in as many ways as there are networks and file systems.
        raise ValueError(
            f"the weights of VGG16 cannot be had ({error}); name a file with "
            "'vgg16:PATH', or use 'stlpips-vgg16'."
        ) from error


def _put(variable: keras.Variable, array: np.ndarray | None, name: str) -> None:
    """Bring a weight from PyTorch's order of axes to Keras', and put it in place."""
    kernel_first = (2, 3, 1, 0)
    if array is not None and array.ndim == len(kernel_first):
        array = array.transpose(kernel_first)
    shape = tuple(variable.shape)
    if array is None or array.shape != shape or not np.isfinite(array).all():
        raise ValueError(
            f"the weights of VGG16 lack {name} with finite numbers for {shape}; use "
            "those of torchvision's vgg16 without batch normalisation."
        )
    variable.assign(array.astype(np.float32))
