"""A discriminator of two dense layers, differentiated by hand in float64."""

import keras
import numpy as np


def tanh_discriminator(image_size, *, units, seed):
    """Build D(x) = tanh(x A + a) b + c, with weights drawn at random."""
    rng = np.random.default_rng(seed)
    image = keras.Input((image_size, image_size, 3))
    hidden = keras.layers.Dense(units, activation="tanh")
    logit = keras.layers.Dense(1)
    network = keras.Model(image, logit(hidden(keras.layers.Flatten()(image))))
    for variable in network.trainable_variables:
        variable.assign(rng.normal(0.0, 0.2, variable.shape).astype(np.float32))
    return network


def mean_squared_slope(weights, images):
    """Mean over images of the squared norm of the gradient of D by the image."""
    first, offset, second, _ = weights
    flat = images.reshape(len(images), -1).astype(np.float64)
    hidden = np.tanh(flat @ first + offset)
    slopes = ((1 - hidden**2) * second[:, 0]) @ first.T
    return np.mean(np.sum(slopes**2, axis=1))
