"""Every method behind one signature: a problem in, a result out."""

from semantic_inpaint.inpainters.classical import CLASSICAL, ClassicalInpainter
from semantic_inpaint.inpainters.encoded import EncoderInpainter
from semantic_inpaint.inpainters.registry import (
    METHODS,
    Inpainter,
    check_method,
    find_encoder,
    inpaint,
    make_inpainter,
    needs_prior,
)
from semantic_inpaint.inpainters.semantic import SemanticInpainter

__all__ = [
    "CLASSICAL",
    "METHODS",
    "ClassicalInpainter",
    "EncoderInpainter",
    "Inpainter",
    "SemanticInpainter",
    "check_method",
    "find_encoder",
    "inpaint",
    "make_inpainter",
    "needs_prior",
]
