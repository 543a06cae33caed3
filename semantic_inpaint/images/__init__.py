"""Images: load, save, crop, fit, and the only place where pixel ranges change.

Outside the networks an image is float32 `[H, W, 3]` in [0, 1]; networks see [-1, 1];
files hold 0 to 255.
"""

from semantic_inpaint.images.containers import (
    IMAGE_SUFFIXES,
    is_container,
    list_images,
    open_container,
)
from semantic_inpaint.images.decoding import ImageError, load_image
from semantic_inpaint.images.files import load_images, load_whole_images, save_image
from semantic_inpaint.images.fitting import CROP_RULE, fit_image, tile_images
from semantic_inpaint.images.ranges import from_network, to_network, to_uint8

__all__ = [
    "CROP_RULE",
    "IMAGE_SUFFIXES",
    "ImageError",
    "fit_image",
    "from_network",
    "is_container",
    "list_images",
    "load_image",
    "load_images",
    "load_whole_images",
    "open_container",
    "save_image",
    "tile_images",
    "to_network",
    "to_uint8",
]
