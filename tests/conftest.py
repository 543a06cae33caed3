"""Settings that must stand before any test module imports a framework."""

import atexit
import os
import shutil
import tempfile

# A person's own Keras settings (float type, backend, layout) must not change a test.
KERAS_HOME = tempfile.mkdtemp(prefix="semantic-inpaint-keras-")
os.environ["KERAS_HOME"] = KERAS_HOME
atexit.register(shutil.rmtree, KERAS_HOME, ignore_errors=True)
os.environ.setdefault("KERAS_BACKEND", "tensorflow")

# Only errors: the start-up notes of TensorFlow would hide a failing test's own output.
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")

# Figures are saved, never shown.
os.environ.setdefault("MPLBACKEND", "Agg")

import pytest  # noqa: E402 - the settings come first


@pytest.fixture(scope="session")
def tiny_prior_folder(tmp_path_factory):
    """A prior on disk with a few filters at 16x16, its weights drawn at random."""
    from semantic_inpaint.models.checkpoints import save_prior, variable_name
    from semantic_inpaint.models.prior import PriorArchitecture, build_networks

    architecture = PriorArchitecture(
        generator_width=8,
        discriminator_width=4,
        normalization="none",
        image_size=16,
        latent_dim=8,
    )
    # Larger than a training starts from, so that codes make a visible difference.
    variables = {
        variable_name(network, variable): 8.0 * variable.numpy()
        if variable.path.endswith("kernel") and network.name == "generator"
        else variable.numpy()
        for network in build_networks(architecture)
        for variable in network.variables
    }
    folder = tmp_path_factory.mktemp("tiny_prior")
    return save_prior(folder, architecture, variables, name="tiny", facts={})


@pytest.fixture(scope="session")
def tiny_prior(tiny_prior_folder):
    """The prior of `tiny_prior_folder`, loaded once, so that it is compiled once."""
    from semantic_inpaint.models.checkpoints import load_prior

    return load_prior(tiny_prior_folder)


@pytest.fixture(scope="session")
def tiny_encoder(tiny_prior):
    """An encoder of `tiny_prior`, its weights drawn at random."""
    from semantic_inpaint.models.encoder import LatentEncoder, build_encoder

    network = build_encoder(image_size=16, latent_dim=8, width=4, hidden=8, seed=1)
    return LatentEncoder(network, tiny_prior.sha256)


@pytest.fixture(scope="session")
def encoded_prior_folder(tmp_path_factory, tiny_prior_folder, tiny_encoder):
    """A copy of `tiny_prior_folder` with `tiny_encoder` beside it."""
    from semantic_inpaint.models.checkpoints import load_prior, variable_name
    from semantic_inpaint.models.encoder_files import EncoderArchitecture, save_encoder

    folder = tmp_path_factory.mktemp("encoded") / "prior"
    shutil.copytree(tiny_prior_folder, folder)
    network = tiny_encoder.network
    return save_encoder(
        folder,
        EncoderArchitecture(image_size=16, latent_dim=8, width=4, hidden=8),
        {variable_name(network, v): v.numpy() for v in network.variables},
        prior=load_prior(folder),
        facts={},
    )


@pytest.fixture(scope="session")
def tiny_networks():
    """Every feed-forward network at 16x16 with a few filters, drawn at random.

    Of IConv there is a twin, "iconv-free", that does not put the known pixels back.
    """
    from semantic_inpaint.models.inpainting_networks import (
        NETWORKS,
        build_network,
        describe_network,
    )

    sizes = {kind: {"image_size": 16, "width": 2} for kind in NETWORKS}
    sizes["iconv"] = {"image_size": 16, "model_size": 4, "latent_channels": 2}
    sizes["iconv-free"] = {**sizes["iconv"], "constrain_output": False}
    networks = {}
    for name, architecture in sizes.items():
        kind = name.removesuffix("-free")
        model = build_network(kind, architecture, seed=3)
        latent_dim = 16 * architecture.get("latent_channels", 0)
        card = {"network": kind, "architecture": architecture, "image_size": 16}
        networks[name] = describe_network(model, {**card, "latent_dim": latent_dim})
    return networks


@pytest.fixture(scope="session")
def tiny_network_folders(tiny_networks, tmp_path_factory):
    """The networks of `tiny_networks` on disk, in a folder each."""
    from semantic_inpaint.models.inpainting_files import save_network

    folder = tmp_path_factory.mktemp("networks")
    return {
        name: save_network(
            folder / name,
            network.model,
            kind=network.kind,
            architecture=network.card["architecture"],
            facts={"image_size": 16, "latent_dim": network.latent_dim},
        )
        for name, network in tiny_networks.items()
    }


@pytest.fixture(scope="session")
def landmark_network_folder(tmp_path_factory):
    """A tiny IConv on disk that takes two landmarks and no code."""
    from semantic_inpaint.models.inpainting_files import save_network
    from semantic_inpaint.models.inpainting_networks import build_network

    architecture = {
        "image_size": 16,
        "model_size": 4,
        "latent_channels": 0,
        "num_landmarks": 2,
    }
    return save_network(
        tmp_path_factory.mktemp("landmarks") / "iconv",
        build_network("iconv", architecture, seed=3),
        kind="iconv",
        architecture=architecture,
        facts={"image_size": 16, "num_landmarks": 2},
    )
