"""Views one at a time, where a test looks at one."""

from torch import Tensor

from aplt.data.views import Kind, Request, Views


def view_of(views: Views, position: int, kind: Kind, key: tuple[int, ...]) -> Tensor:
    """Returns one view [C, T, ...]."""
    made = views(kind, [Request(position, key)])
    return (made if isinstance(made, Tensor) else made.finished())[0]
