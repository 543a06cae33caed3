"""How a prior is trained: recipes, steps, loop, state."""
