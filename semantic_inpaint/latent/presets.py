"""The named choices of the search's constants: our own, and those of others."""

from __future__ import annotations

import difflib

from semantic_inpaint.latent.intermediate import IntermediateOptions
from semantic_inpaint.latent.inversion_options import InversionOptions
from semantic_inpaint.latent.options import SearchOptions
from semantic_inpaint.latent.published import MALESEVIC, PUBLISHED, YEH

__all__ = [
    "DEFAULT_PRESET",
    "FAST",
    "MALESEVIC",
    "PRESETS",
    "YEH",
    "InversionOptions",
    "get_preset",
]

FAST = InversionOptions(
    first=SearchOptions(
        num_steps=50, learning_rate=0.05, schedule="cosine", beta_1=0.9, beta_2=0.99
    ),
    second=IntermediateOptions(radius=0.3, num_steps=25, beta_1=0.9, beta_2=0.99),
    window_size=15,
    start="auto",
    anchor_weight=30.0,
    distance="rounded",
    start_scale=0.3,
    operator="gradient",
    prior_weight=0.0,
)
"""The default: the same losses with a larger and falling learning rate, a wider window,
codes that start near the average face, a refinement of the maps behind the code, the
gradient blend, and no prior loss, which at a summed content changes nothing but takes
its time (docs/decisions/0007). For a prior without an encoder, whose codes start far
from the image, 150 steps are better."""

PRESETS = {"fast": FAST, **PUBLISHED}
DEFAULT_PRESET = "fast"


def get_preset(name: str) -> InversionOptions:
    """Look up a preset by its name.

    Raises:
        ValueError: An unknown name; the message has the nearest right one.
    """
    if name in PRESETS:
        return PRESETS[name]
    near = difflib.get_close_matches(name, PRESETS, n=1)
    hint = f" Did you mean {near[0]!r}?" if near else ""
    raise ValueError(f"no preset {name!r}; there are {', '.join(PRESETS)}.{hint}")
