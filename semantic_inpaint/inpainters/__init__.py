"""Every method behind one signature: a problem in, a result out."""

from semantic_inpaint.inpainters.encoded import EncoderInpainter
from semantic_inpaint.inpainters.registry import (
    METHODS,
    Inpainter,
    find_encoder,
    inpaint,
    make_inpainter,
)
from semantic_inpaint.inpainters.semantic import SemanticInpainter

__all__ = [
    "METHODS",
    "EncoderInpainter",
    "Inpainter",
    "SemanticInpainter",
    "find_encoder",
    "inpaint",
    "make_inpainter",
]
