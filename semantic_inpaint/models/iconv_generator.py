"""The generator of IConv (Hukkelås et al. 2020, section 3.3 and figure 3).

A U-Net from the image down to 4x4 and up again, with two convolutions at each side of
each level. A latent code, and the pose where there is one, come in at 4x4; each level
of the decoder gives an RGB image, and their mean is the result (the generator of
MSG-GAN as Karras et al. 2020 simplify it).
"""

from __future__ import annotations

import keras
import numpy as np
from keras import layers, ops

from semantic_inpaint.models.certainty_skip import CertaintySkip
from semantic_inpaint.models.iconv_convolutions import (
    CONVOLUTIONS,
    Flow,
    PlainConvolutions,
)
from semantic_inpaint.models.iconv_layers import (
    EmptyHole,
    OutputConstraint,
    level_widths,
    one_hot_poses,
    scalar_pose,
)

SMALLEST_SIDE = 4
POSES = ("scalar", "one-hot")
POSE_HIDDEN = 128
POSE_CHANNELS = 32


def build_iconv_generator(
    *,
    image_size: int = 64,
    model_size: int = 64,
    full_width_side: int = 8,
    latent_channels: int = 32,
    num_landmarks: int = 0,
    pose: str = "scalar",
    convolution: str = "imputed",
    variant: str = "official",
    constrain_output: bool = True,
    dtype: str = "float32",
    seed: int = 0,
) -> keras.Model:
    """Build G: a masked image and a code to a whole image.

    The paper's networks are `image_size=128, model_size=128, full_width_side=32` (2.94
    million numbers) and `image_size=256, model_size=256, full_width_side=32` (11.5
    million). The defaults halve the channels from 8x8 on, for a processor.

    Args:
        image_size: Side of the image, a power of two, 8 or more.
        model_size: Channels from 4x4 up to `full_width_side`; halved at each doubling
            of the side above that.
        full_width_side: Largest side with all channels.
        latent_channels: Channels of the code, which is `[4, 4, latent_channels]` when
            folded; 0: the network has no such input, and one answer.
        num_landmarks: Landmarks of the pose; 0: the network has no such input.
        pose: `"scalar"` (two fully connected layers to 4x4x32) or `"one-hot"` (drawn
            at every level of the decoder: the paper's configs A and B).
        convolution: `"imputed"`, or one of the twins `"plain"` and `"gated"`.
        variant: Of `ImputedConv2D`.
        constrain_output: Put the known pixels back (eq. 12).
        dtype: Keras dtype policy of the inner layers; the output is float32.
        seed: Of the initial weights.

    Returns:
        A model of `[images, known, latent]`, or `[images, known, latent, landmarks]`:
        `[B, H, W, 3]` in [-1, 1], of which the hole is never read; `[B, H, W, 1]` of 0
        and 1; `[B, 16 * latent_channels]`, standard normal; `[B, 2 * num_landmarks]` in
        [0, 1], x and y in turn. It gives float32 `[B, H, W, 3]`, in [-1, 1] unless
        called with `training=True`.

    Raises:
        ValueError: A size that cannot be built, an unknown word.
    """
    widths = level_widths(
        image_size, model_size=model_size, full_width_side=full_width_side
    )
    _check_words(convolution, pose)
    kit = CONVOLUTIONS[convolution](dtype=dtype, seed=seed, variant=variant)
    images = keras.Input((image_size, image_size, 3), name="images")
    known = keras.Input((image_size, image_size, 1), name="known")
    inputs = [images, known]

    observed = EmptyHole(dtype="float32", name="observed")([images, known])
    flow, skips = _encode(kit, kit.enter(observed, known), widths)

    extras = {}
    if latent_channels > 0:
        inputs.append(keras.Input((16 * latent_channels,), name="latent"))
        folded = (SMALLEST_SIDE, SMALLEST_SIDE, latent_channels)
        fold = layers.Reshape(folded, dtype=dtype, name="latent_features")
        extras[SMALLEST_SIDE] = [fold(inputs[-1])]
    if num_landmarks > 0:
        inputs.append(keras.Input((2 * num_landmarks,), name="landmarks"))
        for side, features in _pose(inputs[-1], pose, widths, dtype, seed).items():
            extras.setdefault(side, []).append(features)
    rgb = _decode(kit, flow, skips, extras, widths)

    constraint = OutputConstraint(
        constrain=constrain_output, dtype="float32", name="image"
    )
    return keras.Model(
        inputs, constraint([rgb, observed, known]), name="iconv_generator"
    )


def skip_shares(network: keras.Model, inputs: list) -> dict[int, np.ndarray]:
    """Say at which pixels the generator trusts its shallow features (figure 7).

    Args:
        network: From `build_iconv_generator`, of imputed convolutions.
        inputs: What it is called with.

    Returns:
        Gamma of eq. 7 by the side of its level, float32 `[B, side, side]` in [0, 1]:
        the share of the encoder's features, the rest being the decoder's.

    Raises:
        ValueError: The network has no such skips.
    """
    skips = {
        int(layer.name.removeprefix("skip_")): layer
        for layer in network.layers
        if isinstance(layer, CertaintySkip)
    }
    if not skips:
        raise ValueError(
            "the network has no certainty skips; build it with convolution='imputed'."
        )
    pairs = [[layer.input[1], layer.input[3]] for layer in skips.values()]
    certainties = keras.Model(network.inputs, pairs)(inputs, training=False)
    return {
        side: ops.convert_to_numpy(layer.gamma(*pair))[..., 0]
        for (side, layer), pair in zip(skips.items(), certainties, strict=True)
    }


def _encode(
    kit: PlainConvolutions, flow: Flow, widths: dict[int, int]
) -> tuple[Flow, dict[int, Flow]]:
    """Go down to 4x4; each level's features are kept for its skip."""
    skips = {}
    sides = sorted(widths, reverse=True)
    flow = kit.convolve(flow, widths[sides[0]], size=1, name="from_rgb")
    for side in sides:
        below = widths[max(side // 2, SMALLEST_SIDE)]
        flow = kit.convolve(flow, widths[side], size=3, name=f"down_{side}_0")
        flow = kit.convolve(flow, below, size=3, name=f"down_{side}_1")
        skips[side] = flow
        if side > SMALLEST_SIDE:
            flow = kit.shrink(flow, name=f"shrink_{side}")
    return flow, skips


def _decode(
    kit: PlainConvolutions,
    flow: Flow,
    skips: dict[int, Flow],
    extras: dict[int, list],
    widths: dict[int, int],
) -> keras.KerasTensor:
    """Go up from 4x4; the images of all levels are doubled up and averaged."""
    total = None
    for side in sorted(widths):
        if side > SMALLEST_SIDE:
            flow = kit.grow(flow, name=f"grow_{side}")
            flow = kit.merge(skips[side], flow, name=f"skip_{side}")
        flow = kit.join(flow, extras.get(side, []), name=f"join_{side}")

        # As in the authors' code, only the second convolution narrows.
        wide = flow.features.shape[-1]
        flow = kit.convolve(flow, wide, size=3, name=f"up_{side}_0")
        flow = kit.convolve(flow, widths[side], size=3, name=f"up_{side}_1")

        rgb = layers.Conv2D(
            3,
            1,
            kernel_initializer=kit.initializer(),
            dtype=kit.dtype,
            name=f"to_rgb_{side}",
        )(flow.features)
        if total is not None:
            double = layers.UpSampling2D(2, dtype="float32", name=f"rgb_grow_{side}")
            add = layers.Add(dtype="float32", name=f"rgb_add_{side}")
            rgb = add([double(total), rgb])
        total = rgb
    mean = layers.Rescaling(1.0 / len(widths), dtype="float32", name="rgb_mean")
    return mean(total)


def _pose(
    landmarks: keras.KerasTensor,
    pose: str,
    widths: dict[int, int],
    dtype: str,
    seed: int,
) -> dict[int, keras.KerasTensor]:
    """Features of the pose, by the side at which they join the decoder."""
    if pose == "one-hot":
        return one_hot_poses(landmarks, widths, dtype=dtype)
    shape = (SMALLEST_SIDE, SMALLEST_SIDE, POSE_CHANNELS)
    features = scalar_pose(
        landmarks, hidden=POSE_HIDDEN, shape=shape, dtype=dtype, seed=1000 * seed + 900
    )
    return {SMALLEST_SIDE: features}


def _check_words(convolution: str, pose: str) -> None:
    if convolution not in CONVOLUTIONS:
        raise ValueError(
            f"`convolution` must be one of {', '.join(CONVOLUTIONS)}; got "
            f"{convolution!r}."
        )
    if pose not in POSES:
        raise ValueError(f"`pose` must be one of {', '.join(POSES)}; got {pose!r}.")
