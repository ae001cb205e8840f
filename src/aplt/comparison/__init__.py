"""Comparisons of methods: which cells there are, training them, and the tables that they leave."""
