"""Hand a trained network to other programs: what `pipelines/export.py` runs."""

from __future__ import annotations

import dataclasses
import importlib.util
import json
import warnings
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
import tyro
from rich.console import Console

from semantic_inpaint.app.quiet import load_backend
from semantic_inpaint.app.refusal import refuse

if TYPE_CHECKING:
    import keras

    from semantic_inpaint.models.inpainting_networks import InpaintingNetwork

FORMATS = {"saved-model": ("tf_saved_model", ""), "onnx": ("onnx", ".onnx")}
SIDECAR = ".json"
# How far apart two runtimes may round, in [-1, 1].
TOLERANCE = 1e-3


@dataclasses.dataclass(frozen=True)
class ExportOptions:
    """Write a network as a SavedModel or as ONNX, and check what was written."""

    network: tyro.conf.Positional[str]
    """Folder of a network (train_inpainter.py), or the name of one that ships."""
    out: Path
    """Where to: a folder for a SavedModel, a file ending in .onnx for ONNX. Beside it a
    file .json says what the inputs and the output are."""
    format: Literal["saved-model", "onnx"] = "onnx"
    size: int | None = None
    """Side of the images; default: that of its training. Networks of one fixed size
    take no other."""
    batch: int | None = None
    """Images at once; default: any number."""


def main(argv: Sequence[str] | None = None) -> int:
    """Parse the words, export, and say what was written.

    Returns:
        0, or 2 after bad input, which is named in one line on stderr.
    """
    options = tyro.cli(
        ExportOptions,
        description="Hand a trained network to other programs.",
        args=None if argv is None else list(argv),
    )
    console = Console(soft_wrap=True, markup=False, highlight=False)
    try:
        difference = export(options)
    except (ValueError, TypeError, OSError, ImportError, ArithmeticError) as error:
        return refuse(error)
    console.print(f"written to {options.out}")
    if difference is not None:
        console.print(f"read back, it differs by at most {difference:.1e} of [-1, 1]")
    return 0


def export(options: ExportOptions) -> float | None:
    """Export a network by Keras' own exporters, and read back what was written.

    Returns:
        The largest difference between the network's pixels and those of the exported
        one, in [-1, 1]; None where nothing that reads the format is installed.

    Raises:
        ValueError: Bad input.
        ImportError: What writes the format is not installed.
        OSError: A file could not be written.
        ArithmeticError: The exported network gives other pixels.
    """
    _check(options)
    load_backend()
    from semantic_inpaint import backend

    if options.format == "onnx" and backend.name() != "tensorflow":
        raise ValueError(
            f"ONNX is written from TensorFlow, and {backend.name()} runs: set "
            "KERAS_BACKEND=tensorflow; the weights are the same."
        )
    from semantic_inpaint.models.inpainting_files import load_network

    network = load_network(options.network)
    side = options.size or network.image_size
    _check_side(network, side)
    signature = _signature(network.model, side, options.batch)
    options.out.parent.mkdir(parents=True, exist_ok=True)
    with warnings.catch_warnings():
        # Of the exporter's own code, which still reads for versions of NumPy long gone.
        warnings.simplefilter("ignore", FutureWarning)
        network.model.export(
            options.out,
            format=FORMATS[options.format][0],
            verbose=False,
            input_signature=[signature],
        )
    _save_sidecar(options, network, signature)
    difference = _difference(options, network, signature)
    if difference is not None and not difference <= TOLERANCE:
        raise ArithmeticError(
            f"{options.out} gives pixels that differ by {difference:.2g} of [-1, 1] "
            "from those of the network; do not use it."
        )
    return difference


def _check(options: ExportOptions) -> None:
    suffix = FORMATS[options.format][1]
    if options.out.suffix != suffix:
        raise ValueError(
            f"--out must be {'a file that ends in .onnx' if suffix else 'a folder'} "
            f"for --format {options.format}; got {options.out}."
        )
    if options.out.exists():
        raise ValueError(f"{options.out} exists already; name another place.")
    if options.batch is not None and options.batch < 1:
        raise ValueError(f"--batch must be 1 or more; got {options.batch}.")
    if options.format == "onnx" and not importlib.util.find_spec("tf2onnx"):
        raise ImportError(
            "ONNX is written by tf2onnx, which is not installed; install it with pip "
            "install tf2onnx onnxruntime, or use --format saved-model."
        )


def _check_side(network: InpaintingNetwork, side: int) -> None:
    wrong = side != network.image_size and not network.any_size
    if wrong or side < 1 or side % network.multiple:
        takes = f"{network.image_size}"
        if network.any_size:
            takes = f"multiples of {network.multiple}"
        raise ValueError(
            f"the network {network.kind!r} takes sides of {takes}; got --size {side}."
        )


def _signature(model: keras.Model, side: int, batch: int | None) -> list:
    import keras

    return [
        keras.InputSpec(
            shape=(batch, *(side if n is None else n for n in tensor.shape[1:])),
            dtype="float32",
            name=tensor.name,
        )
        for tensor in model.inputs
    ]


def _save_sidecar(
    options: ExportOptions, network: InpaintingNetwork, signature: list
) -> None:
    meaning = {
        "images": "RGB in [-1, 1]; what stands in the hole is not read",
        "known": "1 where a pixel is observed, 0 in the hole",
        "latent": "standard normal; zeros for the mean",
        "landmarks": "x and y of each point as shares of the side, from the upper left",
    }
    words: dict[str, Any] = {
        "network": network.kind,
        "sha256": network.sha256,
        "inputs": [
            {
                "name": spec.name,
                "shape": list(spec.shape),
                "meaning": meaning[spec.name],
            }
            for spec in signature
        ],
        "output": "RGB in [-1, 1], to be clipped there; put the known pixels back",
        "typical_landmarks": list(network.typical_landmarks),
        "licence": network.card.get("licence", ""),
    }
    path = options.out.with_name(options.out.name + SIDECAR)
    path.write_text(json.dumps(words, indent=2) + "\n", encoding="utf-8")


def _difference(
    options: ExportOptions, network: InpaintingNetwork, signature: list
) -> float | None:
    """Compare the exported network with the network itself on a made-up picture."""
    rng = np.random.default_rng(0)
    inputs = []
    for spec in signature:
        shape = (options.batch or 1, *spec.shape[1:])
        values = rng.uniform(-1.0, 1.0, shape).astype(np.float32)
        inputs.append(
            (values > 0).astype(np.float32) if spec.name == "known" else values
        )
    expected = np.asarray(network.model(inputs, training=False))
    read = _run_onnx if options.format == "onnx" else _run_saved_model
    found = read(options.out, inputs)
    return None if found is None else float(np.abs(found - expected).max())


def _run_onnx(path: Path, inputs: list[np.ndarray]) -> np.ndarray | None:
    if not importlib.util.find_spec("onnxruntime"):
        return None
    import onnxruntime

    session = onnxruntime.InferenceSession(path, providers=["CPUExecutionProvider"])
    names = [tensor.name for tensor in session.get_inputs()]
    return session.run(None, dict(zip(names, inputs, strict=True)))[0]


def _run_saved_model(path: Path, inputs: list[np.ndarray]) -> np.ndarray | None:
    import keras

    from semantic_inpaint import backend

    if backend.name() != "tensorflow":
        return None
    return np.asarray(keras.layers.TFSMLayer(path, call_endpoint="serve")(inputs))
