"""Every method behind one signature: a problem in, a result out."""

from semantic_inpaint.inpainters.registry import (
    METHODS,
    Inpainter,
    inpaint,
    make_inpainter,
)
from semantic_inpaint.inpainters.semantic import SemanticInpainter

__all__ = ["METHODS", "Inpainter", "SemanticInpainter", "inpaint", "make_inpainter"]
