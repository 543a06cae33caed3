"""Semantic image inpainting with generative priors.

An `InpaintingProblem` (images and the pixels known of them) goes into an inpainter, an
`InpaintingResult` comes out. The names below load their module on first use, so that
`import semantic_inpaint` is quick and starts no deep-learning framework.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from semantic_inpaint.blending import poisson_blend
    from semantic_inpaint.images import load_images
    from semantic_inpaint.inpainters import inpaint, make_inpainter
    from semantic_inpaint.masks import make_known
    from semantic_inpaint.metrics import evaluate
    from semantic_inpaint.models.checkpoints import load_prior
    from semantic_inpaint.problem import InpaintingProblem, InpaintingResult

__version__ = "0.1.0"

__all__ = [
    "InpaintingProblem",
    "InpaintingResult",
    "__version__",
    "evaluate",
    "inpaint",
    "load_images",
    "load_prior",
    "make_inpainter",
    "make_known",
    "poisson_blend",
]

_MODULE_OF = {
    "InpaintingProblem": "semantic_inpaint.problem",
    "InpaintingResult": "semantic_inpaint.problem",
    "evaluate": "semantic_inpaint.metrics",
    "inpaint": "semantic_inpaint.inpainters",
    "load_images": "semantic_inpaint.images",
    "load_prior": "semantic_inpaint.models.checkpoints",
    "make_inpainter": "semantic_inpaint.inpainters",
    "make_known": "semantic_inpaint.masks",
    "poisson_blend": "semantic_inpaint.blending",
}


def __getattr__(name: str) -> Any:  # noqa: ANN401 - whatever the name stands for
    """Load a public name from its module on first use."""
    if name not in _MODULE_OF:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value = getattr(import_module(_MODULE_OF[name]), name)
    globals()[name] = value  # The next use is a plain look-up.
    return value


def __dir__() -> list[str]:
    """Name the lazy names as well, for completion."""
    return sorted({*globals(), *__all__})
