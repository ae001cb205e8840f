"""How good a model and its pseudo-labels are; the only place beside splits that reads hidden labels."""
