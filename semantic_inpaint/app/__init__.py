"""What a person runs: commands, figures, TensorBoard."""
