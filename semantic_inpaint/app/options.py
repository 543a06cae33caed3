"""The words of `run`."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import tyro

from semantic_inpaint.app.search_words import SearchWords

if TYPE_CHECKING:
    from semantic_inpaint.latent.presets import InversionOptions

WAYS = ("langevin", "restarts")
# Words of networks without a prior, and those that mean something to every method; all
# others belong to a search.
OF_NETWORKS = ("network", "size", "whole", "landmarks")
OF_ALL = (
    "images",
    "mask",
    "method",
    "seed",
    "batch_size",
    "blend",
    "solver",
    "limit",
    "partition",
    "out",
    "device",
    "num_samples",
)


@dataclasses.dataclass(frozen=True)
class RunOptions:
    """Fill the holes of images and show every stage."""

    images: tuple[Path, ...] = ()
    """Image files, folders, zip files or packed sets. Default: the face of the
    astronaut that scikit-image ships, and sample faces of people who do not exist."""
    mask: str = "center"
    """random-square, big-random-square, stripes, left, center, random, all, or an image
    file (white = missing)."""
    method: str | None = None
    """semantic (search, blend), refined (and again on what was blended), plain (as many
    steps, without that) or encoder (one pass of a network, for priors that have one);
    or one pass of a network without a prior: pconv, conv, iconv, pconv-gan, gated;
    default: what the preset, or the network named, is for."""
    preset: str = "fast"
    """fast; the papers to the letter: malesevic (1500 + 1500 steps), yeh; or what a
    public code does: moodoki, moodoki-extensions, chengbinjin, bamos, krntneja,
    fonfonx."""
    steps: int | None = None
    """Gradient steps of each stage; default: the preset's."""
    seed: int = 0
    """Of random masks and of the codes that the search starts from."""
    batch_size: int = 64
    """Images searched together."""
    prior: str = "slim"
    """Name of a shipped prior, or the folder of one."""
    network: Path | None = None
    """Folder of a network without a prior (train_inpainter.py); default: the one that
    ships for the method."""
    size: int | None = None
    """Side that images are fitted to, for networks without a prior; default: that of
    their training."""
    whole: bool = False
    """For networks without a prior: fill images in their own sizes, neither cropped
    nor resized. A mask file then has the size of its image, or --mask is a folder with
    a mask of each image's name."""
    landmarks: Path | None = None
    """For networks trained with them: landmarks of a packed set, CelebA's list or an
    .npy of a row for each image; default: where they lie on average."""
    blend: str | None = None
    """Differences kept by the blend: gradient, log or log-printed; or paste, no blend;
    default: the preset's, and no blend for a network without a prior."""
    solver: str = "direct"
    """Of the blend: direct, or cvxpy (the paper's way, the same to 1e-6)."""
    reduction: str | None = None
    """Scale of the content loss: sum, mean or normalized; default: the preset's."""
    window_size: int | None = None
    """Side of the window of the importance weights, odd; default: the preset's."""
    start: str | None = None
    """Where the search begins: random, encoder (at the codes that the prior's encoder
    finds, and held near them) or auto (there if it has one); default: the preset's."""
    restart: bool = False
    """Begin the refinement at fresh codes rather than at those of the first stage."""
    limit: int | None = None
    """Use the first so many images only; default: all that are named, or else the
    astronaut and 7 samples."""
    partition: int | None = None
    """Of a packed set, use this partition only (CelebA: 0 training, 1 validation,
    2 test)."""
    animate: bool = False
    """Also write search.gif: for the first 8 images what is masked, G(z) and its blend,
    as the search goes on."""
    diagnose: bool = False
    """Search what fits poorly once more, to tell a bad basin from a picture that the
    prior cannot make."""
    out: Path | None = None
    """Folder for the results; must be new or empty. Default: a new one in outputs/."""
    device: str | None = None
    """cpu, gpu, gpu:N, several with commas between them, or all, which share the
    images; default: a GPU where there is one."""
    num_samples: int = 1
    """From 2: also so many different answers for each image, and where they differ; by
    a search, or by iconv."""
    way: str = "langevin"
    """Of these answers: langevin (chains round the one answer) or restarts (searches
    from other codes)."""
    search: Annotated[SearchWords, tyro.conf.arg(name="")] = dataclasses.field(
        default_factory=SearchWords
    )

    def inversion(self) -> InversionOptions:
        """Resolve the options of the search.

        Raises:
            ValueError: An unknown preset, blend or solver, a number out of range, or
                the animation of a search where there is none.
        """
        from semantic_inpaint.latent.presets import get_preset

        least_values = {"seed": 0, "batch_size": 1, "limit": 1, "num_samples": 1}
        least_values["size"] = 16
        for field, least in least_values.items():
            value = getattr(self, field)
            if value is not None and value < least:
                word = field.replace("_", "-")
                raise ValueError(f"--{word} must be {least} or more; got {value}.")
        self._check_together()
        named = {
            "operator": self.blend,
            "reduction": self.reduction,
            "window_size": self.window_size,
            "start": self.start,
            "restart": self.restart or None,
            # Random codes are nothing to stay near.
            "anchor_weight": 0.0 if self.start == "random" else None,
        }
        options = dataclasses.replace(
            get_preset(self.preset),
            batch_size=self.batch_size,
            solver=self.solver,
            **{field: value for field, value in named.items() if value is not None},
        )
        if self.steps is not None:
            options = options.with_steps(self.steps)
        return self.search.added_to(options)

    def devices(self) -> tuple[str, ...]:
        """Return the devices to use, as `backend.device_scope` takes them.

        None named: those that the backend would choose itself, as an empty tuple.
        """
        from semantic_inpaint import backend

        if self.device is None:
            return ()
        if self.device != "all":
            return tuple(word.strip() for word in self.device.split(","))
        names = backend.device_names()
        gpus = [name for name in names if name.startswith("gpu")]
        return tuple(gpus or names)

    def _check_together(self) -> None:
        """Refuse words that contradict each other."""
        from semantic_inpaint.inpainters.classical import CLASSICAL

        if self.method in CLASSICAL:
            raise ValueError(
                f"--method {self.method} draws on no prior, and this command shows "
                "what one finds; see the command benchmark."
            )
        self._check_network()
        for word, given in (
            ("--animate", self.animate),
            ("--num-samples", self.num_samples > 1),
        ):
            if given and self.method == "encoder":
                raise ValueError(
                    f"{word} needs a search, and --method encoder has none; leave one "
                    "of them out."
                )
        if self.animate and self.search.restarts > 1:
            raise ValueError(
                "--animate shows one search of each image, and --restarts "
                f"{self.search.restarts} makes several; leave one of them out."
            )
        if self.animate and "," in (self.device or ""):
            raise ValueError(
                "--animate looks on at one device; name one by --device, or leave it "
                "out."
            )
        if self.way not in WAYS:
            raise ValueError(
                f"--way must be one of {', '.join(WAYS)}; got {self.way!r}."
            )

    def _check_network(self) -> None:
        """Refuse words of a search beside a network without one, and the reverse."""
        from semantic_inpaint.inpainters.registry import FEED_FORWARD

        without = self.method in FEED_FORWARD or (
            self.method is None and self.network is not None
        )
        if not without:
            if given := _changed(self, OF_NETWORKS):
                raise ValueError(
                    f"{given[0]} is for networks without a prior; add --method "
                    f"with one of {', '.join(FEED_FORWARD)}, or leave it out."
                )
            return
        others = (*OF_NETWORKS, *OF_ALL, "search")
        names = [f.name for f in dataclasses.fields(self) if f.name not in others]
        if given := _changed(self, names) + _changed(self.search):
            method = "--network" if self.method is None else f"--method {self.method}"
            raise ValueError(
                f"{given[0]} belongs to a search, and {method} is one pass of a "
                "network, without one; leave one of them out."
            )
        if self.whole and self.size is not None:
            raise ValueError(
                "--whole leaves images in their own sizes, and --size fits them; leave "
                "one of them out."
            )
        if self.whole and not self.images:
            raise ValueError("--whole needs images; name some by --images.")


def _changed(
    options: RunOptions | SearchWords, names: Sequence[str] | None = None
) -> list[str]:
    """Return the words, of all or of some fields, that have not their default."""
    default = type(options)()
    if names is None:
        names = [field.name for field in dataclasses.fields(options)]
    return [
        f"--{name.replace('_', '-')}"
        for name in names
        if getattr(options, name) != getattr(default, name)
    ]
