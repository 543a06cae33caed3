import numpy as np
import pytest
from keras import ops

from semantic_inpaint.latent import draws

pytestmark = pytest.mark.both_backends

# Known answers of Threefry-2x32 with 20 rounds, as its authors publish them:
# counter, key, result.
KNOWN = [
    ((0, 0), (0, 0), (0x6B200159, 0x99BA4EFE)),
    ((0xFFFFFFFF,) * 2, (0xFFFFFFFF,) * 2, (0x1CB996FC, 0xBB002BE7)),
    (
        (0x243F6A88, 0x85A308D3),
        (0x13198A2E, 0x03707344),
        (0xC4923A9C, 0x483DF7A0),
    ),
]


@pytest.mark.parametrize(("counter", "key", "expected"), KNOWN)
def test_the_cipher_gives_its_authors_answers(counter, key, expected):
    first, second = (np.array([[word]], np.uint32) for word in counter)
    keys = ops.convert_to_tensor(np.array([key], np.uint32))
    found = draws.threefry(
        keys, ops.convert_to_tensor(first), ops.convert_to_tensor(second)
    )
    assert tuple(int(ops.convert_to_numpy(x)[0, 0]) for x in found) == expected


def test_draws_depend_on_seed_image_step_and_stream_alone():
    def draw(indices, seed=1, step=5, stream=0):
        keys = draws.keys_for(np.array(indices), seed=seed)
        steps = np.full(len(indices), step, np.int32)
        return ops.convert_to_numpy(
            draws.uniform(ops.convert_to_tensor(keys), steps, 6, stream=stream)
        )

    several = draw([3, 8, 3])
    np.testing.assert_array_equal(several[0], several[2])
    np.testing.assert_array_equal(several[1:2], draw([8]))
    for other in (draw([9]), draw([8], seed=2), draw([8], step=6), draw([8], stream=1)):
        assert not np.any(several[1] == other)


def test_draws_have_the_moments_of_their_distributions():
    keys = ops.convert_to_tensor(draws.keys_for(np.arange(200), seed=7))
    steps = np.zeros(200, np.int32)
    share = ops.convert_to_numpy(draws.uniform(keys, steps, 100, stream=0))
    assert 0 < share.min() < 0.001
    assert 0.999 < share.max() < 1
    # 20,000 numbers: five standard errors of each moment.
    assert abs(share.mean() - 1 / 2) < 5 * (1 / 12) ** 0.5 / 20000**0.5
    gauss = ops.convert_to_numpy(draws.normal(keys, steps, 100, stream=1))
    assert abs(gauss.mean()) < 5 / 20000**0.5
    assert abs(gauss.var() - 1) < 5 * (2 / 20000) ** 0.5
    assert abs((gauss**4).mean() - 3) < 5 * (96 / 20000) ** 0.5


def test_a_negative_seed_is_named():
    with pytest.raises(ValueError, match="`seed` must be 0 or more; got -1"):
        draws.keys_for(np.arange(2), seed=-1)
