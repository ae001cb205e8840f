"""Kills work at random moments, lets it go on, and compares what it leaves with what undisturbed work leaves.

    python -m bench.kills --kills 100 -o build/kills
    python -m bench.kills train cache --kills 20 --seed 1 -o build/kills

Each piece of work is begun in a folder of its own, killed (SIGKILL) once to three times, now and then with the
processes that it has begun, and then left to end. Its files must be, byte for byte but for times, those of work that
nobody disturbed, and none may lie there half written. OUT/ keeps the folders that differ.
"""

import os

os.environ |= dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS"), "1")

import argparse
import json
import multiprocessing
import random
import shutil
import signal
import sys
import tempfile
import time
import traceback
from collections.abc import Callable
from dataclasses import dataclass
from multiprocessing.context import ForkProcess
from pathlib import Path
from typing import Any

import pandas as pd
from safetensors.numpy import load
from tests.data.videos import write_video
from tests.runs.clips import TINY, write_clips

import aplt
from aplt.clips import Clip
from aplt.comparison.record import TIMES
from aplt.data.cache import FrameCache
from aplt.display import show_nothing
from aplt.errors import InputError
from aplt.rundir import RunDir
from aplt.storage import write_csv

PATIENCE = 60.0
"""Seconds after a kill until the processes that it left behind have noticed it."""
PAGES = (".html", ".md", ".lock")
"""Endings of files that are not compared: pages say how long things took."""


@dataclass(frozen=True)
class Work:
    """A piece of work: `prepare` makes once what it is done with, `go_on` does in a folder what is left of it."""

    prepare: Callable[[Path], object]
    go_on: Callable[[Path, Path], object]
    """(what was prepared, the folder)."""
    together: int = 1
    """Processes that do it at the same time."""
    later: bool = False
    """Whether what a kill left half written goes only with the work of another day."""


def _train(home: Path, folder: Path) -> None:
    run = RunDir(folder / "run")
    if run.config.exists():
        aplt.resume(run.path)
    else:
        aplt.train(home / "clips.csv", method="aplt", settings=TINY, seed=1, name="run", runs=folder)


def _compare(home: Path, folder: Path) -> None:
    few = {key: value for key, value in TINY.items() if key != "split"}
    few["train"] = few["train"] | {"rounds": 2, "steps_per_round": 3}
    aplt.compare(
        home / "clips.csv",
        methods=["fixmatch", "aplt"],
        labeled=0.3,
        seeds=2,
        settings=few,
        output=folder / "x",
        jobs=4,
    )


def _prepare_predict(home: Path) -> None:
    write_clips(home, 200)
    aplt.train(home / "clips.csv", settings=TINY | {"train": TINY["train"] | {"rounds": 2}}, name="run", runs=home)


def _predict(home: Path, folder: Path) -> None:
    write_csv(folder / "predictions.csv", aplt.predict(home / "run", home / "clips.csv"))


def _prepare_cache(home: Path) -> None:
    for number in range(30):
        write_video(home / f"{number}.mp4", 6 + number % 5)


def _cache(home: Path, folder: Path) -> None:
    clips = [Clip(path.stem, path) for path in sorted(home.glob("*.mp4"))]
    FrameCache(folder / "cache", short_side=24, quality=90).build(clips, processes=2)


WORK = {
    "train": Work(write_clips, _train),
    "compare": Work(write_clips, _compare),
    "predict": Work(_prepare_predict, _predict),
    "cache": Work(_prepare_cache, _cache, together=2, later=True),
}


def left_in(folder: Path) -> dict[str, Any]:
    """Returns what the files of a folder hold, without times."""
    found: dict[str, Any] = {}
    for path in sorted(path for path in folder.rglob("*") if path.is_file()):
        name, content = path.relative_to(folder).as_posix(), path.read_bytes()
        if path.suffix in PAGES or path.name == ".lock":
            continue
        if path.name in ("result.json", "metrics.jsonl"):
            found[name] = [_without_times(json.loads(line)) for line in _documents(path)]
        elif path.name == "compare.csv":
            found[name] = pd.read_csv(path).drop(columns=list(TIMES)).to_csv()
        elif path.name == "state.safetensors":
            found[name] = {key: array.tobytes() for key, array in load(content).items()}
        else:
            found[name] = content.replace(str(folder).encode(), b".")
    return found


def _documents(path: Path) -> list[str]:
    text = path.read_text(encoding="utf-8")
    return text.splitlines() if path.suffix == ".jsonl" else [text]


def _without_times(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _without_times(item) for key, item in value.items() if key != "seconds"}
    return value


def begin(work: Work, home: Path, folder: Path) -> list[ForkProcess]:
    """Starts the work in processes that lead groups of their own."""

    def do() -> None:
        os.setsid()
        os.dup2(os.open(folder.parent / "said.txt", os.O_WRONLY | os.O_CREAT | os.O_APPEND), 2)
        show_nothing()
        deadline = time.monotonic() + PATIENCE
        while True:
            try:
                work.go_on(home, folder)
                os._exit(0)
            except InputError as error:
                if "another process" not in str(error) or time.monotonic() > deadline:
                    traceback.print_exc()
                    os._exit(2)
                time.sleep(0.1)  # left behind by a kill, and about to notice it

    processes = [multiprocessing.get_context("fork").Process(target=do) for _ in range(work.together)]
    for process in processes:
        process.start()
    return processes


def disturbed(work: Work, home: Path, folder: Path, seconds: float, draw: random.Random) -> int:
    """Does the work while it is killed now and then, to its end; returns how often it was."""
    kills = 0
    for _ in range(draw.choice((1, 1, 2, 3))):
        processes = begin(work, home, folder)
        time.sleep(draw.uniform(0, 1.1) * seconds)
        victims = draw.sample(processes, draw.randint(1, len(processes)))
        whole = draw.random() < 0.5
        for victim in victims:
            if victim.is_alive() and victim.pid:
                kills += 1
                try:
                    os.killpg(victim.pid, signal.SIGKILL) if whole else os.kill(victim.pid, signal.SIGKILL)
                except ProcessLookupError:  # it has no group yet
                    victim.kill()
        for process in processes:
            process.join()
    for _ in range(1 + work.later):
        for process in begin(work, home, folder):
            process.join()
            if process.exitcode:
                raise RuntimeError(f"it did not go on: exit status {process.exitcode}")
        for aside in folder.rglob("*.aside") if work.later else ():
            os.utime(aside, (0, 0))
    return kills


def arguments(description: str | None, output: Path) -> argparse.ArgumentParser:
    """Returns a parser of what to disturb, by which seed, and where to keep what differs."""
    parser = argparse.ArgumentParser(description=description, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("work", nargs="*", choices=[*WORK, []])  # [] is what argparse makes of none
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("-o", "--output", type=Path, default=output)
    return parser


def main() -> int:
    """Kills each kind of work as often as asked for; returns 1 where it left something else."""
    parser = arguments(__doc__, Path("build/kills"))
    parser.add_argument("--kills", type=int, default=100)
    given = parser.parse_args()
    show_nothing()
    differed = False
    for name in given.work or WORK:
        work, draw, begun = WORK[name], random.Random(f"{given.seed} {name}"), time.monotonic()
        kills, pieces, wrong = 0, 0, list[str]()
        with tempfile.TemporaryDirectory() as temporary:
            home = Path(temporary) / "home"
            home.mkdir()
            work.prepare(home)
            started = time.monotonic()
            expected = undisturbed(work, home, Path(temporary) / "0" / "whole")
            seconds = time.monotonic() - started
            while kills < given.kills:
                pieces += 1
                folder = Path(temporary) / str(pieces) / "whole"
                folder.mkdir(parents=True)
                try:
                    kills += disturbed(work, home, folder, seconds, draw)
                    found = left_in(folder)
                    differ = [key for key in {**expected, **found} if expected.get(key) != found.get(key)]
                    why = f"other content in {', '.join(sorted(differ))}" if differ else ""
                except RuntimeError as error:
                    why = str(error)
                if why:
                    wrong.append(f"{pieces}: {why}")
                    shutil.copytree(folder.parent, given.output / name / str(pieces), dirs_exist_ok=True)
                shutil.rmtree(folder.parent)
        differed |= bool(wrong)
        minutes = (time.monotonic() - begun) / 60
        print(
            f"{name}: {kills} kills of {pieces} pieces of {seconds:.1f} s, {minutes:.1f} minutes, wrong: {wrong}",
            flush=True,
        )
    return int(differed)


def undisturbed(work: Work, home: Path, folder: Path) -> dict[str, Any]:
    """Returns what work leaves in a folder, begun there or gone on with."""
    folder.mkdir(parents=True, exist_ok=True)
    for process in begin(work, home, folder):
        process.join()
    return left_in(folder)


if __name__ == "__main__":
    sys.exit(main())
