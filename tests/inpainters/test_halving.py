"""Out of memory: half the batch, said, and the same answers."""

import numpy as np
import pytest
from keras import ops

from semantic_inpaint import backend
from semantic_inpaint.inpainters import SemanticInpainter
from semantic_inpaint.inpainters.halving import HalvingInpainter
from semantic_inpaint.latent.course import SearchCourse
from semantic_inpaint.latent.presets import FAST
from semantic_inpaint.masks import make_known
from semantic_inpaint.problem import InpaintingProblem

pytestmark = [pytest.mark.both_backends, pytest.mark.slow_on_jax]

SHORT = FAST.with_steps(4)


@pytest.fixture(scope="module")
def exhausted():
    """What the backend raises when it is asked for a pebibyte: once, it tries long."""
    with pytest.raises(Exception) as caught:
        ops.convert_to_numpy(ops.zeros((2**48,), "float32"))
    return caught.value


class Greedy:
    """A method that needs more memory than there is for more than so many images."""

    num_steps = SHORT.num_steps()

    def __init__(self, method, most, error):
        self.method, self.most, self.error = method, most, error

    def inpaint(self, problem, *, seed=0, progress=None, watch=None):
        if len(problem) > self.most:
            progress("search", 3)
            # Memory runs out when it has been looked on at already.
            self.method.inpaint(problem, watch=watch)
            raise self.error
        return self.method.inpaint(problem, seed=seed, progress=progress, watch=watch)


@pytest.fixture
def problem():
    images = np.random.default_rng(0).random((7, 16, 16, 3), dtype=np.float32)
    return InpaintingProblem(images, make_known("center", 7, 16, 16))


def test_the_backends_say_when_memory_ran_out(exhausted):
    assert backend.is_out_of_memory(exhausted)
    assert backend.is_out_of_memory(MemoryError())
    assert not backend.is_out_of_memory(ValueError("out of memory"))


def test_the_batch_is_halved_until_it_fits_and_every_image_is_filled(
    tiny_prior, problem, exhausted
):
    said, steps = [], []
    search = SemanticInpainter(tiny_prior, SHORT)
    method = HalvingInpainter(lambda size: Greedy(search, 2, exhausted), 8, said.append)
    course = SearchCourse()
    result = method.inpaint(
        problem, seed=1, progress=lambda _, n: steps.append(n), watch=course
    )
    assert said == [
        "out of memory with 8 images at once; going on with 4",
        "out of memory with 4 images at once; going on with 2",
    ]
    assert method.batch_size == 2
    assert len(result.status) == 7
    # What was tried in vain is not told twice: the bar ends where it should.
    assert sum(steps) == method.num_steps
    # Each image's last codes are those of the search that succeeded.
    seen = [course.looks("search", image)[1][-1] for image in range(7)]
    assert np.abs(np.stack(seen)).max() <= 1.0
    assert len(course.curves("search")) == 7
    expected = search.inpaint(problem, seed=1)
    # Batches round differently.
    np.testing.assert_allclose(result.completed, expected.completed, atol=1 / 255)


def test_too_little_for_one_image_is_told_in_words(problem, exhausted):
    class Vain:
        num_steps = 1

        def inpaint(self, problem, **words):
            raise exhausted

    said = []
    method = HalvingInpainter(lambda size: Vain(), 8, said.append)
    with pytest.raises(RuntimeError, match="no memory for even one image"):
        method.inpaint(problem, progress=lambda _, n: None)
    assert len(said) == 3


def test_other_errors_pass(tiny_prior, problem):
    def make(size):
        raise ValueError("of another kind")

    with pytest.raises(ValueError, match="of another kind"):
        HalvingInpainter(make, 8, print).inpaint(problem)
