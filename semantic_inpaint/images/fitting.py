"""Images to a common square, and many images to one sheet."""

import numpy as np
from PIL import Image

from semantic_inpaint.masks.geometry import centred_box, describe_fitting

CROP_RULE = "178x218: centred 108x108; others: largest centred square; bicubic"


def fit_image(image: np.ndarray, size: int) -> tuple[np.ndarray, str]:
    """Fit an image to a square, by a centred crop and an antialiased resize.

    An image of 178 x 218 pixels (CelebA's aligned faces) is cropped to the centred 108
    x 108, as in the papers; any other to its largest centred square.

    Args:
        image: float `[H, W, 3]` in [0, 1].
        size: Side of the result.

    Returns:
        float32 `[size, size, 3]` in [0, 1], and what was done in a few words, empty
        where nothing was.

    Raises:
        TypeError: `image` is not floating point.
        ValueError: `image` is not `[H, W, 3]`, or `size` is not positive.
    """
    if not np.issubdtype(image.dtype, np.floating):
        raise TypeError(
            f"`image` must be float in [0, 1]; got {image.dtype}. "
            "Convert 8-bit values with `image.astype(np.float32) / 255`."
        )
    if image.ndim != 3 or image.shape[2] != 3 or not image.size:
        raise ValueError(
            f"`image` must have shape [H, W, 3]; got {image.shape}. "
            "Fit the images of a batch one by one."
        )
    if size < 1:
        raise ValueError(f"`size` must be at least 1; got {size}. Use 64, for example.")
    height, width = image.shape[:2]
    top, left, side = centred_box(height, width)
    square = np.asarray(image[top : top + side, left : left + side], np.float32)
    if side != size:
        square = _resize(square, size)
    return square, describe_fitting(height, width, size)


def tile_images(images: np.ndarray, *, columns: int | None = None) -> np.ndarray:
    """Lay images out on one sheet, row by row; what is left over stays black.

    Args:
        images: `[N, H, W, 3]`, of any dtype.
        columns: Images in a row; None: as many as make the sheet about square.

    Returns:
        `[rows * H, columns * W, 3]` of the same dtype.

    Raises:
        ValueError: `images` is empty or not `[N, H, W, 3]`, or `columns` is not
            positive.
    """
    if images.ndim != 4 or images.shape[3] != 3 or not len(images):
        raise ValueError(
            f"`images` must have shape [N, H, W, 3] with N >= 1; got {images.shape}. "
            "Add a leading axis to a single image."
        )
    count, height, width = images.shape[:3]
    if columns is None:
        columns = int(np.ceil(np.sqrt(count)))
    if columns < 1:
        raise ValueError(f"`columns` must be at least 1; got {columns}. Use 8, say.")
    rows = -(-count // columns)
    sheet = np.zeros((rows * columns, height, width, 3), images.dtype)
    sheet[:count] = images
    sheet = sheet.reshape(rows, columns, height, width, 3).swapaxes(1, 2)
    return sheet.reshape(rows * height, columns * width, 3)


def _resize(square: np.ndarray, size: int) -> np.ndarray:
    """Resize by Pillow's bicubic filter, which widens when it reduces.

    Channel by channel: Pillow has no RGB in floating point, and 8 bits would round
    twice. The filter overshoots at edges, hence the clip.
    """
    channels = [
        Image.fromarray(np.ascontiguousarray(square[..., channel])).resize(
            (size, size), Image.Resampling.BICUBIC
        )
        for channel in range(3)
    ]
    return np.clip(np.stack([np.asarray(c) for c in channels], axis=-1), 0.0, 1.0)
