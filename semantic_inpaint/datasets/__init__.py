"""Sets of images: where they come from, and how they are packed for training."""

from semantic_inpaint.datasets.celeba import (
    celeba_sources,
    is_celeba,
    official_partition,
    paper_split,
)
from semantic_inpaint.datasets.folder import ImageSource, folder_source
from semantic_inpaint.datasets.packed import PackedImages
from semantic_inpaint.datasets.packing import pack_images
from semantic_inpaint.datasets.samples import sample_faces, sample_names

__all__ = [
    "ImageSource",
    "PackedImages",
    "celeba_sources",
    "folder_source",
    "is_celeba",
    "official_partition",
    "pack_images",
    "paper_split",
    "sample_faces",
    "sample_names",
]
