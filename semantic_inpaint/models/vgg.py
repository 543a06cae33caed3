"""The VGG16 of the shift-tolerant LPIPS, as a space of features for sets of images.

The package `stlpips-pytorch` carries the weights (Ghildyal and Liu 2022): VGG16
(Simonyan and Zisserman 2015), each 2x2 maximum taken at every pixel and then thinned
out by a blur (Zhang 2019). They learned which distortions people see, not classes of
things: the features tell of texture, sharpness and noise more than of who is shown.
They are not those of the Inception network, so no distance between them is an FID.
"""

from __future__ import annotations

import dataclasses
import functools
import importlib.util
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import keras
import numpy as np
from keras import layers, ops

from semantic_inpaint import backend
from semantic_inpaint.backend import Tensor
from semantic_inpaint.models.torch_weights import load_torch_tensors

SPACE_NAME = "stlpips-vgg16-mean"
WIDTHS = (64, 128, 256, 512, 512)
DEPTHS = (2, 2, 3, 3, 3)
BATCH_SIZE = 32
PACKAGE = "stlpips_pytorch"
WEIGHTS = "weights/vST0.0/vgg_shift_tolerant.pth"
# Of the images that VGG16 was trained on, in [0, 1].
MEAN = (0.485, 0.456, 0.406)
DEVIATION = (0.229, 0.224, 0.225)


@dataclasses.dataclass(frozen=True, eq=False)
class FeatureSpace:
    """A network that turns images into vectors, under a name to quote.

    Attributes:
        name: Of the network, its weights and the layer.
        network: `[B, H, W, 3]` in [0, 1] `-> [B, D]`.
    """

    name: str
    network: keras.Model

    def __call__(self, images: np.ndarray) -> np.ndarray:
        """Compute the features, a bounded batch at a time.

        Args:
            images: float32 `[B, H, W, 3]` in [0, 1], or uint8; used at their own
                size, which must be 18 pixels or more for VGG16.

        Returns:
            float32 `[B, D]`.
        """
        found = []
        for start in range(0, len(images), BATCH_SIZE):
            batch = images[start : start + BATCH_SIZE]
            scale = 255.0 if batch.dtype == np.uint8 else 1.0
            found.append(
                ops.convert_to_numpy(self._compiled(np.float32(batch) / scale))
            )
        return np.concatenate(found)

    @functools.cached_property
    def _compiled(self) -> Callable:
        return backend.compile_function(lambda x: self.network(x, training=False))


class PerceptualMean(layers.Layer):
    """Average the directions of activations, each channel by its importance.

    As LPIPS compares two images (Zhang et al. 2018, eq. 1): at every pixel the vector
    of all channels is brought to length 1 and channel c multiplied by the root of its
    learned `importance`. The squared distance between two such means is at most the
    LPIPS of this layer, which compares pixel by pixel before it averages.
    """

    def build(self, input_shape: tuple) -> None:
        """Add the importance of each channel, 1 until weights are loaded."""
        self.importance = self.add_weight(
            shape=(input_shape[-1],), initializer="ones", name="importance"
        )

    def call(self, x: Tensor) -> Tensor:
        """Map `[B, H, W, C]` to `[B, C]`."""
        length = ops.sqrt(ops.sum(ops.square(x), axis=-1, keepdims=True))
        return ops.mean(x / (length + 1e-10), axis=(1, 2)) * ops.sqrt(self.importance)


class BlurPool(layers.Layer):
    """Blur by (1, 2, 1) / 4 along both axes, at every second pixel (Zhang 2019).

    Images are mirrored by two pixels beyond their border, one more than the blur
    needs, as in the shift-tolerant LPIPS: a side of n becomes (n + 1) // 2 + 1.
    """

    def compute_output_shape(self, input_shape: tuple) -> tuple:
        """Say the shape where sides are open, which JAX cannot mirror."""
        batch, *sides, channels = input_shape
        halves = (None if side is None else (side + 1) // 2 + 1 for side in sides)
        return batch, *halves, channels

    def call(self, x: Tensor) -> Tensor:
        """Map `[B, H, W, C]`, H and W at least 3, to about half the side."""
        x = ops.pad(x, [[0, 0], [2, 2], [2, 2], [0, 0]], mode="reflect")
        x = (x[:, :-2:2] + 2.0 * x[:, 1:-1:2] + x[:, 2::2]) / 4.0
        return (x[:, :, :-2:2] + 2.0 * x[:, :, 1:-1:2] + x[:, :, 2::2]) / 4.0


def build_vgg16(*, widths: Sequence[int] = WIDTHS) -> keras.Model:
    """Build the convolutions of VGG16, with fresh weights.

    Args:
        widths: Channels of the five blocks.

    Returns:
        `[B, H, W, 3]` in [0, 1], sides of 18 pixels or more, `-> [B, D]`, D the sum of
        `widths`: the `PerceptualMean` of the last ReLU of each block, all multiplied
        by sqrt(D), so that x.y / D is the inner product of two embeddings.
    """
    images = keras.Input((None, None, 3))
    variance = tuple(deviation**2 for deviation in DEVIATION)
    x = layers.Normalization(mean=MEAN, variance=variance, name="standardise")(images)
    means = []
    for block, (width, depth) in enumerate(zip(widths, DEPTHS, strict=True), 1):
        if block > 1:
            x = layers.MaxPooling2D(2, strides=1, name=f"max_{block}")(x)
            x = BlurPool(name=f"blur_{block}")(x)
        for number in range(1, depth + 1):
            x = layers.Conv2D(
                width,
                3,
                padding="same",
                activation="relu",
                name=f"conv_{block}_{number}",
            )(x)
        means.append(PerceptualMean(name=f"mean_{block}")(x))
    joined = layers.Concatenate(name="join")(means)
    scaled = layers.Rescaling(float(sum(widths)) ** 0.5, name="scale")(joined)
    return keras.Model(images, scaled, name="vgg16")


def load_vgg_features() -> FeatureSpace:
    """Load the features of the installed weights.

    Raises:
        ValueError: The package with the weights is not installed, or holds others.
    """
    # Found, not imported: the package itself needs PyTorch.
    spec = importlib.util.find_spec(PACKAGE)
    if spec is None or spec.origin is None:
        raise ValueError(
            "the features need the weights of the package stlpips-pytorch; get it by "
            "`pip install --no-deps stlpips-pytorch` (without its own needs: only its "
            "weights are read)."
        )
    return vgg_features(load_torch_tensors(Path(spec.origin).parent / WEIGHTS))


def vgg_features(
    tensors: Mapping[str, np.ndarray], *, widths: Sequence[int] = WIDTHS
) -> FeatureSpace:
    """Make the space of features of given weights.

    Args:
        tensors: By their names in the checkpoint of the shift-tolerant LPIPS, kernels
            `[C_out, C_in, 3, 3]`; others are left aside.
        widths: Channels of the five blocks.

    Raises:
        ValueError: A weight is missing, of another shape or not finite.
    """
    network = build_vgg16(widths=widths)
    # The checkpoint counts convolutions, ReLUs and both halves of a pooling through.
    place = 0
    for block, depth in enumerate(DEPTHS, 1):
        place += 0 if block == 1 else 2
        for number in range(1, depth + 1):
            conv = network.get_layer(f"conv_{block}_{number}")
            source = f"net.slice{block}.{place}"
            _assign(conv.kernel, tensors, f"{source}.weight", (2, 3, 1, 0))
            _assign(conv.bias, tensors, f"{source}.bias", (0,))
            place += 2
        importance = network.get_layer(f"mean_{block}").importance
        _assign(importance, tensors, f"lin{block - 1}.model.1.weight", (0, 2, 3, 1))
    return FeatureSpace(SPACE_NAME, network)


def _assign(
    variable: keras.Variable,
    tensors: Mapping[str, np.ndarray],
    name: str,
    axes: tuple[int, ...],
) -> None:
    """Bring a weight from PyTorch's order of axes to Keras', and put it in place."""
    array = tensors.get(name)
    shape = tuple(variable.shape)
    # The importance of channels is kept as a 1x1 convolution, [1, C, 1, 1].
    expected = (1, 1, 1, *shape) if variable.name == "importance" else shape
    fits = array is not None and array.ndim == len(axes)
    fits = fits and array.transpose(axes).shape == expected
    fits = fits and np.isfinite(array).all()
    if variable.name == "importance":
        fits = fits and (array >= 0).all()
    if not fits:
        raise ValueError(
            f"the weights of VGG16 lack {name} with finite numbers for {shape}; "
            "install stlpips-pytorch 0.0.2."
        )
    variable.assign(array.transpose(axes).reshape(shape).astype(np.float32))
