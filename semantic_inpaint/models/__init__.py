"""Keras networks, and how priors are kept."""
