"""Fuzzing: damages files of every kind that aplt reads, and lists what is neither read nor refused in a sentence.

    python -m bench.fuzz --inputs 20000 -o build/fuzz                  # all kinds
    python -m bench.fuzz models runs --inputs 500 --seed 1 -o build/fuzz
    python -m bench.fuzz models --again 1234 -o build/fuzz             # one input, in this process

Each input is one of a few small sound files, or one file of a sound folder, damaged by hand as bench/damage.py says.
What falls is any error but those that the command line tells in a sentence, a crash, and what takes more than ten
seconds or too much memory. Input number n of a seed is always the same. OUT/KIND/ gets the first input of each fall,
and what was said.
"""

import os

os.environ |= dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS"), "1")

import argparse
import mmap
import random
import re
import resource
import shutil
import signal
import struct
import sys
import tempfile
import time
import traceback
from collections import Counter
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

from aplt.display import show_nothing
from aplt.errors import InputError
from bench.damage import damage
from bench.fuzz_kinds import KINDS

SECONDS = 10
"""Of computing, which other work on the machine does not lengthen."""
PATIENCE = 12
"""Times as long for an input that computes nothing and waits."""
MEMORY = 3 << 30
"""Bytes of address space that an input may take, beside what is there before."""
BATCH = 250
"""Inputs of one process."""
OUTCOMES = ("", "read", "refused", "fell")
"""What becomes of an input; the first: its process died."""


class Fuzz:
    """The inputs of one kind."""

    def __init__(self, name: str, seed: int, home: Path, output: Path) -> None:
        self.kind, self.seed, self.output = KINDS[name], seed, output / name
        self.sound = home / "sound"
        self.sound.mkdir(parents=True)
        self.kind.write(self.sound)
        files = sorted(self.sound.glob(self.kind.damaged))
        self.files = [path for path in files if path.is_file() and path.suffix not in (".html", ".lock")]
        self.whole = "/" in self.kind.damaged

    def made(self, number: int, folder: Path) -> Path:
        """Writes an input and returns the file."""
        draw = random.Random(f"{self.seed} {number}")
        file = draw.choice(self.files)
        if self.whole:
            shutil.copytree(self.sound, folder, dirs_exist_ok=True)
            path = folder / file.relative_to(self.sound)
        else:
            path = folder / f"{file.stem}{number}{file.suffix}"
            for beside in self.sound.glob("*/"):
                (folder / beside.name).symlink_to(beside)
        path.write_bytes(damage(file, draw.choice(self.files), draw))
        return path

    def try_one(self, number: int, said: Callable[[str], object]) -> str:
        """Returns which of OUTCOMES an input had; tells a fall."""
        with tempfile.TemporaryDirectory() as folder:
            path = self.made(number, Path(folder))
            os.chdir(folder)
            try:
                self.kind.read(Path(folder, path.relative_to(folder).parts[0]) if self.whole else path)
            except (InputError, OSError) as error:
                if str(error):
                    return "refused"
                said(f"an empty sentence: {error!r}")
                return "fell"
            except Exception:  # noqa: BLE001 - that is what is looked for
                said(traceback.format_exc())
                return "fell"
            return "read"

    def batch(self, first: int, last: int, at: mmap.mmap) -> None:
        """Tries inputs in this process, whose death the next one sees."""
        os.dup2(os.open(os.devnull, os.O_WRONLY), 2)
        used = int(Path("/proc/self/statm").read_text().split()[0]) * resource.getpagesize()
        resource.setrlimit(resource.RLIMIT_AS, (used + MEMORY, used + MEMORY))
        for number in range(first, last):
            at[:8] = struct.pack("q", number)
            signal.setitimer(signal.ITIMER_PROF, SECONDS)
            signal.alarm(PATIENCE * SECONDS)
            outcome = self.try_one(number, partial(self.note, number))
            signal.setitimer(signal.ITIMER_PROF, 0)
            signal.alarm(0)
            at[8 + number % BATCH] = OUTCOMES.index(outcome)

    def note(self, number: int, text: str) -> None:
        """Keeps what was said of an input, and of the first such input its file."""
        places = re.findall(r'File ".*?(aplt/[\w/]+\.py)", line (\d+)', text)
        error = text.strip().splitlines()[-1].partition(":")[0]
        name = re.sub(r"[^\w.-]+", "-", f"{'-'.join(places[-1]) if places else ''}-{error}")[:120]
        self.output.mkdir(parents=True, exist_ok=True)
        if not (self.output / f"{name}.txt").exists():
            with tempfile.TemporaryDirectory() as folder:
                path = self.made(number, Path(folder))
                shutil.copy(path, self.output / f"{name}.{path.name}")
        with (self.output / f"{name}.txt").open("a") as stream:
            stream.write(f"--again {number}\n{text}\n")


def tried(fuzz: Fuzz, first: int, last: int) -> Iterator[Counter[str]]:
    """Yields what became of each batch of inputs, each in a process of its own."""
    while first < last:
        at = mmap.mmap(-1, 8 + BATCH)
        end = min(last, first - first % BATCH + BATCH)
        child = os.fork()
        if not child:
            try:
                fuzz.batch(first, end, at)
            finally:
                os._exit(0 if at[8 + (end - 1) % BATCH] else 1)  # nothing of the parent's is cleaned up here
        _, status = os.waitpid(child, 0)
        each = Counter(at[8 + number % BATCH] for number in range(first, end))
        found = Counter({name: each[place] for place, name in enumerate(OUTCOMES) if name and each[place]})
        if status:
            (number,) = struct.unpack("q", at[:8])
            name = (
                signal.Signals(status).name if os.WIFSIGNALED(status) else f"exit {os.waitstatus_to_exitcode(status)}"
            )
            hung = name in ("SIGALRM", "SIGPROF")
            fuzz.note(number, f"longer than {SECONDS} s" if hung else f"ended by {name}")
            found["hangs" if hung else "crashes"] += 1
            end = number + 1
        yield found
        first = end


def main() -> int:
    """Runs the kinds that are named; returns 1 where something fell."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("kinds", nargs="*", choices=[*KINDS, []])  # [] is what argparse makes of none
    parser.add_argument("--inputs", type=int, default=2000)
    parser.add_argument("--first", type=int, default=0)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--again", type=int, help="Only this input, in this process.")
    parser.add_argument("-o", "--output", type=Path, default=Path("build/fuzz"))
    given = parser.parse_args()
    output = given.output.resolve()
    show_nothing()
    fell = False
    for name in given.kinds or KINDS:
        with tempfile.TemporaryDirectory() as home:
            fuzz = Fuzz(name, given.seed, Path(home), output)
            if given.again is not None:
                print(fuzz.try_one(given.again, print))
                continue
            shutil.rmtree(fuzz.output, ignore_errors=True)
            begun, total = time.monotonic(), Counter[str]()
            for found in tried(fuzz, given.first, given.first + given.inputs):
                total += found
            falls = {path.stem: path.read_text().count("--again ") for path in sorted((output / name).glob("*.txt"))}
            fell |= bool(falls)
            minutes = (time.monotonic() - begun) / 60
            print(f"{name}: {given.inputs} inputs, {minutes:.1f} minutes, {dict(total)}, falls {falls}", flush=True)
    return int(fell)


if __name__ == "__main__":
    sys.exit(main())
