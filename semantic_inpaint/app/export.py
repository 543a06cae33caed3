"""Hand a trained network to other programs: what `pipelines/export.py` runs."""

from __future__ import annotations

import dataclasses
import importlib.util
import json
import tempfile
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
# How far the pixels of two runtimes may lie apart, in [-1, 1].
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

    All is written into a hidden folder beside `out` and gets its name only after it was
    checked. What a killed process leaves is that folder, which stands in nothing's way.

    Returns:
        The largest difference between the pixels that `InpaintingNetwork.generate`
        makes and those of the exported network, in [-1, 1]; None where nothing that
        reads the format is installed.

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
    side = network.image_size if options.size is None else options.size
    _check_side(network, side)
    signature = _signature(network.model, side, options.batch)
    out = options.out
    out.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix=f".{out.name}-", dir=out.parent) as folder:
        written = Path(folder) / out.name
        _write(written, options, network, signature)
        difference = _difference(written, options, network, signature)
        if difference is not None and not difference <= TOLERANCE:
            raise ArithmeticError(
                f"read back, the network gives pixels that differ by {difference:.2g} "
                f"of [-1, 1] from its own, and {out} was not written. Check that its "
                "own pixels are finite (run.py), or use another --format."
            )
        _sidecar(written).rename(_sidecar(out))
        written.rename(out)
    return difference


def _write(
    path: Path, options: ExportOptions, network: InpaintingNetwork, signature: list
) -> None:
    with warnings.catch_warnings():
        # Of the exporter's own code, which still reads for versions of NumPy long gone.
        warnings.simplefilter("ignore", FutureWarning)
        network.model.export(
            path,
            format=FORMATS[options.format][0],
            verbose=False,
            input_signature=[signature],
        )
    words = json.dumps(_meaning(network, signature), indent=2)
    _sidecar(path).write_text(words + "\n", encoding="utf-8")


def _sidecar(path: Path) -> Path:
    return path.parent / f"{path.name}{SIDECAR}"


def _check(options: ExportOptions) -> None:
    suffix = FORMATS[options.format][1]
    if options.out.suffix != suffix:
        raise ValueError(
            f"--out must be {'a file that ends in .onnx' if suffix else 'a folder'} "
            f"for --format {options.format}; got {options.out}."
        )
    for path in (options.out, _sidecar(options.out)):
        if path.exists():
            raise ValueError(f"{path} exists already; name another place.")
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


def _meaning(network: InpaintingNetwork, signature: list) -> dict[str, Any]:
    meaning = {
        "images": "RGB in [-1, 1]; what stands in the hole is not read",
        "known": "1 where a pixel is observed, 0 in the hole",
        "latent": "standard normal; zeros for the mean",
        "landmarks": "x and y of each point as shares of the side, from the upper left",
    }
    return {
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


def _difference(
    path: Path, options: ExportOptions, network: InpaintingNetwork, signature: list
) -> float | None:
    """Compare what was written with what `generate` makes of a made-up picture.

    `generate` may use a faster form of the network, so that this compares more than two
    runtimes; and it is given nothing of the hole, so that this holds the exported
    network to not reading it.
    """
    from semantic_inpaint.images import from_network, to_network

    rng = np.random.default_rng(0)
    shapes = {s.name: (options.batch or 1, *s.shape[1:]) for s in signature}
    images = rng.random(shapes["images"], dtype=np.float32)
    known = rng.random(shapes["known"]) < 0.5
    inputs = {"images": to_network(images), "known": known.astype(np.float32)}
    if "latent" in shapes:
        inputs["latent"] = rng.standard_normal(shapes["latent"], np.float32)
    if "landmarks" in shapes:
        inputs["landmarks"] = rng.random(shapes["landmarks"], np.float32)
    read = _run_onnx if options.format == "onnx" else _run_saved_model
    found = read(path, [inputs[spec.name] for spec in signature])
    if found is None:
        return None
    expected = network.generate(
        images,
        known[..., 0],
        codes=inputs.get("latent"),
        landmarks=inputs.get("landmarks"),
    )
    # Cut off to the range, what is infinite would pass for white or black.
    found = from_network(np.where(np.isfinite(found), found, np.float32(np.nan)))
    return 2.0 * float(np.abs(found - expected).max())


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
