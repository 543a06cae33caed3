"""The words of `run`."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from semantic_inpaint.latent.presets import InversionOptions


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
    """semantic (search, blend), refined (and again on what was blended) or encoder (one
    pass of a network, for priors that have one); default: what the preset is for."""
    preset: str = "fast"
    """fast, malesevic (the paper to the letter: 1500 + 1500 steps) or yeh."""
    steps: int | None = None
    """Gradient steps of each stage; default: the preset's."""
    seed: int = 0
    """Of random masks and of the codes that the search starts from."""
    batch_size: int = 64
    """Images searched together."""
    prior: str = "slim"
    """Name of a shipped prior, or the folder of one."""
    blend: str | None = None
    """Differences kept by the blend: gradient, log or log-printed; default: the
    preset's."""
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
    out: Path | None = None
    """Folder for the results; must be new or empty. Default: a new one in outputs/."""
    device: str | None = None
    """cpu, gpu or gpu:N; default: a GPU where there is one."""

    def inversion(self) -> InversionOptions:
        """Resolve the options of the search.

        Raises:
            ValueError: An unknown preset, blend or solver, or a number out of range.
        """
        from semantic_inpaint.latent.presets import get_preset

        for field, least in (("seed", 0), ("batch_size", 1), ("limit", 1)):
            value = getattr(self, field)
            if value is not None and value < least:
                word = field.replace("_", "-")
                raise ValueError(f"--{word} must be {least} or more; got {value}.")
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
        return options if self.steps is None else options.with_steps(self.steps)
