"""The same search as a plain PyTorch loop, for `benchmarks.speed` to compare with.

PyTorch pads a strided "same" convolution two pixels before and one behind, Keras one
and two, so the loop sees everything mirrored, kernels and images; that costs nothing.
"""

from __future__ import annotations

import dataclasses
import functools
import itertools
import os
import time
from collections.abc import Callable

import keras
import numpy as np
import torch
from keras import layers, ops
from torch.nn import functional

from semantic_inpaint.latent.objective import SearchTarget
from semantic_inpaint.latent.options import SearchOptions
from semantic_inpaint.models.dcgan import LEAKINESS
from semantic_inpaint.models.folding import fold_batch_norm
from semantic_inpaint.models.prior import GenerativePrior

LAYOUTS = {
    "channels last": torch.channels_last,
    "channels first": torch.contiguous_format,
}
SMALLEST_SIDE = 4


@dataclasses.dataclass
class Link:
    """A kernel in PyTorch's order, and what is done to its products.

    Attributes:
        kernel: Of a linear layer or a convolution.
        bias: Or None.
        norm: Mean, variance, factor and offset of batch normalisation, or None.
    """

    kernel: torch.Tensor
    bias: torch.Tensor | None = None
    norm: tuple[torch.Tensor, ...] | None = None

    def normalised(self, x: torch.Tensor) -> torch.Tensor:
        """Normalise the channels as at inference."""
        return x if self.norm is None else functional.batch_norm(x, *self.norm)


@dataclasses.dataclass(frozen=True)
class TorchNetworks:
    """Both networks, layer by layer, and how their maps lie in memory."""

    generator: list[Link]
    discriminator: list[Link]
    layout: torch.memory_format

    def generate(self, codes: torch.Tensor) -> torch.Tensor:
        """Map `[B, latent_dim]` to mirrored images `[B, 3, H, W]` in [-1, 1]."""
        before, *ups = self.generator
        x = functional.linear(codes.to(before.kernel.dtype), before.kernel, before.bias)
        x = x.view(len(x), SMALLEST_SIDE, SMALLEST_SIDE, -1).permute(0, 3, 1, 2)
        x = x.contiguous(memory_format=self.layout)
        for link in ups:
            x = functional.conv_transpose2d(
                functional.relu(before.normalised(x)),
                link.kernel,
                link.bias,
                stride=2,
                padding=2,
                output_padding=1,
            )
            before = link
        return torch.tanh(x.float())

    def judge(self, images: torch.Tensor) -> torch.Tensor:
        """Map mirrored images to logits `[B]`."""
        *downs, logit = self.discriminator
        x = images.to(downs[0].kernel.dtype).contiguous(memory_format=self.layout)
        for link in downs:
            x = functional.conv2d(x, link.kernel, link.bias, stride=2, padding=2)
            x = functional.leaky_relu(link.normalised(x), LEAKINESS)
        x = x.permute(0, 2, 3, 1).flatten(1)
        return functional.linear(x.float(), logit.kernel, logit.bias)[:, 0]


def torch_searches(
    prior: GenerativePrior,
    prior_weight: float,
    codes: np.ndarray,
    target: SearchTarget,
    options: SearchOptions,
    *,
    precision: str,
) -> tuple[dict[str, Callable[[], np.ndarray]], str]:
    """Prepare the search of stage 1, in the settings that are fastest here.

    Args:
        prior: As trained.
        prior_weight: lambda; at 0 the discriminator is not evaluated.
        codes: float32 `[B, latent_dim]`, where to start.
        target: Of stage 1.
        options: Of Adam, at a constant rate.
        precision: `"float32"` or `"bfloat16"`.

    Returns:
        Searches that return the last losses `[B]`: `"pytorch"` with the networks as
        trained, `"pytorch_folded"` with batch normalisation folded in as we do; and
        the settings of both, in words.
    """
    folded = dataclasses.replace(
        prior,
        generator=fold_batch_norm(prior.generator),
        discriminator=fold_batch_norm(prior.discriminator),
    )

    def prepare(source: GenerativePrior, layout: str, threads: int) -> Callable:
        networks = _networks(source, getattr(torch, precision), LAYOUTS[layout])
        return _search(networks, prior_weight, codes, target, options, threads)

    timed = []
    threads = sorted({1, (os.cpu_count() + 1) // 2, os.cpu_count()})
    for layout, count in itertools.product(LAYOUTS, threads):
        search = prepare(folded, layout, count)
        search(1)
        start = time.perf_counter()
        search(2)
        timed.append((time.perf_counter() - start, layout, count))
    _, *settings = min(timed)
    searches = {
        name: functools.partial(prepare(source, *settings), options.num_steps)
        for name, source in (("pytorch", prior), ("pytorch_folded", folded))
    }
    return searches, "{}, {} threads".format(*settings)


def _search(
    networks: TorchNetworks,
    prior_weight: float,
    codes: np.ndarray,
    target: SearchTarget,
    options: SearchOptions,
    threads: int,
) -> Callable[[int], np.ndarray]:
    images, weights = _mirrored(target.images), _mirrored(target.weights)
    images = images.contiguous(memory_format=networks.layout)
    scale = torch.from_numpy(np.array(target.scale))

    def loss_of(z: torch.Tensor) -> torch.Tensor:
        generated = networks.generate(z)
        loss = scale * (weights * (generated - images).abs()).sum((1, 2, 3))
        if prior_weight != 0.0:
            logits = networks.judge(generated)
            loss = loss - prior_weight * functional.softplus(logits)
        return loss

    def run(num_steps: int) -> np.ndarray:
        torch.set_num_threads(threads)
        z = torch.from_numpy(codes.copy()).requires_grad_()
        betas = (options.beta_1, options.beta_2)
        adam = torch.optim.Adam([z], options.learning_rate, betas)
        for _ in range(num_steps):
            (z.grad,) = torch.autograd.grad(loss_of(z).sum(), z)
            adam.step()
            with torch.no_grad():
                z.clamp_(-1.0, 1.0)
        with torch.no_grad():
            return loss_of(z).numpy()

    return run


def _networks(
    prior: GenerativePrior, dtype: torch.dtype, layout: torch.memory_format
) -> TorchNetworks:
    return TorchNetworks(
        *(_links(x, dtype, layout) for x in (prior.generator, prior.discriminator)),
        layout,
    )


def _links(
    network: keras.Model, dtype: torch.dtype, layout: torch.memory_format
) -> list[Link]:
    """Bring the weights of a network into PyTorch's order, and mirror them."""
    links = []
    for layer in network.layers:
        arrays = [ops.convert_to_numpy(v) for v in layer.weights]
        if isinstance(layer, layers.BatchNormalization):
            # PyTorch adds 1e-5 to the variance, as the house does.
            gamma, beta, mean, variance = map(torch.from_numpy, map(np.array, arrays))
            links[-1].norm = (mean, variance, gamma, beta)
        elif isinstance(layer, layers.Dense):
            if len(arrays) == 1:
                arrays.append(np.zeros(arrays[0].shape[1], np.float32))
            both = _dense(*arrays, axis=0 if links else 1)
            links.append(
                Link(*(x.to(getattr(torch, layer.compute_dtype)) for x in both))
            )
        elif arrays:
            kernel = arrays[0][::-1, ::-1].transpose(3, 2, 0, 1)
            kernel = torch.from_numpy(kernel.copy()).to(dtype)
            bias = [torch.from_numpy(x.copy()).to(dtype) for x in arrays[1:]]
            links.append(Link(kernel.contiguous(memory_format=layout), *bias))
    return links


def _dense(kernel: np.ndarray, bias: np.ndarray, axis: int) -> list[torch.Tensor]:
    """Mirror the side of a linear layer that is a 4x4 map: its input or its output."""

    def mirrored(array: np.ndarray) -> np.ndarray:
        maps = array.reshape(-1, SMALLEST_SIDE, SMALLEST_SIDE, array.shape[-1] // 16)
        return maps[:, ::-1, ::-1].reshape(array.shape)

    if axis == 0:
        kernel = mirrored(kernel.T).T
    else:
        kernel, bias = mirrored(kernel), mirrored(bias)
    return [torch.from_numpy(np.array(x.T)) for x in (kernel, bias)]


def _mirrored(array: np.ndarray) -> torch.Tensor:
    """Mirror `[B, H, W, C]` both ways, as `[B, C, H, W]`."""
    flipped = np.ascontiguousarray(np.asarray(array)[:, ::-1, ::-1])
    return torch.from_numpy(flipped).permute(0, 3, 1, 2)
