"""Supervised-only: what the labeled clips give without the unlabeled ones, L = H(y, weak) + H(y, strong)."""

from aplt.methods.method import Method

SUPERVISED = Method("the labeled clips alone", "-")
