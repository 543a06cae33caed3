"""What tests of several trainings look at."""

import keras
import pytest

from semantic_inpaint.models.perceptual_features import build_pools
from semantic_inpaint.models.tensors import save_tensors


@pytest.fixture(scope="session")
def vgg16_file(tmp_path_factory):
    """Random weights of VGG16 in a file, as torchvision names them."""
    keras.utils.set_random_seed(0)
    convs = [la for la in build_pools().layers if isinstance(la, keras.layers.Conv2D)]
    arrays = {}
    for place, conv in zip((0, 2, 5, 7, 10, 12, 14), convs, strict=True):
        kernel, bias = conv.get_weights()
        arrays[f"features.{place}.weight"] = kernel.transpose(3, 2, 0, 1)
        arrays[f"features.{place}.bias"] = bias
    path = tmp_path_factory.mktemp("vgg") / "vgg16.safetensors"
    save_tensors(path, arrays, metadata={})
    return path
