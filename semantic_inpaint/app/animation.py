"""The search as it went, as a moving picture."""

from __future__ import annotations

import io
from pathlib import Path

import numpy as np
from PIL import Image

from semantic_inpaint.images import tile_images, to_uint8
from semantic_inpaint.inpainters.blended import generate_and_blend
from semantic_inpaint.latent.course import SearchCourse
from semantic_inpaint.models.prior import GenerativePrior
from semantic_inpaint.problem import InpaintingProblem

# Long enough to follow, short enough to send.
MOST_FRAMES = 60
FRAME_MILLISECONDS = 100
LAST_MILLISECONDS = 2000

# Fewer than the 256 that a GIF can name: one is left for "as before", which makes the
# file a quarter as large.
COLOURS = 192

# Shorter sides of pictures are doubled until they are this long.
LEAST_SIDE = 128

# Of the bar below the pictures, that grows with the steps; a colour for each stage.
BAR_HEIGHT = 6
BAR_COLOURS = ((70, 130, 200), (230, 140, 50), (90, 170, 90))
BAR_GROUND = (235, 235, 235)


def save_animation(
    path: Path,
    course: SearchCourse,
    problem: InpaintingProblem,
    *,
    prior: GenerativePrior,
    operator: str = "gradient",
) -> None:
    """Write a GIF: a row for each image, masked | generated | blended.

    The frames follow the steps of all stages; the bar below shows how far they are,
    in another colour for each stage. An image whose search ended early stands still.

    Args:
        path: GIF file to write.
        course: That looked on at the searches of these images, and perhaps of others
            after them.
        problem: The images to show.
        prior: The search was in.
        operator: Of the blend, see `poisson_blend`.

    Raises:
        ValueError: No search was seen.
    """
    if not course.stages:
        raise ValueError("there is no search to show; the method has none.")
    frames = []
    for stage_number, stage in enumerate(course.stages):
        looks = [course.looks(stage, image) for image in range(len(problem))]
        moments = np.unique(np.concatenate([steps for steps, _ in looks]))
        most = MOST_FRAMES // len(course.stages)
        chosen = np.linspace(0, len(moments) - 1, min(most, len(moments)))
        for moment in moments[chosen.round().astype(int)]:
            codes = np.stack(
                [of_image[steps <= moment][-1] for steps, of_image in looks]
            )
            pictures = _pictures(codes, problem, prior=prior, operator=operator)
            share = (stage_number + moment / max(1, moments[-1])) / len(course.stages)
            frames.append(_framed(pictures, share, stages=len(course.stages)))
    _save_gif(path, frames)


def _pictures(
    codes: np.ndarray,
    problem: InpaintingProblem,
    *,
    prior: GenerativePrior,
    operator: str,
) -> np.ndarray:
    """Lay the three pictures of each image side by side, uint8 `[H', W', 3]`."""
    generated, blended, _ = generate_and_blend(
        prior, codes, problem, operator=operator, solver="direct"
    )
    columns = np.stack([problem.images, generated, blended], axis=1)
    sheet = tile_images(columns.reshape(-1, *problem.images.shape[1:]), columns=3)
    scale = -(-LEAST_SIDE // problem.images.shape[1])
    return to_uint8(sheet).repeat(scale, axis=0).repeat(scale, axis=1)


def _framed(pictures: np.ndarray, share: float, *, stages: int) -> np.ndarray:
    """Draw the bar below, as long as the share of the steps that are done."""
    width = pictures.shape[1]
    bar = np.full((BAR_HEIGHT, width, 3), BAR_GROUND, np.uint8)
    done = round(share * width)
    for stage in range(stages):
        begin, end = (round(width * k / stages) for k in (stage, stage + 1))
        bar[:, begin : min(end, done)] = BAR_COLOURS[stage % len(BAR_COLOURS)]
    return np.concatenate([pictures, bar])


def _save_gif(path: Path, frames: list[np.ndarray]) -> None:
    """Write frames with one palette for all, so that nothing flickers."""
    few = [frames[round(k)] for k in np.linspace(0, len(frames) - 1, 4)]
    palette = Image.fromarray(np.concatenate(few)).quantize(COLOURS)
    first, *rest = (
        Image.fromarray(frame).quantize(palette=palette, dither=Image.Dither.NONE)
        for frame in frames
    )
    durations = [FRAME_MILLISECONDS] * len(frames)
    durations[-1] = LAST_MILLISECONDS
    buffer = io.BytesIO()
    first.save(
        buffer,
        format="GIF",
        save_all=True,
        append_images=rest,
        duration=durations,
        loop=0,
    )
    path.write_bytes(buffer.getvalue())
