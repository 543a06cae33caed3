"""The skip connection of Hukkelås et al. (2020), number by number, in float64."""

import numpy as np


def merge(skip, skip_certainty, deep, deep_certainty, *, beta_1, beta_2):
    """Return merged features and certainty, and gamma (eq. 6 and 7)."""
    features = np.empty(skip.shape)
    certainty, gamma = (np.empty(skip_certainty.shape) for _ in range(2))
    for place in np.ndindex(skip.shape[:3]):
        shallow, below = skip_certainty[place][0], deep_certainty[place][0]
        share = shallow * beta_1 / (shallow * beta_1 + below * beta_2)
        gamma[place] = share
        certainty[place] = share * shallow + (1 - share) * below
        for channel in range(skip.shape[-1]):
            values = skip[place][channel], deep[place][channel]
            features[place][channel] = share * values[0] + (1 - share) * values[1]
    return features, certainty, gamma
