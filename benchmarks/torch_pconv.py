"""The U-Net of partial convolutions in PyTorch, for `benchmarks.inference`.

Two of it. "as published" counts what is valid as the authors' layer does where maps are
joined: a validity for every channel, convolved with ones. "lean" counts the windows of
one channel for each joined map, which is all that the network needs, and keeps nothing
else from the first: the better baseline.
"""

from __future__ import annotations

import itertools
import os
import time
from collections.abc import Callable

import keras
import numpy as np
import torch
from torch import nn
from torch.nn import functional

from semantic_inpaint.models.pconv_unet import LEAKINESS, UNetRow

LAYOUTS = {
    "channels last": torch.channels_last,
    "channels first": torch.contiguous_format,
}
FORMS = ("as published", "lean")


class PartialRow(nn.Module):
    """A partial convolution, its normalisation and its activation."""

    def __init__(self, row: UNetRow, channels: tuple[int, ...], lean: bool) -> None:
        """Build the layers for maps of so many channels, joined one after the other."""
        super().__init__()
        self.row, self.channels, self.lean = row, channels, lean
        self.conv = nn.Conv2d(
            sum(channels),
            row.filters,
            row.kernel_size,
            row.strides,
            row.kernel_size // 2,
            bias=not row.normalised,
        )
        self.norm = nn.BatchNorm2d(row.filters) if row.normalised else nn.Identity()
        counted = len(channels) if lean else sum(channels)
        ones = torch.ones(1, counted, row.kernel_size, row.kernel_size)
        if lean:
            ones *= torch.tensor(channels).view(1, -1, 1, 1)
        self.register_buffer("ones", ones)

    def forward(
        self, x: torch.Tensor, masks: list[torch.Tensor]
    ) -> tuple[torch.Tensor, torch.Tensor]:
        """Convolve `[B, C, H, W]` with one mask `[B, 1, H, W]` for each joined map."""
        row = self.row
        spread = [
            mask.expand(-1, count, -1, -1)
            for mask, count in zip(masks, self.channels, strict=True)
        ]
        full = torch.cat(spread, 1)
        counted = torch.cat(masks, 1) if self.lean else full
        total = functional.conv2d(
            counted, self.ones, stride=row.strides, padding=row.kernel_size // 2
        )
        size = sum(self.channels) * row.kernel_size**2
        mask = total.clamp(0, 1)
        x = functional.conv2d(
            x * full,
            self.conv.weight,
            stride=row.strides,
            padding=row.kernel_size // 2,
        )
        x = x * (size / (total + 1e-8) * mask)
        if self.conv.bias is not None:
            x = (x + self.conv.bias.view(1, -1, 1, 1)) * mask
        x = self.norm(x)
        if row.activation == "relu":
            x = functional.relu(x)
        elif row.activation == "leaky_relu":
            x = functional.leaky_relu(x, LEAKINESS)
        return x, mask


class UNet(nn.Module):
    """All rows of a plan."""

    def __init__(self, plan: list[UNetRow], lean: bool) -> None:
        """Build the rows."""
        super().__init__()
        made = [3]
        rows = []
        for row in plan:
            joined = (made[-1],) if row.skip is None else (made[-1], made[row.skip])
            rows.append(PartialRow(row, joined, lean))
            made.append(row.filters)
        self.rows = nn.ModuleList(rows)

    def forward(self, images: torch.Tensor, known: torch.Tensor) -> torch.Tensor:
        """Fill `[B, 3, H, W]` where `known` `[B, 1, H, W]` is 0."""
        results = [(images, known)]
        for module in self.rows:
            x, mask = results[-1]
            masks = [mask]
            if (skip := module.row.skip) is not None:
                other, other_mask = results[skip]
                x = functional.interpolate(x, scale_factor=2, mode="nearest")
                mask = functional.interpolate(mask, scale_factor=2, mode="nearest")
                x, masks = torch.cat([x, other], 1), [mask, other_mask]
            results.append(module(x, masks))
        return results[-1][0]


def torch_unets(
    model: keras.Model,
    plan: list[UNetRow],
    images: np.ndarray,
    known: np.ndarray,
    *,
    precision: str,
) -> dict[str, tuple[Callable[[], np.ndarray], str]]:
    """Prepare both forms, each with the threads and layout that are fastest here.

    Args:
        model: Of `build_pconv_unet`, whose weights are taken over.
        plan: Its rows.
        images: float32 `[B, H, W, 3]` in [-1, 1].
        known: float32 `[B, H, W, 1]`.
        precision: `"float32"` or `"bfloat16"`.

    Returns:
        By the name of the form, what fills the images as `[B, H, W, 3]`, and its
        settings in words.
    """
    found = {}
    threads = sorted({1, (os.cpu_count() + 1) // 2, os.cpu_count()})
    for form in FORMS:
        timed = []
        for layout, count in itertools.product(LAYOUTS, threads):
            fill = _filler(model, plan, images, known, form, layout, count, precision)
            fill()
            start = time.perf_counter()
            fill()
            timed.append((time.perf_counter() - start, f"{layout}, {count}", fill))
        _, words, fill = min(timed, key=lambda one: one[0])
        found[form] = fill, f"{words} threads"
    return found


def _filler(
    model: keras.Model,
    plan: list[UNetRow],
    images: np.ndarray,
    known: np.ndarray,
    form: str,
    layout: str,
    threads: int,
    precision: str,
) -> Callable[[], np.ndarray]:
    network = UNet(plan, lean=form == "lean")
    _take_weights(network, model)
    dtype, order = getattr(torch, precision), LAYOUTS[layout]
    network = network.eval().to(dtype=dtype, memory_format=order)
    inputs = [
        torch.from_numpy(x.transpose(0, 3, 1, 2)).to(dtype=dtype, memory_format=order)
        for x in (images, known)
    ]

    def fill() -> np.ndarray:
        torch.set_num_threads(threads)
        with torch.inference_mode():
            return network(*inputs).float().permute(0, 2, 3, 1).numpy()

    return fill


def _take_weights(network: UNet, model: keras.Model) -> None:
    """Bring the weights of Keras' layers into PyTorch's order."""
    with torch.no_grad():
        for number, row in enumerate(network.rows, 1):
            kernel, *bias = model.get_layer(f"pconv_{number}").get_weights()
            kernel = np.ascontiguousarray(kernel.transpose(3, 2, 0, 1))
            row.conv.weight.copy_(torch.from_numpy(kernel))
            if bias:
                row.conv.bias.copy_(torch.from_numpy(bias[0]))
            if row.row.normalised:
                norm = row.norm
                places = norm.weight, norm.bias, norm.running_mean, norm.running_var
                arrays = model.get_layer(f"norm_{number}").get_weights()
                for place, array in zip(places, arrays, strict=True):
                    place.copy_(torch.from_numpy(array))
