"""Packed sets and a space of features for the commands that compare images."""

import json

import numpy as np

from semantic_inpaint.datasets.packed import (
    FORMAT_VERSION,
    IMAGES_FILE,
    MANIFEST_FILE,
    pixel_hash,
)


class Quarters:
    """Means of the four quarters of an image: a space of twelve numbers."""

    name = "quarters"

    def __call__(self, images):
        side = images.shape[1] // 2
        scale = 255.0 if images.dtype == np.uint8 else 1.0
        quarters = np.reshape(images / scale, (len(images), 2, side, 2, side, 3))
        return quarters.mean(axis=(2, 4)).reshape(len(images), -1)


def write_set(folder, images, partitions):
    """Write a packed set with given partitions."""
    folder.mkdir(parents=True)
    np.save(folder / IMAGES_FILE, images)
    manifest = {
        "format_version": FORMAT_VERSION,
        "complete": True,
        "count": len(images),
        "image_size": images.shape[1],
        "ids": [str(number) for number in range(len(images))],
        "partitions": partitions,
        "sha256": pixel_hash(images),
    }
    (folder / MANIFEST_FILE).write_text(json.dumps(manifest))
    return folder
