"""Plain Python on lists of floats: what formulas are checked against. Nothing here is taken from aplt."""

import math
from collections.abc import Sequence

from torch import Tensor

Row = list[float]


def rows(prediction: tuple[Tensor, Tensor]) -> tuple[list[Row], list[Row]]:
    """Returns features and logits as lists."""
    feature, logits = prediction
    return feature.tolist(), logits.tolist()


def softmax(logits: Row) -> Row:
    powers = [math.exp(x - max(logits)) for x in logits]
    return [power / sum(powers) for power in powers]


def cross_entropy(target: int | Row, logits: Row) -> float:
    log = [math.log(p) for p in softmax(logits)]
    if isinstance(target, int):
        return -log[target]
    return -sum(t * x for t, x in zip(target, log, strict=True))


def argmax(values: Row) -> int:
    return max(range(len(values)), key=lambda k: values[k])


def sum_norm(values: Row) -> Row:
    return [value / sum(values) for value in values]


def unit(vector: Row) -> Row:
    length = math.sqrt(sum(x * x for x in vector))
    return [x / length for x in vector]


def dot(one: Row, other: Row) -> float:
    return sum(a * b for a, b in zip(one, other, strict=True))


def mean(values: Sequence[float]) -> float:
    return sum(values) / len(values)


def mean_row(table: list[Row]) -> Row:
    return [mean(column) for column in zip(*table, strict=True)]


def follow(old: Row, new: Row, momentum: float) -> Row:
    """Returns the running mean after it has seen `new`."""
    return [momentum * a + (1 - momentum) * b for a, b in zip(old, new, strict=True)]
