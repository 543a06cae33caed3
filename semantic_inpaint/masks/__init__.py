"""Which pixels are known: the six published hole patterns and mask files."""

from semantic_inpaint.masks.files import load_known, save_known
from semantic_inpaint.masks.holes import (
    center_hole,
    left_half,
    random_pixels,
    random_square,
    stripes,
)
from semantic_inpaint.masks.patterns import (
    PATTERNS,
    MaskPattern,
    consensus_weight_for,
    get_pattern,
    make_known,
)
from semantic_inpaint.masks.validation import validate_known

__all__ = [
    "PATTERNS",
    "MaskPattern",
    "center_hole",
    "consensus_weight_for",
    "get_pattern",
    "left_half",
    "load_known",
    "make_known",
    "random_pixels",
    "random_square",
    "save_known",
    "stripes",
    "validate_known",
]
