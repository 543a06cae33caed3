"""Every method behind one signature: a problem in, a result out."""

from semantic_inpaint.inpainters.classical import CLASSICAL, ClassicalInpainter
from semantic_inpaint.inpainters.encoded import EncoderInpainter
from semantic_inpaint.inpainters.feedforward import FeedForwardInpainter
from semantic_inpaint.inpainters.registry import (
    FEED_FORWARD,
    METHODS,
    Inpainter,
    check_method,
    find_encoder,
    find_network,
    inpaint,
    make_inpainter,
    needs_prior,
)
from semantic_inpaint.inpainters.semantic import SemanticInpainter

__all__ = [
    "CLASSICAL",
    "FEED_FORWARD",
    "METHODS",
    "ClassicalInpainter",
    "EncoderInpainter",
    "FeedForwardInpainter",
    "Inpainter",
    "SemanticInpainter",
    "check_method",
    "find_encoder",
    "find_network",
    "inpaint",
    "make_inpainter",
    "needs_prior",
]
