"""What is suggested for a name that nobody knows."""

from aplt.errors import suggest


def test_suggestions() -> None:
    assert suggest("rond", ["round", "step"]) == "; did you mean 'round'?"
    assert suggest("ROUND", ["round", "step"]) == suggest("ronud", ["round"]) == "; did you mean 'round'?"
    assert suggest("xyz", ["b", "a"]) == "; expected one of: a, b"
