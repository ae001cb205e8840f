"""A method as one value: its online half, its settings and, where it has one, its offline half."""

from dataclasses import dataclass, field
from typing import Any, Literal

from aplt.tensors import AlgorithmType, FitHead, OfflineType


@dataclass(frozen=True)
class Method:
    """A method of semi-supervised learning, whole; one file holds it.

    All methods share the losses of the labeled clips (weak and strong view), the teacher, the budget and the
    evaluation; a method is what it does with the unlabeled ones.
    """

    summary: str
    """One line for `aplt recipes`."""
    source: str
    """Where it was published."""
    algorithm: AlgorithmType | None = None
    """The online half; None: the labeled clips alone are learned from."""
    view: Literal["weak", "strong"] = "strong"
    """The view of the unlabeled clips that passes the student with gradient in each step."""
    every_step: bool = False
    """Whether the algorithm is called in steps without unlabeled clips, too, as those of warm-up rounds are."""
    offline: OfflineType | None = None
    """The offline half; None: there is no guidance."""
    fit_head: FitHead | None = None
    """Fits the final classifier, where it is not the trained one."""
    settings: dict[str, Any] = field(default_factory=dict)
    """Laid over the defaults of a run's config, under what the user sets."""
