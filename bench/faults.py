"""Does work on a disk that fails (EIO) and by a clock that jumps, and lets it go on afterwards.

    python -m bench.faults --faults 60 -o build/faults
    python -m bench.faults train --kinds write clock --faults 20 --seed 1 -o build/faults

At a random moment every write, read or sync below the folder of the work fails, or the clock begins to jump by a day
forth and back. The work must end well or with an error that names a file; then, undisturbed, it must go on to the very
files that nobody disturbed. OUT/ keeps the folders that differ. Needs Linux and a C compiler.
"""

import ctypes
import multiprocessing
import os
import random
import shutil
import subprocess
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path

from aplt.display import show_nothing
from aplt.errors import InputError
from bench.kills import WORK, Work, arguments, undisturbed

KINDS = {"write": "w", "read": "r", "sync": "s", "clock": "c"}
MOST = {"write": 400, "read": 60, "sync": 60, "clock": 400}
"""Calls of a kind after which it begins, at most: about as many as a piece of work has."""
ENDED, FELL, NAMED = 0, 1, 2


def disturbed(work: Work, home: Path, folder: Path, kind: str, after: int) -> int:
    """Returns how the work ends whose calls of a kind fail after so many."""

    def do() -> None:
        os.dup2(os.open(folder.parent / "said.txt", os.O_WRONLY | os.O_CREAT | os.O_APPEND), 2)
        show_nothing()
        where = str(home if kind == "read" and after % 2 else folder)
        ctypes.CDLL(None).fault_arm(ctypes.c_char(KINDS[kind].encode()), where.encode(), ctypes.c_long(after))
        try:
            work.go_on(home, folder)
        except (InputError, OSError) as error:
            print(type(error).__name__, error, file=sys.stderr)
            named = isinstance(error, InputError) or error.filename is not None
            os._exit(NAMED if named and str(folder.parent.parent) in str(error) else FELL)
        # Any other error ends the process with status 1.

    process = multiprocessing.get_context("fork").Process(target=do)
    process.start()
    process.join()
    return process.exitcode if process.exitcode is not None else FELL


def main() -> int:
    """Disturbs each kind of work as often as asked for; returns 1 where something fell or differs."""
    parser = arguments(__doc__, Path("build/faults"))
    parser.add_argument("--kinds", nargs="+", choices=KINDS, default=list(KINDS))
    parser.add_argument("--faults", type=int, default=60)
    given = parser.parse_args()
    show_nothing()
    bad = False
    for name in given.work or WORK:
        with tempfile.TemporaryDirectory() as temporary:
            home = Path(temporary) / "home"
            home.mkdir()
            WORK[name].prepare(home)
            expected = undisturbed(WORK[name], home, Path(temporary) / "0" / "whole")
            for kind in given.kinds:
                begun, ends, wrong = time.monotonic(), Counter[int](), list[str]()
                draw = random.Random(f"{given.seed} {name} {kind}")
                for piece in range(1, given.faults + 1):
                    folder = Path(temporary) / f"{kind}{piece}" / "whole"
                    folder.mkdir(parents=True)
                    end = disturbed(WORK[name], home, folder, kind, draw.randint(0, MOST[kind]))
                    ends[end] += 1
                    found = undisturbed(WORK[name], home, folder)
                    differ = [key for key in {**expected, **found} if expected.get(key) != found.get(key)]
                    if end not in (ENDED, NAMED) or differ:
                        wrong.append(f"{piece}: {', '.join(sorted(differ)) or f'ended with {end}'}")
                        shutil.copytree(folder.parent, given.output / name / folder.parent.name, dirs_exist_ok=True)
                    shutil.rmtree(folder.parent)
                bad |= bool(wrong)
                print(
                    f"{name}, {kind}: {given.faults} times, {ends[ENDED]} ended, {ends[NAMED]} named a file, "
                    f"{(time.monotonic() - begun) / 60:.1f} minutes, wrong: {wrong}",
                    flush=True,
                )
    return int(bad)


def _preloaded() -> int:
    """Runs this module again with the library that makes calls fail; returns its exit status."""
    with tempfile.TemporaryDirectory() as temporary:
        library = Path(temporary) / "faults.so"
        source = Path(__file__).with_suffix(".c")
        subprocess.run(["cc", "-shared", "-fPIC", "-O1", "-o", library, source, "-ldl"], check=True)
        settings = {**os.environ, "LD_PRELOAD": str(library)}
        return subprocess.run(
            [sys.executable, "-m", "bench.faults", *sys.argv[1:]], env=settings, check=False
        ).returncode


if __name__ == "__main__":
    sys.exit(main() if "LD_PRELOAD" in os.environ else _preloaded())
