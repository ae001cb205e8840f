"""Whether the clips' files are where the index says."""

from collections.abc import Iterable
from pathlib import Path

from aplt.errors import InputError
from aplt.values import Clip


def require_files(clips: Iterable[Clip], source: Path) -> None:
    """Raises an InputError that names the first of the clips whose file is gone; `source` is where the index lies."""
    for clip in clips:
        if not clip.path.exists():
            where = f"clip '{clip.id}' ({clip.path}): no such file"
            raise InputError(f"{where}; if the clips have moved since {source} was made, make it anew with aplt index")
