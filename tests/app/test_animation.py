"""The search as a moving picture."""

import numpy as np
import pytest
from PIL import Image, ImageSequence

from semantic_inpaint.app.animation import BAR_HEIGHT, MOST_FRAMES, save_animation
from semantic_inpaint.inpainters.blended import generate_and_blend
from semantic_inpaint.latent.course import SearchCourse
from semantic_inpaint.latent.objective import Objective, semantic_target
from semantic_inpaint.masks import make_known
from semantic_inpaint.problem import InpaintingProblem

SIDE = 128  # 16 pixels, each eight times as wide and high.


@pytest.fixture
def animated(tiny_prior, tmp_path):
    """Show codes at given steps, stage after stage; gives frames and their times."""
    codes = tiny_prior.codes_for(np.arange(2), seed=1)
    # Bright tiles, as all that the tiny prior makes is nearly grey.
    tiles = np.random.default_rng(6).random((2, 4, 4, 3), dtype=np.float32)
    problem = InpaintingProblem(
        tiles.repeat(4, axis=1).repeat(4, axis=2), make_known("center", 2, 16, 16)
    )
    target = semantic_target(2 * problem.images - 1, np.ones((2, 16, 16), np.float32))

    def animated(stages, *, reach=(1.0, 1.0)):
        course = SearchCourse()
        for stage, steps in stages.items():
            watch = course(stage, Objective(tiny_prior), target)
            for step in steps:
                # Each image goes from its code to nought, as far as it gets.
                shares = np.minimum(step / steps[-1], reach)[:, None]
                seen = np.flatnonzero(step <= np.multiply(reach, steps[-1]))
                moved = ((1 - shares) * codes).astype(np.float32)
                watch(seen, np.full(len(seen), step), moved[seen])
        path = tmp_path / "search.gif"
        save_animation(path, course, problem, prior=tiny_prior)
        frames, durations = [], []
        with Image.open(path) as image:
            assert image.info["loop"] == 0  # for ever
            for frame in ImageSequence.Iterator(image):
                frames.append(np.array(frame.convert("RGB")))
                durations.append(frame.info["duration"])
        return frames, durations

    return animated, problem, codes


def pictures(frame):
    """Cut a frame into `[row, column, 16, 16, 3]`, in [0, 1]."""
    sheet = frame[:-BAR_HEIGHT].reshape(2, SIDE, 3, SIDE, 3).swapaxes(1, 2)
    return sheet[:, :, ::8, ::8] / 255.0


def test_a_frame_shows_masked_generated_and_blended_of_each_image(animated, tiny_prior):
    animate, problem, codes = animated
    frames, _ = animate({"search": [0, 10, 20]})
    assert len(frames) == 3
    assert frames[0].shape == (2 * SIDE + BAR_HEIGHT, 3 * SIDE, 3)
    first, last = pictures(frames[0]), pictures(frames[-1])
    for frame, shown in ((first, codes), (last, 0 * codes)):
        generated, blended, _ = generate_and_blend(
            tiny_prior, shown, problem, operator="gradient", solver="direct"
        )
        expected = np.stack([problem.images, generated, blended], axis=1)
        # The colours of all frames share one palette; a wrong picture is .2 off.
        assert np.abs(frame - expected).mean(axis=(2, 3, 4)).max() < 0.03


def test_the_bar_grows_with_the_steps_and_changes_colour_with_the_stage(animated):
    animate, *_ = animated
    frames, durations = animate({"search": [0, 10, 20], "refine": [0, 40]})
    bars = [frame[-BAR_HEIGHT // 2] for frame in frames]
    ground = bars[0][-1].astype(int)
    lengths = [int((np.abs(b - ground).sum(axis=-1) > 30).sum()) for b in bars]
    # A quarter for half of the first of two stages, and so on.
    assert lengths == [0, SIDE * 3 // 4, SIDE * 3 // 2, SIDE * 3 // 2, SIDE * 3]
    assert np.abs(bars[-1][0].astype(int) - bars[-1][-1]).sum() > 100
    assert durations[-1] > 5 * durations[0]


def test_an_image_that_ended_early_stands_still_while_others_go_on(animated):
    animate, *_ = animated
    frames, _ = animate({"search": list(range(0, 21, 5))}, reach=(1.0, 0.5))
    still = [pictures(frame)[1] for frame in frames]
    np.testing.assert_array_equal(still[2], still[4])
    assert not np.array_equal(still[0], still[2])
    assert not np.array_equal(pictures(frames[2])[0], pictures(frames[4])[0])


def test_a_long_search_is_shown_in_few_frames_from_start_to_end(animated):
    animate, *_ = animated
    frames, _ = animate({"search": range(500), "refine": range(500)})
    # Pillow joins frames that look the same to one that is shown for longer.
    assert MOST_FRAMES // 2 < len(frames) <= MOST_FRAMES
    ground = frames[0][-1, -1]
    assert np.abs(frames[-1][-1, -1].astype(int) - ground).sum() > 30


def test_without_a_search_there_is_nothing_to_show(tiny_prior, tmp_path, animated):
    _, problem, _ = animated
    with pytest.raises(ValueError, match="no search to show"):
        save_animation(
            tmp_path / "search.gif", SearchCourse(), problem, prior=tiny_prior
        )
