"""One prior from several of the same run: the mean of their generators' weights.

Averages of weights over a long stretch of training (Izmailov et al. 2018) are smoother
than any moving average with a short memory: noise that each prior has for itself is
averaged away.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import keras
import numpy as np
from keras import ops

from semantic_inpaint import backend
from semantic_inpaint.images import save_image, tile_images
from semantic_inpaint.models.checkpoints import load_prior, save_prior, variable_name
from semantic_inpaint.models.prior import GenerativePrior, PriorArchitecture
from semantic_inpaint.training.export import SHEET_FILE

CALIBRATION_BATCHES = 100
CALIBRATION_BATCH = 64
SHEET_SEED = 0


def merge_priors(
    folders: Sequence[Path], weights: Sequence[float], out: Path, *, name: str
) -> Path:
    """Average the generators of several priors; the last gives all else.

    The statistics of batch normalisation belong to the weights, so they are not
    averaged but measured anew on random codes.

    Args:
        folders: Of priors with one architecture, in the order of their training.
        weights: Of each, positive; they are scaled to a sum of 1.
        out: Folder of the merged prior: weights, card and an uncurated sheet.
        name: Of the merged prior.

    Returns:
        `out`.

    Raises:
        ValueError: Not one weight for each folder, a weight that is not positive, or
            priors of several architectures.
    """
    if len(folders) != len(weights) or len(folders) < 2:
        raise ValueError(
            f"expected two or more priors and one weight for each; got {len(folders)} "
            f"and {len(weights)}."
        )
    if min(weights) <= 0:
        raise ValueError(f"weights must be positive; got {list(weights)}.")
    shares = np.asarray(weights, np.float64) / np.sum(weights)
    priors = [load_prior(folder, as_trained=True) for folder in folders]
    architectures = [prior.card["architecture"] for prior in priors]
    if any(architecture != architectures[0] for architecture in architectures):
        raise ValueError(
            "the priors differ in their architecture; merge those of one run."
        )
    last = priors[-1]
    for variables in zip(
        *(prior.generator.trainable_variables for prior in priors), strict=True
    ):
        values = [ops.convert_to_numpy(v) for v in variables]
        mean = sum(s * v for s, v in zip(shares, values, strict=True))
        variables[-1].assign(mean.astype(np.float32))
    calibrate_statistics(last)
    codes = last.codes_for(np.arange(64), seed=SHEET_SEED)
    save_image(out / SHEET_FILE, tile_images(last.generate(codes)))
    return save_prior(
        out,
        PriorArchitecture(**architectures[-1]),
        {
            variable_name(network, variable): ops.convert_to_numpy(variable)
            for network in (last.generator, last.discriminator)
            for variable in network.variables
        },
        name=name,
        facts=_facts(priors, shares),
    )


def calibrate_statistics(prior: GenerativePrior) -> None:
    """Set the generator's batch statistics to their means over many random batches."""
    generator = prior.generator
    momentum = _momentum(generator)
    zeros = [ops.zeros_like(v.value) for v in generator.non_trainable_variables]
    weights = [ops.copy(v.value) for v in generator.trainable_variables]

    def measure(codes: backend.Tensor) -> list:
        _, moved = generator.stateless_call(weights, zeros, codes, training=True)
        # From zero, one step of the moving average is (1 - momentum) of the batch's.
        return [value / (1.0 - momentum) for value in moved]

    compiled = backend.compile_function(measure)
    sums = [np.zeros(v.shape) for v in generator.non_trainable_variables]
    for batch in range(CALIBRATION_BATCHES):
        numbers = np.arange(CALIBRATION_BATCH) + batch * CALIBRATION_BATCH
        found = compiled(prior.codes_for(numbers, seed=SHEET_SEED, stream=1))
        sums = [s + ops.convert_to_numpy(f) for s, f in zip(sums, found, strict=True)]
    for variable, total in zip(generator.non_trainable_variables, sums, strict=True):
        variable.assign((total / CALIBRATION_BATCHES).astype(np.float32))


def _momentum(generator: keras.Model) -> float:
    layers = (
        layer
        for layer in generator.layers
        if isinstance(layer, keras.layers.BatchNormalization)
    )
    return next(layers).momentum


def _facts(priors: list[GenerativePrior], shares: np.ndarray) -> dict:
    """The last card's facts, and what was merged."""
    own = ("format", "name", "architecture", "weights", "figures")
    facts = {key: v for key, v in priors[-1].card.items() if key not in own}
    facts["generator"] = "weighted mean of moving averages"
    facts["merged_from"] = [
        {
            "images_seen": prior.card.get("images_seen"),
            "sha256": prior.sha256,
            "share": float(share),
        }
        for prior, share in zip(priors, shares, strict=True)
    ]
    return facts
