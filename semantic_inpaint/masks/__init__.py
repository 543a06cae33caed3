"""Which pixels are known: published hole patterns, brush strokes, and mask files."""

from semantic_inpaint.masks.files import load_known, save_known
from semantic_inpaint.masks.freeform import (
    FREE_FORM_GROUPS,
    FreeFormGroup,
    brush_strokes,
    draw_free_form,
    make_free_form,
)
from semantic_inpaint.masks.holes import (
    center_hole,
    left_half,
    random_pixels,
    random_square,
    stripes,
)
from semantic_inpaint.masks.pack import (
    PackGroup,
    load_manifest,
    load_pack,
    write_pack,
)
from semantic_inpaint.masks.patterns import (
    PATTERNS,
    MaskPattern,
    consensus_weight_for,
    get_pattern,
    make_known,
)
from semantic_inpaint.masks.rectangles import two_rectangles
from semantic_inpaint.masks.spread import spread_pixels
from semantic_inpaint.masks.validation import validate_known

__all__ = [
    "FREE_FORM_GROUPS",
    "PATTERNS",
    "FreeFormGroup",
    "MaskPattern",
    "PackGroup",
    "brush_strokes",
    "center_hole",
    "consensus_weight_for",
    "draw_free_form",
    "get_pattern",
    "left_half",
    "load_known",
    "load_manifest",
    "load_pack",
    "make_free_form",
    "make_known",
    "random_pixels",
    "random_square",
    "save_known",
    "spread_pixels",
    "stripes",
    "two_rectangles",
    "validate_known",
    "write_pack",
]
