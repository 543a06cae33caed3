"""Every config of IConv takes its steps, and the default one learns."""

import dataclasses

import numpy as np
import pytest
from keras import ops

from semantic_inpaint.training.iconv import IConvTrainer
from semantic_inpaint.training.iconv_recipes import CONFIGS, ICONV_64
from semantic_inpaint.training.inpainting import InpaintingBatch
from tests.training.tiny_iconv import RATE, RECIPE, SIDE, drawn_batch
from tests.training.tiny_runs import as_arrays


@pytest.mark.slow
@pytest.mark.parametrize("name", [*CONFIGS, "gated", "paper"])
def test_every_config_takes_both_kinds_of_step(name):
    own = (
        "convolution",
        "generator_pose",
        "discriminator_pose",
        "residual",
        "constrain_output",
        "penalty",
    )
    config = CONFIGS.get(name, CONFIGS["E"])
    changed = {field: getattr(config, field) for field in own}
    twins = {"gated": {"convolution": "gated"}, "paper": {"variant": "paper"}}
    recipe = dataclasses.replace(RECIPE, **(changed | twins.get(name, {})))
    trainer = IConvTrainer(recipe)
    state = trainer.initial_state()
    for step in range(2):
        state, scalars = trainer.step(
            state, drawn_batch(recipe), step, learning_rate=RATE
        )
        assert all(np.isfinite(float(value)) for value in scalars.values())
    moved = [
        not np.array_equal(a, b)
        for a, b in zip(
            as_arrays(state)["generator"],
            as_arrays(trainer.initial_state())["generator"],
            strict=True,
        )
    ]
    assert np.mean(moved) > 0.9


@pytest.mark.slow
@pytest.mark.parametrize(
    ("base", "critic_rate"), [(CONFIGS["E"], 3e-3), (ICONV_64, 6e-3)]
)
def test_in_three_hundred_steps_the_hole_takes_the_colour_of_its_image(
    base, critic_rate
):
    # Images of one colour each: the known pixels say what is missing.
    recipe = dataclasses.replace(
        RECIPE,
        batch_size=16,
        num_images=16 * 300,
        model_size=8,
        num_landmarks=0,
        drift_weight=1e-3,
        average_halflife=200.0,
        penalty_interval=4,
        critic_gain=base.critic_gain,
        critic_lead=base.critic_lead,
        learning_rate=critic_rate,
    )
    trainer = IConvTrainer(recipe)
    state = trainer.initial_state()

    def colours(step, count=16):
        rng = np.random.default_rng([5, step])
        plain = rng.integers(60, 196, (count, 1, 1, 3))
        images = np.broadcast_to(plain, (count, SIDE, SIDE, 3)).astype(np.uint8)
        known = np.ones((count, SIDE, SIDE), bool)
        known[:, 2:6, 2:6] = False
        codes = rng.normal(size=(count, recipe.latent_dim)).astype(np.float32)
        return InpaintingBatch(images, known, codes, np.zeros((count, 0), np.float32))

    def error(state):
        batch = colours(10_000, 64)
        images = batch.images.astype(np.float32) / 127.5 - 1
        network = trainer.generator(state)
        found = ops.convert_to_numpy(network(trainer.inputs(images, batch.known, 0)))
        return float(np.sqrt(np.mean((found - images)[:, 2:6, 2:6] ** 2)))

    before = error(state)
    for step in range(recipe.num_steps):
        state, _ = trainer.step(
            state, colours(step), step, learning_rate=recipe.rate_at(step)
        )
    after = error(state)
    # The deviation of the colours themselves is .3: a constant would not do.
    assert after < 0.2 < before
