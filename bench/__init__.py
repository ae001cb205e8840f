"""Benchmarks, mutation testing and fuzzing: run from the top of the repository."""
