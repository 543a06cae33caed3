"""GAN inversion: weights, objectives, schedules, the search."""
