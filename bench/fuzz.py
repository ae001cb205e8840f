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
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from tests.comparison.fake_comparison import fake_comparison
from tests.data.pose_files.files import contents as pose_files
from tests.data.pose_files.files import openpose, packed, sure, walk
from tests.data.test_ends import KINDS as CONTAINERS
from tests.data.test_skeleton_damage import contents
from tests.data.videos import write_sound, write_video
from tests.runs.clips import tiny_config, write_clips
from tests.runs.runs import interrupt

import aplt
from aplt.clips import Clip
from aplt.comparison.page import write_comparison
from aplt.comparison.plan import load_plan
from aplt.config import SkeletonInput
from aplt.data.cache import FrameCache
from aplt.data.formats import scan
from aplt.data.formats.source import Source
from aplt.data.index import read_index
from aplt.data.modality import MODALITIES, modality_of_clip
from aplt.data.split_file import load_split, save_split
from aplt.data.splits import make_split
from aplt.data.video import decode
from aplt.display import show_nothing
from aplt.errors import InputError
from aplt.report import write_report
from aplt.rundir import RunDir
from aplt.runs.begin import train
from aplt.runs.configure import configure_new
from aplt.runs.predict import gather_clips, load_model, predict
from bench.damage import damage

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


@dataclass(frozen=True)
class Kind:
    """Files of one kind: `write` leaves sound ones in a folder, and `read` reads one, or a folder, as a user would."""

    write: Callable[[Path], object]
    read: Callable[[Path], object]
    damaged: str = "*"
    """Which files are damaged; with a "/" they are parts of a folder, which is read as a whole."""


def _write_videos(folder: Path) -> None:
    for name, options in CONTAINERS.items():
        write_video(folder / name, 8, rate=25, key_every=4, muxer=options)
    write_video(folder / "a.h264", 8)
    write_video(folder / "turned.mp4", 8, turn=90, aspect=2)
    write_sound(folder / "cover.mp4", cover=True)


def _read_video(path: Path) -> None:
    clip = Clip("a", path)
    modality_of_clip(clip).examine(clip)
    for clip in (Clip("a", path), Clip("b", path, start=0.1, end=0.2)):
        for _ in decode(clip, short_side=16):
            pass


def _write_cache(folder: Path) -> None:
    (folder / "x").mkdir()
    clips = [Clip(str(n), write_video((folder / "x") / f"{n}.mp4", 6)) for n in range(2)]
    FrameCache(folder / "x" / "cache", short_side=24, quality=90).build(clips, processes=1)


def _read_cache(path: Path) -> None:
    cache = FrameCache(path / "cache", short_side=24, quality=90)
    for file in sorted(path.glob("*.mp4")):
        for clip in (Clip(file.stem, file, start=0.1, end=0.3), Clip(file.stem, file)):
            frames = cache.open(clip)
            frames.read(range(len(frames.times)))


def _write_skeletons(folder: Path) -> None:
    for name, content in (contents() | pose_files() | packed()).items():
        (folder / name).write_bytes(content)


def _write_openpose(folder: Path) -> None:
    openpose(folder / "x", [[one] for one in sure(walk(25))])


def _read_skeleton(path: Path) -> None:
    if path.suffix == ".pkl":
        scan(Source(path, output=path.with_suffix(".csv")), "pyskl")
        return
    clip, modality = Clip("a", path), MODALITIES["skeleton"]
    modality.examine(clip)
    modality.how_read(clip)
    modality.make_views({0: clip}, SkeletonInput(frames=8), None)


def _write_tables(folder: Path) -> None:
    write_clips(folder / "clips", 12)
    index = read_index(folder / "clips" / "clips.csv")
    save_split(folder / "split.csv", index, make_split(index, tiny_config(folder / "clips" / "clips.csv").split))
    header, *rows = (folder / "clips" / "clips.csv").read_text().splitlines()
    (folder / "index.csv").write_text("\n".join([header, *rows]) + "\n")
    films = [f'{i}.mp4,"{i / 2}",{i},caf\u00e9;{i},{("train", "test")[i % 2]},i{i}' for i in range(1, 9)]
    (folder / "films.csv").write_text("\n".join(["path,start,end,label,split,id", *films]) + "\n")
    predictions = [f"clips/{i:03d}.npy,,,nod,0.5,wave,0.25," for i in range(9)]
    columns = "path,start,end,prediction_1,score_1,prediction_2,score_2,error"
    (folder / "predictions.csv").write_text("\n".join([columns, *predictions]) + "\n")


def _read_table(path: Path) -> None:
    if path.name.startswith("split"):
        load_split(path, read_index(path.parent / "clips" / "clips.csv"))
        return
    gather_clips([path])
    if not path.name.startswith("predictions"):
        make_split(read_index(path), tiny_config(path.parent / "clips" / "clips.csv").split)


def _write_configs(folder: Path) -> None:
    clips = write_clips(folder / "clips", 12)
    (folder / "config.yaml").write_text(tiny_config(clips).to_yaml())
    (folder / "short.yaml").write_text(f"clips: {clips}\nmethod: fixmatch\ntrain: {{rounds: 3, seed: 1}}\n")
    plan = fake_comparison(folder / "compare") / "compare.yaml"
    (folder / "plan.yaml").write_text(plan.read_text())


def _read_config(path: Path) -> None:
    if path.name.startswith("plan"):
        load_plan(path, {})
    else:
        configure_new(path, {}, None)


def _write_run(folder: Path) -> None:
    clips = write_clips(folder.parent / "clips", 24)
    train(tiny_config(clips, train={"rounds": 2, "warm_up_rounds": 1, "steps_per_round": 2}), RunDir(folder / "run"))


def _read_run(path: Path) -> None:
    run = aplt.Run(path)
    for look in ("result", "rounds", "predictions", "pseudo_labels", "ledger"):
        with suppress(InputError, OSError):
            getattr(run, look)
    with suppress(InputError, OSError):
        aplt.evaluate(path)
    write_report(path)


def _write_begun(folder: Path) -> None:
    clips = write_clips(folder.parent / "clips", 24)
    few = {"rounds": 2, "warm_up_rounds": 0, "steps_per_round": 3}
    interrupt(tiny_config(clips, train=few), RunDir(folder / "run"), round_=1, step=2)


def _read_begun(path: Path) -> None:
    with suppress(InputError, OSError):
        write_report(path)
    aplt.resume(path)


def _write_model(folder: Path) -> None:
    _write_run(folder.parent / "trained")
    shutil.copytree(folder.parent / "trained" / "run" / "model", folder / "model")
    shutil.copy(folder.parent / "clips" / "000.npy", folder / "model")


def _read_model(path: Path) -> None:
    predict(load_model(path), [Clip("a", path / "000.npy")], workers=0)


KINDS = {
    "videos": Kind(_write_videos, _read_video),
    "caches": Kind(_write_cache, _read_cache, "x/cache/**/*.*"),
    "skeletons": Kind(_write_skeletons, _read_skeleton),
    "openpose": Kind(_write_openpose, _read_skeleton, "x/*.json"),
    "tables": Kind(_write_tables, _read_table, "*.csv"),
    "configs": Kind(_write_configs, _read_config, "*.yaml"),
    "models": Kind(_write_model, _read_model, "model/*.*s*"),
    "runs": Kind(_write_run, _read_run, "run/**/*.*"),
    "begun": Kind(_write_begun, _read_begun, "run/**/*.*"),
    "comparisons": Kind(lambda folder: fake_comparison(folder / "x"), lambda path: write_comparison(path), "x/**/*.*"),
}


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
