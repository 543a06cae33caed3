"""Where a benchmark keeps pictures of its answers."""

from __future__ import annotations

import re
from pathlib import Path

PICTURES = "pictures"
ORIGINAL = "original"
MASKED = "masked"


def picture_path(
    folder: Path, mask_name: str, image: str, stage: str, *, method: str | None = None
) -> Path:
    """Name the file of one picture.

    Args:
        folder: Of the benchmark.
        mask_name: Pattern, group or folder of the holes.
        image: Its name.
        stage: Of the method; or `"original"` or `"masked"`, of no method.
        method: That made it; None for those two.

    Returns:
        `folder/pictures/<mask>/<image>-<method>-<stage>.png`; what not every file
        name can hold is replaced by `_`.
    """
    words = [image, stage] if method is None else [image, method, stage]
    name = "-".join(map(file_word, words))
    return folder / PICTURES / file_word(mask_name) / f"{name}.png"


def file_word(word: str) -> str:
    """Replace in a name what not every file name can hold."""
    return re.sub(r"[^\w.+-]", "_", word).lstrip(".") or "_"
