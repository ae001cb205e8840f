"""The online half of every method: one file each, equations in its docstring, no data, no training, no settings."""
