"""What a verb may write over: an earlier table of its own, and nothing else."""

import stat
from collections.abc import Iterable, Sequence
from pathlib import Path

from aplt.errors import InputError
from aplt.storage import mode, naming

HEADER_BYTES = 10_000
"""Far more than the header of a table of ours has."""


def require_own(output: Path, columns: Sequence[str], inputs: Iterable[Path]) -> None:
    """Makes sure that writing a table destroys nothing but an earlier one that begins with these columns."""
    require_beginning(output, (",".join([*columns, ""]), ",".join(columns) + "\n"), inputs)


def require_beginning(output: Path, beginnings: tuple[str, ...], inputs: Iterable[Path]) -> None:
    """Makes sure that writing a file to `output` destroys nothing but an earlier one that begins in the same way.

    Raises:
        InputError: `output` is one of the inputs, or a file that begins otherwise.
    """
    found = mode(output)
    if not found:
        return
    if any(_same_file(path, output) for path in inputs):
        raise InputError(f"{output}: is one of the files to read; give another name with -o")
    start = ""
    if stat.S_ISREG(found):
        with naming(output), output.open("rb") as stream:
            start = stream.read(HEADER_BYTES).decode(errors="replace").replace("\r\n", "\n")
    if not start.startswith(beginnings):
        raise InputError(
            f"{output}: exists, and is nothing that this command may write over, such as an earlier table of its own; "
            "remove it or give another name with -o"
        )


def _same_file(path: Path, there: Path) -> bool:
    try:
        return path.samefile(there)
    except (OSError, ValueError):  # what cannot be reached is not the file that is there
        return False
