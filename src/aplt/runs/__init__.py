"""The two phases in turn: recipes, the loop, its schedule and checkpoints."""
